package io.rasterflow.actors.run;

import io.rasterflow.model.aim.AimConfig;
import io.rasterflow.model.aim.AimCost;
import io.rasterflow.model.aim.Objective;
import io.rasterflow.model.optimizer.Schedule;
import io.rasterflow.monitoring.event.Event.RunStarted.Experiment;
import io.rasterflow.monitoring.event.Event.RunStarted.Rates;
import io.rasterflow.streams.augment.AugmentConfig;
import java.util.List;
import java.util.Locale;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

/** What the journal says of a plan, so that losses of different runs are compared only where they mean the same. */
public final class Experiments {

    private static final long PIECES = 64;

    private Experiments() {}

    /** Sizes of the model are left out: they are what runs of one experiment differ by. */
    public static Experiment of(RunPlan plan) {
        return new Experiment(
                objective(plan.model(), plan.data().augment()),
                plan.data().validation().stream().map(Experiments::fileName).collect(Collectors.joining(", ")),
                new AimCost(plan.model()).trainingFlops());
    }

    /** The learning rate of the whole run: the steps at which its course may have a corner, and some between them. */
    public static Rates learningRates(RunPlan plan) {
        Schedule schedule = plan.train().rates();
        long end = schedule.steps();
        TreeSet<Long> steps = new TreeSet<>(List.of(
                0L,
                Math.max(0, schedule.warmupSteps() - 1),
                schedule.warmupSteps(),
                end - schedule.cooldownSteps(),
                end));
        LongStream.range(1, PIECES)
                .map(piece -> end / PIECES * piece + end % PIECES * piece / PIECES)
                .forEach(steps::add);
        return new Rates(List.copyOf(steps), steps.stream().map(schedule::at).toList());
    }

    private static String objective(AimConfig model, AugmentConfig augment) {
        Objective objective = model.objective();
        String how = objective.kind() == Objective.Kind.MASKED
                ? "masked " + objective.maskRatio()
                : "autoregressive, " + lower(objective.order()) + " order, " + lower(objective.attention())
                        + " attention";
        String what =
                switch (objective.target()) {
                    case NORMALISED -> "normalised pixels";
                    case RAW -> "raw pixels of mean " + augment.mean() + " and deviation " + augment.std();
                    case TOKENS -> objective.vocabulary() + " tokens";
                };
        return how + ", " + what + ", " + model.imageSize() + " px, patches of " + model.patchSize() + ", "
                + model.channels() + (model.channels() == 1 ? " channel" : " channels");
    }

    private static String lower(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }

    /** Without its folder, which differs between machines, and without a query, which may hold a secret. */
    private static String fileName(String shards) {
        String path = shards.replaceFirst("[?#].*$", "").replaceFirst("/+$", "");
        return path.substring(path.lastIndexOf('/') + 1);
    }
}
