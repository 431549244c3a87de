/**
 * What a cluster that is not here would do: steps, exchange, coordinator and failures, simulated.
 *
 * <p>Discrete events on simulated time: nothing here looks at a clock, and all chance is drawn from
 * {@link io.rasterflow.streams.order.CounterRandom}, so the same question always has the same answer.
 *
 * <pre>
 *   Workload, Cluster ──► StepSimulation ──► StepTimes ──┐
 *     rank: micro-batches, buckets last first            │
 *     PairwiseDirect, HopRing     every message          ├──► FailureSimulation ──► Goodput
 *     SweptDirect, WaveRing       in aggregate           │
 *     Network: NICs, memory, threads as serial lanes     │
 *   Cluster, Reliability ──► CoordinatorSimulation ──────┘
 * </pre>
 *
 * <p>Seconds, bytes, bytes per second throughout. {@link io.rasterflow.actors.plan.Plan} puts the pieces together.
 */
package io.rasterflow.actors.plan;
