/** What {@code rasterflow bench} measures of this module. */
package io.rasterflow.actors.bench;
