/** TorchScript programs: archives written in memory from source text, loaded and called through DJL. */
package io.rasterflow.model.program;
