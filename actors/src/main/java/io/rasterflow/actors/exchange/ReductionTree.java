package io.rasterflow.actors.exchange;

/** The canonical order of summation: a fixed binary tree over the micro-batches of a global batch. */
public final class ReductionTree {

    private ReductionTree() {}
}
