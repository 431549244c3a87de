package io.rasterflow.actors.plan;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.cbor.databind.CBORMapper;
import com.fasterxml.jackson.datatype.jdk8.Jdk8Module;
import io.rasterflow.actors.membership.Assignment;
import io.rasterflow.actors.membership.Order;
import io.rasterflow.actors.membership.Standing;
import java.util.HashMap;
import java.util.Map;

/**
 * How long control messages are: what the cluster's serialisation (CBOR) makes of them, and an envelope. All standings of a
 * generation are taken to be as long as the first, likewise all assignments.
 */
final class ControlBytes {

    /** Sender, recipient and class name. */
    private static final int ENVELOPE = 200;

    private final int fixed;
    private final ObjectMapper mapper = new CBORMapper().registerModule(new Jdk8Module());
    private final Map<Long, Integer> standings = new HashMap<>();
    private final Map<Long, Integer> assignments = new HashMap<>();

    /** @param fixed length of all messages; 0: their own */
    ControlBytes(int fixed) {
        this.fixed = fixed;
    }

    int of(Standing standing) {
        return fixed > 0
                ? fixed
                : standings.computeIfAbsent(standing.generationNumber(), generation -> length(standing));
    }

    int of(Order.ToTrainer order) {
        if (fixed == 0 && order instanceof Order.Form form) {
            Assignment assignment = form.assignment();
            return assignments.computeIfAbsent(assignment.generation().number(), number -> length(assignment));
        }
        return envelope();
    }

    private int length(Object message) {
        try {
            return ENVELOPE + mapper.writeValueAsBytes(message).length;
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a message cannot be encoded: " + e.getMessage(), e);
        }
    }

    /** A short message. */
    int envelope() {
        return fixed > 0 ? fixed : ENVELOPE;
    }
}
