/** Weights on disk: safetensors files and checkpoint directories. */
package io.rasterflow.model.checkpoint;
