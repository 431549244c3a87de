/** The command line. */
package io.rasterflow.cli;
