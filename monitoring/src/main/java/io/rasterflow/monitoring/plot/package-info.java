/** Plots, figures and pages in one file, without scripts: what reports, studies and the terminal share. */
package io.rasterflow.monitoring.plot;
