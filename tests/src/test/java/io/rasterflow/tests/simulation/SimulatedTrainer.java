package io.rasterflow.tests.simulation;

import io.rasterflow.actors.exchange.DataAddress;
import io.rasterflow.actors.exchange.Generation;
import io.rasterflow.actors.exchange.Liveness;
import io.rasterflow.actors.membership.Assignment;
import io.rasterflow.actors.membership.Member;
import io.rasterflow.actors.membership.Pace;
import io.rasterflow.actors.membership.Phase;
import io.rasterflow.actors.membership.Placement;
import io.rasterflow.actors.membership.Roster;
import io.rasterflow.actors.membership.Standing;
import java.util.Optional;

/** Does with a {@link Member} what the trainer's actor does, in virtual time. */
final class SimulatedTrainer {

    private static final double CONFIRM_MILLIS = 800;

    final Machine machine;
    final DataAddress address;
    final Member member;
    final double microBatchMillis;
    private final World world;
    SimulatedExchange exchange;
    /** Of the generation that is expected next. */
    private SimulatedExchange ahead;

    long weights;

    /** What was begun in an earlier epoch is not continued. */
    private int epoch;

    private int signals;
    /** The newest generation that it was told to be over. */
    private long over;

    private boolean saving;
    private boolean retired;

    SimulatedTrainer(World world, Machine machine, int replica) {
        this.world = world;
        this.machine = machine;
        this.address = new DataAddress(machine.id, machine.node, 1_000 + machine.age, replica);
        this.member = new Member(address, machine.node);
        this.microBatchMillis = world.scheduler.between(5, 40);
    }

    void start() {
        if (!retired) {
            announce();
            machine.after(Pace.ANNOUNCE_MILLIS, this::start);
        }
    }

    boolean retired() {
        return retired;
    }

    /** Whether it is or may still become part of that generation. */
    boolean mayJoin(long generation) {
        return member.generationNumber() < generation || member.isIn(generation);
    }

    // ---- Orders

    void form(Placement place) {
        long before = Math.max(member.generationNumber(), over);
        if (retired || !member.prepare(place)) {
            announce();
            return;
        }
        Assignment assignment = member.place();
        Ledger.require(
                assignment.generation().number() > before,
                "%s takes a place in generation %d after it was told of %d",
                this,
                assignment.generation().number(),
                before);
        world.ledger.placed(this);
        leaveExchange();
        leaveAhead(assignment.generation().number() - 1);
        epoch++;
        signals = 0;
        say("prepares as rank %d, from step %d, %s", assignment.rank(), assignment.firstStep(), assignment.origin());
        announce();
        if (member.outdated()) {
            say("has other weights than the coordinator believes");
            stop();
            announce();
        } else if (member.needsWeights()) {
            restore(assignment);
        } else {
            join();
        }
    }

    void expect(Roster roster, int rank) {
        Optional<Generation> expected = retired ? Optional.empty() : member.generationOf(roster);
        expected.filter(some -> ahead == null || !ahead.generation().equals(some))
                .ifPresent(generation -> {
                    leaveAhead(Long.MAX_VALUE);
                    SimulatedExchange next = new SimulatedExchange(world, this, generation, rank);
                    ahead = next;
                    machine.after(world.scheduler.between(1, 400), () -> {
                        if (!next.closed()) {
                            next.join();
                        }
                    });
                });
    }

    void halt(long generation) {
        over = retired ? over : Math.max(over, generation);
        leaveAhead(generation);
        if (!retired && member.end(generation)) {
            stop();
        }
        announce();
    }

    void pause(long generation) {
        if (member.isIn(generation)) {
            signals = 1;
        }
    }

    void describe() {
        member.roster()
                .ifPresent(
                        roster -> world.cluster.toCoordinator(machine, coordinator -> coordinator.described(roster)));
    }

