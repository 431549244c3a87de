/** What a run came to, as a page in one file: read from its journals alone, also when it died. */
package io.rasterflow.monitoring.report;
