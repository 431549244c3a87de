/** Tests of the model module. */
package io.rasterflow.tests.model;
