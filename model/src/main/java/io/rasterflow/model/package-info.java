/** What is learned: TorchScript programs, encoders, objectives, optimizer, probes and checkpoints. Knows neither actors nor sockets. */
package io.rasterflow.model;
