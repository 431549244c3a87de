/** PyTorch's zip files of tensors (.pth), read without executing anything that stands in them. */
package io.rasterflow.model.pickle;
