/** What passes through the pipeline, stage by stage. */
package io.rasterflow.streams.metrics;