    void confirm(DataAddress suspect) {
        SimulatedTrainer other = world.trainers.get(suspect);
        boolean reaches = world.network.reaches(machine, other.machine);
        if (reaches && (!other.machine.alive() || other.retired)) {
            tellFound(2, suspect, Liveness.GONE);
        } else if (reaches && !other.machine.hanging()) {
            tellFound(2, suspect, Liveness.ALIVE);
        } else {
            tellFound(CONFIRM_MILLIS, suspect, Liveness.SILENT);
        }
    }

    private void tellFound(double millis, DataAddress suspect, Liveness liveness) {
        machine.after(millis, () -> world.cluster.toCoordinator(machine, who -> who.found(suspect, liveness)));
    }

    void save() {
        if (!saving && !retired) {
            saving = true;
            write(() -> world.cluster.toCoordinator(machine, SimulatedCoordinator::saved));
        }
    }

    private void write(Runnable then) {
        long step = member.step();
        String digest = member.digest();
        long written = weights;
        machine.after(world.scheduler.between(20, 800), () -> {
            saving = false;
            if (step >= 0) {
                world.ledger.wrote(step, digest, written);
            }
            then.run();
        });
    }

    void retire() {
        if (!retired) {
            say("retires");
            world.letGo(this);
            leaveExchange();
            leaveAhead(Long.MAX_VALUE);
            retired = true;
            epoch++;
        }
    }

    void leave() {
        member.leave();
        announce();
    }

    // ---- Before the first step

    private void restore(Assignment assignment) {
        switch (assignment.origin().kind()) {
            case KEPT -> throw new IllegalStateException(this + " keeps what it has not");
            case PEER -> {
                discard(assignment);
                fetch(assignment, world.trainers.get(assignment.origin().peer().orElseThrow()));
            }
            case CHECKPOINT, SEED -> {
                discard(assignment);
                Ledger.Checkpoint from =
                        world.ledger.checkpoint(assignment.origin().checkpoint());
                continueAfter(world.scheduler.between(30, 400), () -> restored(from.weights()));
            }
        }
    }

    private void discard(Assignment assignment) {
        Ledger.require(
                member.generationNumber() == 0 || member.step() <= assignment.firstStep(),
                "%s throws its weights away for those of step %d",
                this,
                assignment.firstStep());
        member.discard();
    }

    private void fetch(Assignment assignment, SimulatedTrainer peer) {
        if (!world.network.reaches(machine, peer.machine) || peer.machine.hanging()) {
            continueAfter(world.scenario.linkSilenceMillis(), () -> failed(peer.address, "does not send its weights"));
            return;
        }
        peer.machine.after(1, () -> {
            // As they are now: the peer may have gone on.
            Standing standing = peer.member.standing();
            long sent = peer.weights;
            machine.after(world.scheduler.between(10, 300), () -> {
                if (member.place() == assignment
                        && member.isIn(assignment.generation().number())) {
                    received(assignment, peer, standing, sent);
                }
            });
        });
        continueAfter(3_000, () -> {
            if (member.phase() == Phase.PREPARING && member.needsWeights()) {
                failed(peer.address, "has not sent its weights");
            }
        });
    }

    private void received(Assignment assignment, SimulatedTrainer peer, Standing standing, long sent) {
        if (!peer.machine.alive()) {
            failed(peer.address, "has died while it sent its weights");
        } else if (standing.step() != assignment.firstStep()
                || !standing.digest().equals(assignment.digest())) {
            failed(peer.address, "sent the weights of step " + standing.step());
        } else {
            restored(sent);
        }
    }

    private void restored(long restored) {
        weights = restored;
        member.restored();
        world.ledger.check(member.step(), weights, toString());
        join();
    }

    private void join() {
        Assignment place = member.place();
        if (ahead != null && ahead.generation().equals(place.generation())) {
            exchange = ahead;
            ahead = null;
            if (exchange.complete()) {
                connected(exchange);
            }
            return;
        }
        leaveAhead(place.generation().number());
        exchange = new SimulatedExchange(world, this, place.generation(), place.rank());
        exchange.join();
    }

