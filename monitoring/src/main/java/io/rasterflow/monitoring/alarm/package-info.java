/** What about a run calls for attention: one detector per kind of trouble, and hooks that tell of it. */
package io.rasterflow.monitoring.alarm;
