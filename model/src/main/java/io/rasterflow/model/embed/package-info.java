/** Frozen features of images. */
package io.rasterflow.model.embed;
