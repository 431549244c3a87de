/** Tests of events, journal, monitor and page. */
package io.rasterflow.tests.monitoring;
