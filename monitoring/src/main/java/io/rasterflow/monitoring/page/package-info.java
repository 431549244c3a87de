/** The live page of a run: HTTP, server-sent events, JSON and Prometheus text. */
package io.rasterflow.monitoring.page;
