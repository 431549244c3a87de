/** Which nodes the cluster gives up: Pekko's split-brain resolver, told when its own process has stood still. */
package io.rasterflow.actors.downing;
