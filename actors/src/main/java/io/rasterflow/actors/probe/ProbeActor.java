package io.rasterflow.actors.probe;

import io.rasterflow.actors.Failures;
import io.rasterflow.actors.WireMessage;
import io.rasterflow.actors.coordinator.Coordinator;
import io.rasterflow.actors.run.RunPlan;
import io.rasterflow.model.checkpoint.Snapshot;
import io.rasterflow.model.probe.ProbeKind;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.monitor.Telemetry;
import io.rasterflow.streams.shard.DataSet;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/** Evaluates checkpoints off the training path, one after the other, on a pinned thread of its own. */
public final class ProbeActor {

    public sealed interface Command {}

    /**
     * Validate a checkpoint.
     *
     * @param probes kinds of probe to put on its features as well, each on every labelled set; none to validate only
     */
    public record Evaluate(long step, String checkpoint, List<ProbeKind> probes, ActorRef<Coordinator.Command> replyTo)
            implements Command, WireMessage {}

    /**
     * What the probe actor of a node works with.
     *
     * @param validation images that the loss is taken on
     * @param sets labelled images that probes are trained and judged on, at least one set
     */
    public record ProbeNode(
            String name,
            RunPlan plan,
            DataSet validation,
            List<ProbeSet> sets,
            Telemetry telemetry,
            ActorRef<Coordinator.Command> coordinator) {}

    private final ActorContext<Command> context;
    private final ProbeNode node;
    private Evaluation evaluation;

    /** Spawn it on {@link #dispatcher()}. */
    public static Behavior<Command> create(ProbeNode node) {
        return Behaviors.setup(context -> new ProbeActor(context, node).evaluating());
    }

    /** The pinned thread that the evaluator needs. */
    public static DispatcherSelector dispatcher() {
        return DispatcherSelector.fromConfig("rasterflow.trainer-dispatcher");
    }

    private ProbeActor(ActorContext<Command> context, ProbeNode node) {
        this.context = context;
        this.node = node;
        if (node.plan().shownImages() < node.plan().images()) {
            context.getLog().info("no pictures of predictions: model.objective.target=tokens has no pixels");
        }
    }

    private Behavior<Command> evaluating() {
        node.coordinator().tell(new Coordinator.JoinProbe(node.name(), context.getSelf()));
        return Behaviors.receive(Command.class)
                .onMessage(Evaluate.class, this::onEvaluate)
                .onSignal(PostStop.class, stop -> onStop())
                .build();
    }

    private Behavior<Command> onEvaluate(Evaluate message) {
        try {
            if (evaluation == null) {
                evaluation = new Evaluation(context.getSystem(), node.name(), node.plan(), node.validation());
            }
            Snapshot snapshot = evaluation.load(Path.of(message.checkpoint()));
            Event.Validation validation = evaluation.validate(message.step());
            node.telemetry().record(validation);
            picture(message.step(), node.telemetry()::record);
            if (!message.probes().isEmpty()) {
                for (ProbeSet set : node.sets()) {
                    List<Event.Probe> probes = evaluation.probe(
                            message.probes(),
                            message.step(),
                            validation.loss(),
                            set,
                            node.sets().size());
                    if (evaluation.attends()) {
                        // Whoever hears of the probe finds where it looks.
                        picture(message.step(), again -> {});
                    }
                    probes.forEach(node.telemetry()::record);
                }
            }
            node.telemetry().record(evaluation.histograms(message.step(), snapshot));
            message.replyTo().tell(new Coordinator.Evaluated(message.step(), validation.loss()));
        } catch (IOException | RuntimeException | OutOfMemoryError e) {
            context.getLog().debug("evaluation of step {} failed", message.step(), e);
            message.replyTo().tell(new Coordinator.EvaluationFailed(message.step(), Failures.oneLine(e)));
        }
        return Behaviors.same();
    }

    /** An evaluation without pictures is one all the same. */
    private void picture(long step, Consumer<Event> told) {
        try {
            evaluation.picture(step).ifPresent(told);
        } catch (IOException e) {
            context.getLog().warn(e.getMessage());
        }
    }

    private Behavior<Command> onStop() {
        if (evaluation != null) {
            evaluation.close();
            evaluation = null;
        }
        return Behaviors.same();
    }
}
