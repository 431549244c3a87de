/** AdamW and learning-rate schedules. */
package io.rasterflow.model.optimizer;
