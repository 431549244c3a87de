/** What users ask of a run while it goes on. */
package io.rasterflow.monitoring.action;
