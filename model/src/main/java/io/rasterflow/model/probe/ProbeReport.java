package io.rasterflow.model.probe;

/**
 * What a probe reached.
 *
 * @param accuracy top-1 on the validation features, as a fraction
 * @param trainLoss mean cross-entropy of the last probe epoch
 * @param validationImages how many images the accuracy is over
 */
public record ProbeReport(double accuracy, double trainLoss, int validationImages) {}
