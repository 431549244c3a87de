/** The configuration of a run: HOCON into validated records. */
package io.rasterflow.config;
