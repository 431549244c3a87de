package io.rasterflow.monitoring.action;

/**
 * What is made of a request.
 *
 * @param accepted whether it is done, or will be
 * @param line says so, or why not and what to try
 */
public record ActionAnswer(boolean accepted, String line) {}
