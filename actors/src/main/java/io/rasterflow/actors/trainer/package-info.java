/** The trainer actor: one rank and its steps. */
package io.rasterflow.actors.trainer;
