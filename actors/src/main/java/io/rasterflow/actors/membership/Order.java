package io.rasterflow.actors.membership;

import io.rasterflow.actors.exchange.DataAddress;

/** What the coordinator has to do next; {@link Membership} decides it. */
public sealed interface Order {

    /** An order that goes to a trainer. */
    sealed interface ToTrainer extends Order {
        DataAddress to();
    }

    /** Take this place in a new generation. */
    record Form(DataAddress to, Placement place) implements ToTrainer {}

    /** Connect to all that are expected in the next generation, and go on meanwhile. */
    record Expect(DataAddress to, Roster roster, int rank) implements ToTrainer {}

    /** That generation is over: stop at once. */
    record Halt(DataAddress to, long generation) implements ToTrainer {}

    /** Make all ranks of that generation stop after the step that is under way. */
    record Pause(DataAddress to, long generation) implements ToTrainer {}

    /** Find out whether that trainer's process is there. */
    record Confirm(DataAddress to, DataAddress suspect) implements ToTrainer {}

    /** Say who is in your generation. */
    record Describe(DataAddress to) implements ToTrainer {}

    /** Write a checkpoint of the weights as they are. */
    record Save(DataAddress to) implements ToTrainer {}

    /** You are not needed any more. */
    record Retire(DataAddress to, String reason) implements ToTrainer {}

    /** A trainer is no longer counted on. */
    record Dropped(DataAddress who, String node, String cause) implements Order {}

    /** A generation begins. */
    record Formed(Assignment first, String cause, String ranks) implements Order {}

    /** Nothing can be done until that changes. */
    record Wait(String reason) implements Order {}

    /** The run cannot go on. */
    record Fail(String cause) implements Order {}
}
