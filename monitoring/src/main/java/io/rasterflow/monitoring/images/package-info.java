/** Pictures of what the model predicts, as files of the run directory. */
package io.rasterflow.monitoring.images;
