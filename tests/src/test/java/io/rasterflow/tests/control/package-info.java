/** The control port under strangers. */
package io.rasterflow.tests.control;
