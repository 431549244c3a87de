/** Vocabularies of patches: k-means centroids for the ablation that predicts tokens (arXiv 2401.08541, section 4.4). */
package io.rasterflow.model.codebook;
