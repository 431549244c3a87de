/** Configuration: what is read and what is refused. */
package io.rasterflow.tests.config;
