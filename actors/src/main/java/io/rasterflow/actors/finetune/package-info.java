/** Fine-tuning on a stream of labelled images, in one process. */
package io.rasterflow.actors.finetune;
