/** Tests of the gradient exchange: order of summation, frames, sockets, failures. */
package io.rasterflow.tests.exchange;
