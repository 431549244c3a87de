/** The control port: what stands between Artery, which trusts whoever connects, and the network. */
package io.rasterflow.actors.control;
