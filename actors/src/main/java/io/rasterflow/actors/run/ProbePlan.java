package io.rasterflow.actors.run;

import io.rasterflow.model.probe.HeadConfig;
import io.rasterflow.model.probe.KnnConfig;
import io.rasterflow.model.probe.Layers;
import io.rasterflow.model.probe.ProbeConfig;
import io.rasterflow.model.probe.ProbeKind;
import java.util.Collections;
import java.util.List;
import java.util.function.LongPredicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * How checkpoints are evaluated. A run is judged by probes of one kind; those of other kinds may be made beside it, each at
 * a pace of its own.
 *
 * @param everySteps steps between probes; the untrained and the last weights are always probed; rounded up to the next
 *     checkpoint
 * @param trainImages at most so many training images are turned into features
 * @param batch images per forward pass of the evaluation
 * @param sets labelled sets that the run is probed on; empty to probe on {@code data.train} and {@code data.validation}
 * @param kind what the run is judged by; see {@link ProbeConfig}, as are the following
 * @param also probes of other kinds
 */
public record ProbePlan(
        long everySteps,
        long trainImages,
        int batch,
        List<ProbeSetPlan> sets,
        ProbeKind kind,
        String layers,
        Also also,
        int classes,
        List<Double> learningRates,
        double heldOut,
        long cacheBytes,
        HeadConfig attentive,
        HeadConfig linear,
        KnnConfig knn) {

    /** Probes of each kind; that of the run's own kind is not made a second time. */
    public record Also(Pace attentive, Pace linear, Pace knn) {
        /** Of a kind. */
        public Pace of(ProbeKind kind) {
            return switch (kind) {
                case ATTENTIVE -> attentive;
                case LINEAR -> linear;
                case KNN -> knn;
            };
        }
    }

    /**
     * @param everySteps as that of the run's own probes; 0 for none
     * @param layers as there
     */
    public record Pace(long everySteps, String layers) {
        public Pace {
            if (everySteps < 0) {
                throw new IllegalArgumentException(
                        "everySteps of a probe in probe.also must be 0 (none) or more but is " + everySteps);
            }
            Layers.check(layers);
        }
    }

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

    /** The kinds of probe that the run makes, that which it is judged by first. */
    public List<ProbeKind> kinds() {
        return kinds(every -> true);
    }

    /**
     * Those that are due with a checkpoint.
     *
     * @param step of the checkpoint
     * @param since step of the checkpoint before, if there were one at every interval
     */
    List<ProbeKind> due(long step, long since) {
        return kinds(every -> step / every > since / every);
    }

    private List<ProbeKind> kinds(LongPredicate wanted) {
        Stream<ProbeKind> others = Stream.of(ProbeKind.values())
                .filter(other -> other != kind && also.of(other).everySteps() > 0);
        return Stream.concat(Stream.of(kind), others)
                .filter(one ->
                        wanted.test(one == kind ? everySteps : also.of(one).everySteps()))
                .toList();
    }

    /**
     * What the model needs to know of a kind of probe, whether or not the run makes it.
     *
     * @param classes number of labels of the set that is probed
     */
    public ProbeConfig config(ProbeKind wanted, int classes) {
        String of = wanted == kind ? layers : also.of(wanted).layers();
        return new ProbeConfig(wanted, of, classes, learningRates, heldOut, cacheBytes, attentive, linear, knn);
    }
}
