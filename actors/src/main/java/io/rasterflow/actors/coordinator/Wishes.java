package io.rasterflow.actors.coordinator;

import io.rasterflow.actors.exchange.DataAddress;
import io.rasterflow.actors.membership.Membership;
import io.rasterflow.actors.membership.Order;
import io.rasterflow.actors.membership.Standing;
import io.rasterflow.monitoring.action.ActionAnswer;
import io.rasterflow.monitoring.action.ActionKind;
import io.rasterflow.monitoring.action.ActionRequest;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.monitor.Telemetry;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * What users have asked of the run, from then until it is done. Each is journalled when it is asked and when it is done or
 * refused. Another coordinator that takes over knows of none of it: a run that was paused goes on with its first generation,
 * and a checkpoint that was not written yet has to be asked for again.
 */
final class Wishes {

    private final String node;
    private final Membership membership;
    private final Nodes nodes;
    private final Telemetry telemetry;

    private Optional<ActionRequest> pausing = Optional.empty();
    private final Map<String, ActionRequest> draining = new LinkedHashMap<>();

    // Checkpoints: first to be written, then perhaps to be evaluated
    private final List<ActionRequest> writing = new ArrayList<>();
    private final Map<Long, List<ActionRequest>> evaluating = new HashMap<>();
    /** Who was asked to write: it does so whatever becomes of its generation, unless it is lost. */
    private Optional<DataAddress> writer = Optional.empty();

    private long askedStep;

    /** @param node that hosts the coordinator */
    Wishes(String node, Membership membership, Nodes nodes, Telemetry telemetry) {
        this.node = node;
        this.membership = membership;
        this.nodes = nodes;
        this.telemetry = telemetry;
    }

    /**
     * What is made of a request.
     *
     * @param orders to be obeyed for it
     */
    record Reply(ActionAnswer answer, List<Order> orders) {}

    Reply ask(ActionRequest request, long now) {
        look();
        if (membership.finished() && request.kind() != ActionKind.LOG_LEVEL) {
            return refuse(request, "the last step has been taken");
        }
        return switch (request.kind()) {
            case PAUSE -> pause(request, now);
            case RESUME -> resume(request, now);
            case CHECKPOINT, PROBE -> write(request);
            case DRAIN -> drain(request, now);
            case LOG_LEVEL -> log(request, now);
        };
    }

    // ---- Pause and resume

    private Reply pause(ActionRequest request, long now) {
        if (membership.held()) {
            return refuse(request, "the run is paused already");
        }
        pausing = Optional.of(request);
        return accept(request, "the ranks stop after the step that is under way", membership.hold(now));
    }

    private Reply resume(ActionRequest request, long now) {
        if (!membership.held()) {
            return refuse(request, "the run is not paused");
        }
        drop(pausing, "resumed before the ranks had stopped");
        pausing = Optional.empty();
        List<Order> orders = membership.release(now);
        return done(request, "the ranks go on from step " + Math.max(0, membership.step()), orders);
    }

    // ---- Checkpoints

    private Reply write(ActionRequest request) {
        if (membership.step() < 0) {
            return refuse(request, "there are no weights yet; try again when training has begun");
        }
        writing.add(request);
        askedStep = Math.max(askedStep, membership.step());
        String after = request.kind() == ActionKind.PROBE ? ", then validated and probed" : "";
        return accept(request, "the weights of the last step are written" + after, orderWriter());
    }

    /** Any rank could; the first has done it all along. */
    private List<Order> orderWriter() {
        Optional<DataAddress> first = membership.ranks().stream()
                .filter(standing -> standing.step() >= 0)
                .map(Standing::address)
                .findFirst();
        writer = first;
        return first.<List<Order>>map(address -> List.of(new Order.Save(address)))
                .orElse(List.of());
    }

    private boolean writerIsLost() {
        return writer.filter(membership::isHere).isEmpty();
    }

    /** Whether the next checkpoint that is no regular one is a user's. */
    boolean writes() {
        return !writing.isEmpty();
    }

    /**
     * A checkpoint is complete.
     *
     * @return whether it is probed because a user asked for it
     */
    boolean written(long step) {
        return step >= askedStep && evaluates(step);
    }

