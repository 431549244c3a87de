/** The coordinator: membership, generations and the end of a run. */
package io.rasterflow.actors.coordinator;
