package io.rasterflow.tests.endtoend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/** What {@code audit} says of a real run of two trainer processes; takes one's journal away. */
final class Audits {

    private Audits() {}

    static void assertProvedUntilAJournalIsGone(Rasterflow rasterflow, Path run, long positions) throws Exception {
        Rasterflow.Result audited = rasterflow.run("audit", "--run", run, "--json");
        assertEquals(0, audited.exit(), audited.text());
        JsonNode json = audited.json();
        assertTrue(json.get("passed").asBoolean());
        assertEquals(positions, json.get("positions").asLong());
        assertEquals(0, json.get("missing").asLong());
        assertEquals(0, json.get("duplicated").asLong());
        assertEquals(0, json.get("quarantined").asLong());
        assertEquals("completed", json.get("outcome").asText());
        assertTrue(audited.out().contains("positions was used exactly once"), audited.text());

        delete(run.resolve("journal/trainer-2"));
        Rasterflow.Result torn = rasterflow.run("audit", "--run", run, "--json");
        assertEquals(1, torn.exit(), torn.text());
        assertEquals(0, torn.json().get("missing").asLong());
        assertEquals(positions / 2, torn.json().get("unprovable").asLong());
        assertTrue(torn.out().contains("rank 1 left no journal"), torn.text());
        assertTrue(torn.out().contains("positions cannot be proved any more"), torn.text());
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
