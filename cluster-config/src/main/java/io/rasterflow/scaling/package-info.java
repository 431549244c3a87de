/** {@code rasterflow plan} without a cluster of one's own: 8 to 4096 ranks compared, as a page with plots. */
package io.rasterflow.scaling;
