/** Clusters that are only simulated. */
package io.rasterflow.tests.plan;
