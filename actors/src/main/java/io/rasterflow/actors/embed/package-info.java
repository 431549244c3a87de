/** Features of many images: where they come from, and the files that they go to. */
package io.rasterflow.actors.embed;
