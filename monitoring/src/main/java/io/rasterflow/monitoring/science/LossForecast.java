package io.rasterflow.monitoring.science;

/**
 * What the end of a run's schedule is expected to bring.
 *
 * @param trainLoss mean of the last 50 steps
 * @param validationLoss of the last weights
 * @param reason why one of them is not foretold, in words; empty where both are
 */
public record LossForecast(Prediction trainLoss, Prediction validationLoss, String reason) {

    /** Nothing is foretold. */
    public static LossForecast none(String reason) {
        return new LossForecast(Prediction.NONE, Prediction.NONE, reason);
    }
}