    /**
     * The weights are on disk, perhaps since long ago.
     *
     * @return whether they are to be evaluated again
     */
    boolean saved(long step) {
        boolean again = evaluates(step);
        writing.forEach(request -> done(request, "step " + step + " is written", List.of()));
        writing.clear();
        return again;
    }

    private boolean evaluates(long step) {
        List<ActionRequest> probes = writing.stream()
                .filter(request -> request.kind() == ActionKind.PROBE)
                .toList();
        if (probes.isEmpty()) {
            return false;
        }
        writing.removeAll(probes);
        evaluating.computeIfAbsent(step, unseen -> new ArrayList<>()).addAll(probes);
        return true;
    }

    void evaluated(long step, double validationLoss) {
        List<ActionRequest> probes = evaluating.remove(step);
        if (probes != null) {
            String what = String.format(Locale.ROOT, "step %d has validation loss %.4f", step, validationLoss);
            probes.forEach(request -> done(request, what, List.of()));
        }
    }

    // ---- Nodes

    private Reply drain(ActionRequest request, long now) {
        String name = request.node();
        if (name.equals(node)) {
            return refuse(request, name + " holds the run together; to end the run, stop the command that began it");
        }
        if (draining.containsKey(name)) {
            return refuse(request, name + " is leaving already");
        }
        Optional<ActorRef<Coordinator.Admission>> found = nodes.find(name, now);
        if (found.isEmpty()) {
            return refuse(request, unknown(name, now));
        }
        found.get().tell(new NodeOrder.Drain(request.who()));
        draining.put(name, request);
        return accept(request, name + " leaves at the next step boundary", List.of());
    }

    private Reply log(ActionRequest request, long now) {
        if (!request.node().isEmpty() && !nodes.isHere(request.node(), now)) {
            return refuse(request, unknown(request.node(), now));
        }
        List<String> told = nodes.here(now).stream()
                .filter(name -> request.node().isEmpty() || name.equals(request.node()))
                .toList();
        told.forEach(name -> nodes.find(name, now)
                .ifPresent(found -> found.tell(new NodeOrder.Log(request.level(), request.who()))));
        return done(request, String.join(", ", told) + (told.size() == 1 ? " logs" : " log") + " so much", List.of());
    }

    private String unknown(String name, long now) {
        return "no node '" + name + "' is here; choose one of " + String.join(", ", nodes.here(now));
    }

    // ---- Time goes by

    /** Several times a second. */
    List<Order> tick(long now) {
        look();
        List.copyOf(draining.keySet()).stream()
                .filter(name -> !nodes.isHere(name, now))
                .forEach(name -> done(draining.remove(name), name + " has left", List.of()));
        return !writing.isEmpty() && writerIsLost() ? orderWriter() : List.of();
    }

    private void look() {
        if (pausing.isPresent() && membership.rests()) {
            done(pausing.get(), "the ranks rest at step " + Math.max(0, membership.step()), List.of());
            pausing = Optional.empty();
        }
    }

    /** The run is over: nothing comes of what is left. */
    void end() {
        drop(pausing, "the run ended before");
        writing.forEach(request -> drop(Optional.of(request), "the run ended before"));
        evaluating
                .values()
                .forEach(probes -> probes.forEach(request -> drop(Optional.of(request), "the run ended before")));
        draining.values().forEach(request -> drop(Optional.of(request), "the run ended before"));
    }

    // ---- Journal

    private Reply accept(ActionRequest request, String line, List<Order> orders) {
        record(request, Event.Action.ASKED, "");
        return new Reply(new ActionAnswer(true, line), orders);
    }

    private Reply done(ActionRequest request, String line, List<Order> orders) {
        record(request, Event.Action.DONE, line);
        return new Reply(new ActionAnswer(true, line), orders);
    }

    private Reply refuse(ActionRequest request, String line) {
        record(request, Event.Action.REFUSED, line);
        return new Reply(new ActionAnswer(false, line), List.of());
    }

    private void drop(Optional<ActionRequest> request, String line) {
        request.ifPresent(some -> record(some, Event.Action.REFUSED, line));
    }

    private void record(ActionRequest request, String outcome, String detail) {
        telemetry.record(new Event.Action(
                System.currentTimeMillis(),
                node,
                request.kind().id(),
                request.subject(),
                request.who(),
                membership.step(),
                outcome,
                detail));
    }
}
