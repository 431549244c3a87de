/** Starting, following and ending the cluster of a run. */
package io.rasterflow.launch;
