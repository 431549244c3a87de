package io.rasterflow.actors.finetune;

/** Hears of a fine-tuning while it runs, on its thread. */
public interface FineTuneProgress {

    /**
     * A step was taken.
     *
     * @param step counted from 1
     * @param steps of the whole fine-tuning
     * @param loss mean cross-entropy of the batch, of soft targets where images are mixed
     * @param imagesPerSecond of training so far, evaluation not counted
     */
    void stepped(long step, long steps, double loss, double imagesPerSecond);

    /** An epoch has ended and was evaluated. */
    void evaluated(FineTuneReport.Epoch epoch);
}
