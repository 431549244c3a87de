/** Other runs beside the one that is watched. */
package io.rasterflow.monitoring.compare;
