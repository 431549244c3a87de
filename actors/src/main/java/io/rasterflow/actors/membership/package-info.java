/**
 * Who trains, and from which step: the membership protocol as plain state machines without threads, clocks or sockets.
 *
 * <p>{@link io.rasterflow.actors.membership.Membership} is what the coordinator decides, {@link
 * io.rasterflow.actors.membership.Member} what a trainer knows of itself. Trainers announce their {@link
 * io.rasterflow.actors.membership.Standing} twice a second and at every change; the coordinator answers with {@link
 * io.rasterflow.actors.membership.Order}s. Everything is level-triggered: a decision follows from the latest standings and
 * is said again until they show its effect, so messages may be lost, delayed, repeated or overtaken. A coordinator that
 * begins anew learns all it needs from the standings, and from one rank who is in its generation.
 *
 * <pre>
 *            Form(g+1)              connected            Halt, broken link, boundary
 *   WAITING ----------> PREPARING ------------> TRAINING ----------------------------> HALTED
 *      |                    |  ^                    | last step                           |
 *      |                    |  +--- Form(g+2) ------+---------------------------+         |
 *      |                    +--- Halt, failure --> HALTED                    FINISHED     |
 *      +------------------------------------ Form(g+1) <---------------------------------+
 * </pre>
 */
package io.rasterflow.actors.membership;
