/** Sources of shards: against real servers, with faults. */
package io.rasterflow.tests.streams.storage;
