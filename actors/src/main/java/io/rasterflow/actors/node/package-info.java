/** The node actor: what runs in one JVM of the cluster. */
package io.rasterflow.actors.node;
