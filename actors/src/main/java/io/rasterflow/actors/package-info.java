/** Who does it: coordinator, trainer, probe and node actors, and the exchange between them. */
package io.rasterflow.actors;
