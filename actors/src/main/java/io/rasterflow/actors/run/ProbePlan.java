package io.rasterflow.actors.run;

import io.rasterflow.model.probe.HeadConfig;
import io.rasterflow.model.probe.KnnConfig;
import io.rasterflow.model.probe.ProbeConfig;
import io.rasterflow.model.probe.ProbeKind;
import java.util.Collections;
import java.util.List;
import java.util.stream.Collectors;

/**
 * How checkpoints are evaluated.
 *
 * @param everySteps steps between probes; the untrained and the last weights are always probed; rounded up to the next
 *     checkpoint
 * @param trainImages at most so many training images are turned into features
 * @param batch images per forward pass of the evaluation
 * @param sets labelled sets that the run is probed on; empty to probe on {@code data.train} and {@code data.validation}
 * @param kind see {@link ProbeConfig}, as are the following
 */
public record ProbePlan(
        long everySteps,
        long trainImages,
        int batch,
        List<ProbeSetPlan> sets,
        ProbeKind kind,
        String layers,
        int classes,
        List<Double> learningRates,
        double heldOut,
        long cacheBytes,
        HeadConfig attentive,
        HeadConfig linear,
        KnnConfig knn) {
    public ProbePlan {
        if (everySteps < 1 || trainImages < 1 || batch < 1) {
            throw new IllegalArgumentException(
                    "probe.everySteps, probe.trainImages and probe.batch must be at least 1 but are " + everySteps
                            + ", " + trainImages + " and " + batch);
        }
        sets = List.copyOf(sets);
        List<String> names = sets.stream().map(ProbeSetPlan::name).toList();
        names.stream()
                .filter(name -> Collections.frequency(names, name) > 1)
                .findFirst()
                .ifPresent(name -> {
                    throw new IllegalArgumentException(
                            "two sets of probe.sets are called " + name + "; give each a name of its own");
                });
        learningRates = new ProbeConfig(
                        kind, layers, classes, learningRates, heldOut, cacheBytes, attentive, linear, knn)
                .learningRates();
    }

    /**
     * The set of a name.
     *
     * @throws IllegalArgumentException with one line, if there is none
     */
    public ProbeSetPlan set(String name) {
        return sets.stream()
                .filter(set -> set.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("probe.sets names no set " + name + "; it names "
                        + (sets.isEmpty()
                                ? "none"
                                : sets.stream().map(ProbeSetPlan::name).collect(Collectors.joining(", ")))));
    }

    /**
     * What the model needs to know of it.
     *
     * @param classes number of labels of the set that is probed
     */
    public ProbeConfig config(int classes) {
        return new ProbeConfig(kind, layers, classes, learningRates, heldOut, cacheBytes, attentive, linear, knn);
    }
}
