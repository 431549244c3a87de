package io.rasterflow.actors;

/** Marks control messages that may leave the JVM; they are bound to Jackson CBOR. No tensor, image or gradient in one. */
public interface WireMessage {}
