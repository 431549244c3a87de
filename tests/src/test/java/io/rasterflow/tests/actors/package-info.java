/** The actors' protocols, with probes. */
package io.rasterflow.tests.actors;
