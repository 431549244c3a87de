/** What the measured values say together. */
package io.rasterflow.monitoring.science;
