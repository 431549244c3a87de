package io.rasterflow.actors.plan;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.cbor.databind.CBORMapper;
import com.fasterxml.jackson.datatype.jdk8.Jdk8Module;
import io.rasterflow.actors.membership.Order;
import io.rasterflow.actors.membership.Placement;
import io.rasterflow.actors.membership.Roster;
import io.rasterflow.actors.membership.Standing;
import java.util.HashMap;
import java.util.Map;

/**
 * How long control messages are: what the cluster's serialisation (CBOR) makes of them, and an envelope. All standings of a
 * generation are taken to be as long as the first, likewise all places that follow from the same generation.
 */
final class ControlBytes {

    /** Sender, recipient and class name. */
    private static final int ENVELOPE = 200;
    /** Whose standing it is and what it would train on, beside the standing. */
    private static final int TRAINER = 200;

    private final int fixed;
    private final ObjectMapper mapper = new CBORMapper().registerModule(new Jdk8Module());
    private final Map<Long, Integer> standings = new HashMap<>();
    private final Map<Follows, Integer> places = new HashMap<>();
    private final Map<Follows, Integer> expected = new HashMap<>();

    private record Follows(long number, long base) {}

    /** @param fixed length of all messages; 0: their own */
    ControlBytes(int fixed) {
        this.fixed = fixed;
    }

    int of(Standing standing) {
        return fixed > 0
                ? fixed
                : standings.computeIfAbsent(standing.generation(), generation -> TRAINER + length(standing));
    }

    int of(Roster roster) {
        return fixed > 0 ? fixed : length(roster);
    }

    int of(Order.ToTrainer order) {
        if (fixed == 0 && order instanceof Order.Form form) {
            Placement place = form.place();
            Follows follows =
                    new Follows(place.roster().number(), place.roster().base());
            return places.computeIfAbsent(follows, some -> length(place));
        }
        if (fixed == 0 && order instanceof Order.Expect expect) {
            Follows follows =
                    new Follows(expect.roster().number(), expect.roster().base());
            return expected.computeIfAbsent(follows, some -> length(expect.roster()));
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
