/** The walls between the modules. */
package io.rasterflow.tests.house;
