package io.rasterflow.tests.simulation;

import io.rasterflow.actors.exchange.DataAddress;
import io.rasterflow.actors.exchange.Liveness;
import io.rasterflow.actors.membership.GenerationNumbers;
import io.rasterflow.actors.membership.Membership;
import io.rasterflow.actors.membership.Order;
import io.rasterflow.actors.membership.Pace;
import io.rasterflow.actors.membership.Roster;
import io.rasterflow.actors.membership.Standing;
import java.util.List;
import java.util.Optional;

/** Does with a {@link Membership} what the coordinator's actor does, in virtual time. It begins with nothing known. */
final class SimulatedCoordinator {

    final Machine machine;
    final Membership membership;
    /** Once it was given up, of which it has not heard. */
    List<Machine> membersAsItKnows = List.of();

    private final World world;
    private boolean ended;

    SimulatedCoordinator(World world, Machine machine) {
        this.world = world;
        this.machine = machine;
        this.membership = new Membership(
                world.scenario.rules(),
                (heard, gone) -> world.cluster.mayGoOn(this, heard, gone),
                () -> Optional.of(world.ledger.restorePoint()),
                new GenerationNumbers() {
                    @Override
                    public long highest() {
                        return world.ledger.highestNumber();
                    }

                    @Override
                    public long next(long known) {
                        return world.ledger.nextNumber(known);
                    }
                });
    }

    void tick() {
        if (!ended) {
            obey(membership.tick(world.scheduler.now()));
            machine.after(Pace.TICK_MILLIS, this::tick);
        }
    }

    void heard(Standing standing) {
        obey(membership.heard(standing, world.scheduler.now()));
    }

    void described(Roster roster) {
        obey(membership.described(roster, world.scheduler.now()));
    }

    void found(DataAddress suspect, Liveness liveness) {
        world.say("coordinator: %s is %s", suspect.processId(), liveness);
        obey(membership.found(suspect, liveness, world.scheduler.now()));
    }

    void gone(String processId, String why) {
        obey(membership.gone(processId, why, world.scheduler.now()));
    }

    void saved() {
        obey(membership.saved(world.scheduler.now()));
    }

    void hold() {
        world.say("coordinator on %s is asked to pause", machine);
        obey(membership.hold(world.scheduler.now()));
    }

    void release() {
        world.say("coordinator on %s is asked to go on", machine);
        obey(membership.release(world.scheduler.now()));
    }

    void stop() {
        obey(membership.stop(world.scheduler.now()));
    }

    /** Another takes its place. */
    void end() {
        ended = true;
        membership.close();
    }

    private void obey(List<Order> orders) {
        for (Order order : ended ? List.<Order>of() : orders) {
            if (order instanceof Order.ToTrainer toTrainer) {
                SimulatedTrainer trainer = world.trainers.get(toTrainer.to());
                world.network.send(machine, trainer.machine, () -> deliver(toTrainer, trainer));
            } else if (order instanceof Order.Formed formed) {
                Ledger.require(!membership.held(), "a generation is formed during a pause");
                world.say(
                        "coordinator on %s: generation %d at step %d because: %s; %s",
                        machine,
                        formed.first().generation().number(),
                        formed.first().firstStep(),
                        formed.cause(),
                        formed.ranks());
                world.formed(this, formed.first());
            } else if (order instanceof Order.Fail fail) {
                throw new Ledger.Violation("the coordinator gives up: " + fail.cause());
            } else {
                world.say("coordinator on %s: %s", machine, order);
            }
        }
    }

    private void deliver(Order.ToTrainer order, SimulatedTrainer trainer) {
        if (order instanceof Order.Form form) {
            trainer.form(form.place());
        } else if (order instanceof Order.Expect expect) {
            trainer.expect(expect.roster(), expect.rank());
        } else if (order instanceof Order.Halt halt) {
            trainer.halt(halt.generation());
        } else if (order instanceof Order.Pause pause) {
            trainer.pause(pause.generation());
        } else if (order instanceof Order.Confirm confirm) {
            trainer.confirm(confirm.suspect());
        } else if (order instanceof Order.Describe) {
            trainer.describe();
        } else if (order instanceof Order.Save) {
            trainer.save();
        } else if (order instanceof Order.Retire) {
            trainer.retire();
            world.cluster.exitIfUnused(trainer.machine);
        }
    }
}
