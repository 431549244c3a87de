/** Fine-tuning of a pre-trained trunk with a classifier on top: LoRA adapters, or every weight with layer decay. */
package io.rasterflow.model.finetune;
