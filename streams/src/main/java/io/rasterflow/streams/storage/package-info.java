/** Files that appear whole or not at all. */
package io.rasterflow.streams.storage;
