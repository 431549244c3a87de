/** Sample order as pure functions of seed, epoch and position. */
package io.rasterflow.streams.order;