    /** Is connected to all. */
    void connected(SimulatedExchange by) {
        if (by == ahead && member.generationNumber() < by.generation().number()) {
            member.connectedAhead(by.generation().number());
            say("is connected to generation %d", by.generation().number());
            announce();
        } else if (by == exchange && member.phase() == Phase.PREPARING) {
            member.begin();
            say("begins");
            world.ledger.begun(this);
            announce();
            next();
        }
    }

    // ---- Training

    private void next() {
        if (member.step() == world.scenario.rules().steps()) {
            member.finish(Long.toHexString(weights));
            say("has finished");
            announce();
            return;
        }
        Assignment place = member.place();
        compute(member.step(), place.generation().firstMicroBatch(place.rank()), SimulatedExchange.Sum.NOTHING);
    }

    private void compute(long step, int microBatch, SimulatedExchange.Sum sum) {
        Assignment place = member.place();
        if (microBatch == place.generation().firstMicroBatch(place.rank() + 1)) {
            exchange.contribute(step, new SimulatedExchange.Sum(sum.value(), sum.included(), signals));
            return;
        }
        world.ledger.leased(this, step, microBatch);
        continueAfter(microBatchMillis * world.scheduler.between(0.8, 1.3), () -> {
            long gradient = Arithmetic.gradient(weights, step, microBatch);
            compute(step, microBatch + 1, sum.plus(new SimulatedExchange.Sum(gradient, 1L << microBatch, 0)));
        });
    }

    void summed(SimulatedExchange by, long step, SimulatedExchange.Sum sum) {
        if (by != exchange || member.phase() != Phase.TRAINING) {
            return;
        }
        Ledger.require(step == member.step(), "%s is given the sum of step %d", this, step);
        weights = Arithmetic.update(weights, sum.value());
        member.applied(sum.value());
        world.committed(this, sum.included());
        say("has applied step %d", step);
        long steps = member.step();
        if (member.place().rank() == 0 && steps % world.scenario.checkpointSteps() == 0) {
            write(() -> {});
        }
        if (sum.signals() != 0 && steps < world.scenario.rules().steps()) {
            member.halt();
            say("pauses");
            announce();
            return;
        }
        if (world.scenario.announceSteps()) {
            announce();
        }
        next();
    }

    // ---- The end of a generation

    /** A peer of the exchange is gone. */
    void lost(SimulatedExchange by, DataAddress peer, String why) {
        if (by == exchange) {
            failed(peer, why);
        } else if (by == ahead) {
            leaveAhead(Long.MAX_VALUE);
        }
    }

    private void failed(DataAddress peer, String why) {
        say("lost %s: it %s", peer.processId(), why);
        stop();
        announce();
        confirm(peer);
    }

    private void stop() {
        if (member.halt()) {
            say("halts");
        }
        epoch++;
        leaveExchange();
        leaveAhead(member.generationNumber());
    }

    private void leaveExchange() {
        if (exchange != null) {
            exchange.close();
            exchange = null;
        }
    }

    /** Also one that has still to join. */
    private void leaveAhead(long generation) {
        if (ahead != null && ahead.generation().number() <= generation) {
            ahead.close();
            ahead = null;
        }
    }

    /** The process has died. */
    void die() {
        if (ahead != null) {
            ahead.die();
        }
        if (exchange != null) {
            exchange.die();
        }
    }

    private void continueAfter(double millis, Runnable action) {
        int begun = epoch;
        machine.after(millis, () -> {
            if (epoch == begun) {
                action.run();
            }
        });
    }

    private void announce() {
        if (!retired) {
            Standing standing = member.standing();
            world.cluster.toCoordinator(machine, coordinator -> coordinator.heard(standing));
        }
    }

    private void say(String what, Object... details) {
        world.say(this + ": " + what, details);
    }

    @Override
    public String toString() {
        return machine + "/" + address.replica() + " (generation " + member.generationNumber() + ", step "
                + member.step() + ", " + member.phase() + ")";
    }
}
