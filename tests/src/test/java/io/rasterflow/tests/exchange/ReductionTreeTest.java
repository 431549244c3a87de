package io.rasterflow.tests.exchange;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.actors.exchange.ReductionTree;
import io.rasterflow.actors.exchange.ReductionTree.Span;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class ReductionTreeTest {

    @Property
    void maximalSubtreesCoverTheRunOnceAndAreMaximal(
            @ForAll @IntRange(min = 1, max = 200) int microBatches,
            @ForAll @IntRange(max = 199) int from,
            @ForAll @IntRange(min = 1, max = 200) int length) {
        int first = from % microBatches;
        int end = Math.min(microBatches, first + length);
        Set<Span> nodes = nodes(ReductionTree.root(microBatches), new HashSet<>());

        List<Span> spans = ReductionTree.maximalSubtrees(microBatches, first, end);

        int next = first;
        for (Span span : spans) {
            assertEquals(next, span.first());
            assertTrue(nodes.contains(span), span + " is no node");
            next = span.end();
        }
        assertEquals(end, next);
        for (Span node : nodes) {
            boolean inside = node.first() >= first && node.end() <= end;
            long covering = spans.stream()
                    .filter(s -> s.first() <= node.first() && s.end() >= node.end())
                    .count();
            assertEquals(inside ? 1 : 0, covering, () -> node + " of run [" + first + ", " + end + ")");
        }
    }

    private static Set<Span> nodes(Span node, Set<Span> all) {
        all.add(node);
        if (!node.isLeaf()) {
            nodes(node.left(), all);
            nodes(node.right(), all);
        }
        return all;
    }

    @Property
    void rightChildrenAreThoseThatTheirParentsName(@ForAll @IntRange(min = 2, max = 100) int microBatches) {
        for (Span node : nodes(ReductionTree.root(microBatches), new HashSet<>())) {
            if (!node.isLeaf()) {
                assertEquals(node.count(), node.left().count() + node.right().count());
                assertEquals(1, Integer.bitCount(node.left().count()));
                assertTrue(node.left().count() >= node.right().count());
                assertTrue(ReductionTree.isRightChild(microBatches, node.right()));
                assertEquals(false, ReductionTree.isRightChild(microBatches, node.left()));
            }
        }
    }

    @Test
    void sixMicroBatches() {
        assertEquals(List.of(new Span(0, 2), new Span(2, 1)), ReductionTree.maximalSubtrees(6, 0, 3));
        assertEquals(List.of(new Span(3, 1), new Span(4, 2)), ReductionTree.maximalSubtrees(6, 3, 6));
        assertEquals(List.of(new Span(0, 6)), ReductionTree.maximalSubtrees(6, 0, 6));
    }

    @Test
    void rejectsWhatIsNotInTheTree() {
        assertThrows(IllegalArgumentException.class, () -> ReductionTree.maximalSubtrees(4, 2, 5));
        assertThrows(IllegalArgumentException.class, () -> ReductionTree.maximalSubtrees(4, 2, 2));
        assertThrows(IllegalArgumentException.class, () -> ReductionTree.isRightChild(4, new Span(1, 2)));
        assertThrows(IllegalStateException.class, () -> new Span(3, 1).left());
    }
}
