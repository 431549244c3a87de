/** The probe actor: evaluation of checkpoints off the training path. */
package io.rasterflow.actors.probe;
