/** The data plane: gradient all-reduce over Netty in canonical order. */
package io.rasterflow.actors.exchange;
