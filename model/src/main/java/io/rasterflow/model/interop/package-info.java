/** Weights to and from the formats of others: ml-aim checkpoints, Hugging Face folders, TorchScript. */
package io.rasterflow.model.interop;
