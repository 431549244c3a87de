package io.rasterflow.actors.coordinator;

import io.rasterflow.actors.probe.ProbeActor;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import org.apache.pekko.actor.typed.ActorRef;

/** The checkpoints that are being evaluated, and those that wait until a probe actor is there. */
final class Evaluations {

    private final Queue<ProbeActor.Evaluate> waiting = new ArrayDeque<>();
    /** A step twice where it is evaluated again. */
    private final List<Long> underWay = new ArrayList<>();

    private Optional<ActorRef<ProbeActor.Command>> probe = Optional.empty();

    /** @return whether it is another one than before */
    boolean join(ActorRef<ProbeActor.Command> actor) {
        if (probe.equals(Optional.of(actor))) {
            return false;
        }
        probe = Optional.of(actor);
        waiting.forEach(actor::tell);
        waiting.clear();
        return true;
    }

    void gone(ActorRef<ProbeActor.Command> actor) {
        if (probe.equals(Optional.of(actor))) {
            probe = Optional.empty();
        }
    }

    void begin(ProbeActor.Evaluate evaluate) {
        underWay.add(evaluate.step());
        probe.ifPresentOrElse(actor -> actor.tell(evaluate), () -> waiting.add(evaluate));
    }

    void over(long step) {
        underWay.remove(Long.valueOf(step));
    }

    boolean isUnderWay(long step) {
        return underWay.contains(step);
    }

    /** Whether nothing is to be waited for; where the probe's node is lost nobody will evaluate. */
    boolean done() {
        return underWay.isEmpty() || probe.isEmpty();
    }
}
