/** The plan of a run, as the coordinator hands it to every node. */
package io.rasterflow.actors.run;
