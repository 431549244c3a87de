/** The launcher as a user runs it: real processes, sockets and images. */
package io.rasterflow.tests.endtoend;
