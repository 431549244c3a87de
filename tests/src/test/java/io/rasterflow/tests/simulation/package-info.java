/**
 * Deterministic simulation of coordinator, trainers and exchange: the real state machines of {@link
 * io.rasterflow.actors.membership} under virtual time, on a network and on machines that fail as a seed tells them to.
 */
package io.rasterflow.tests.simulation;
