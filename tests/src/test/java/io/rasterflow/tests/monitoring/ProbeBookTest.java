package io.rasterflow.tests.monitoring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.event.EventJson;
import io.rasterflow.monitoring.monitor.RunState;
import io.rasterflow.monitoring.monitor.RunStatus;
import io.rasterflow.monitoring.science.ProbeBook;
import io.rasterflow.monitoring.science.ProbePoint;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ProbeBookTest {

    private final ProbeBook book = new ProbeBook();

    private void add(long step, String set, int sets, double accuracy) {
        book.add(probe(step, set, sets, accuracy));
    }

    private static Event.Probe probe(long step, String set, int sets, double accuracy) {
        double loss = 1.0 / (1 + step);
        return new Event.Probe(step, "main", step, "linear", accuracy, loss, 500, 100, 1, set, sets);
    }

    private List<String> averages() {
        return book.points().stream()
                .filter(point -> point.set().equals(ProbePoint.AVERAGE))
                .map(point -> point.step() + " " + point.accuracy())
                .toList();
    }

    @Test
    void theMeanIsOverAllSetsOnceAllAreThere() {
        add(0, "pets", 2, 0.25);
        assertEquals(List.of(), averages());
        assertEquals(Map.of(), book.accuracies(0), "one of two sets stands for none");
        assertEquals("linear pets", book.main().orElseThrow().label());
        add(0, "cars", 2, 0.75);
        assertEquals(List.of("0 0.5"), averages());
        assertEquals(Map.of("linear", 0.5), book.accuracies(0));
        assertEquals("linear average", book.main().orElseThrow().label());
        ProbePoint average = book.points(book.main().orElseThrow()).get(0);
        assertEquals(200, average.validationImages());
        assertEquals(Math.sqrt(2 * 0.25 * 0.75 / 100) / 2, average.error(), 1e-12);
        add(0, "cars", 2, 0.25);
        assertEquals(List.of("0 0.25"), averages(), "a probe made again takes the place of the first");
        add(10, "pets", 2, 0.5);
        assertEquals(List.of("0 0.25"), averages());
        add(10, "cars", 2, 0.5);
        assertEquals(List.of("0 0.25", "10 0.5"), averages());
        book.truncate(0);
        assertEquals(List.of("0 0.25"), averages());
    }

    @Test
    void meansOverOtherSetsAreNotCompared() {
        add(0, "pets", 2, 0.25);
        add(0, "cars", 2, 0.75);
        add(10, "pets", 3, 0.25);
        add(10, "cars", 3, 0.5);
        assertEquals(List.of("0 0.5"), averages());
        add(10, "food", 3, 0.75);
        assertEquals(List.of("10 0.5"), averages());
        assertEquals(2, book.points(new ProbePoint.Series("linear", "pets")).size());
    }

    @Test
    void aLongRunKeepsTheUntrainedAndTheNewest() {
        for (int step = 0; step < 2_100; step++) {
            add(step, "", 1, 0.5);
        }
        assertEquals(2_000, book.points().size());
        assertEquals(0, book.points().get(0).step());
        assertEquals(2_099, book.points().get(1_999).step());
    }

    @Test
    void aProbeOfAnOlderProgramIsOfOneSetWithoutAName() throws Exception {
        String older = "{\"v\":1,\"type\":\"probe\",\"step\":4,\"kind\":\"linear\",\"accuracy\":0.5}";
        Event.Probe probe = (Event.Probe)
                EventJson.read(older.getBytes(StandardCharsets.UTF_8)).orElseThrow();
        assertEquals("", probe.set());
        assertEquals(1, probe.sets());
        assertEquals("linear probe", probe.words());
        assertFalse(probe.beside());
        assertEquals(List.of(), probe.layers());
        assertTrue(Double.isNaN(probe.cpuSeconds()));
        book.add(probe);
        assertEquals(Map.of("linear", 0.5), book.accuracies(4));
    }

    private static Event.Probe beside(long step, String set, int sets, double accuracy) {
        List<Event.Probe.Layer> layers =
                List.of(new Event.Probe.Layer("0", accuracy / 2, false), new Event.Probe.Layer("1", accuracy, true));
        double loss = 1.0 / (1 + step);
        return new Event.Probe(step, "main", step, "knn", accuracy, loss, 500, 100, 1, set, sets, true, layers, 0.75);
    }

    @Test
    void aProbeBesideOthersNeverJudgesTheRun() throws Exception {
        RunState state = new RunState();
        // It comes first, more often, and with a mean over sets.
        for (int step = 0; step < 8; step++) {
            state.apply(beside(step, "pets", 2, 0.9 - 0.1 * step));
            state.apply(beside(step, "cars", 2, 0.9 - 0.1 * step));
            if (step % 2 == 1) {
                state.apply(probe(step, "pets", 2, 0.1 * step));
                if (step > 1) {
                    state.apply(probe(step, "cars", 2, 0.1 * step));
                }
            }
        }
        RunStatus status = state.status();
        assertEquals(
                List.of("3 linear average", "5 linear average", "7 linear average"),
                status.mainProbes().stream()
                        .map(point -> point.step() + " " + point.series().label())
                        .toList());
        assertEquals(3, status.correlation().points());
        assertTrue(status.correlation().pearson() < 0, status.correlation().toString());
        assertEquals(0.7, state.summary().probe(), 1e-12);
        assertEquals(0.9, state.summary().beside().get("knn").untrained(), 1e-12);
        assertEquals(0.2, state.summary().beside().get("knn").trained(), 1e-12);
        assertEquals(List.of("knn"), List.copyOf(state.summary().beside().keySet()));

        Event.Probe probe = beside(4, "", 1, 0.5);
        assertEquals("knn probe (block 1, best of 2)", probe.words());
        assertEquals(probe, EventJson.read(EventJson.write(probe)).orElseThrow());
    }

    @Test
    void theRunIsJudgedByTheMeanAndEachSetHasAFindingOfItsOwn() {
        RunState state = new RunState();
        for (int step = 0; step < 4; step++) {
            state.apply(probe(step, "pets", 2, 0.1 * step));
            state.apply(probe(step, "cars", 2, step % 2 == 0 ? 0.5 : 0.4));
        }
        RunStatus status = state.status();
        assertEquals(
                List.of("cars", "pets"),
                status.sets().stream().map(RunStatus.SetFinding::set).sorted().toList());
        RunStatus.SetFinding pets = status.sets().get(0);
        assertEquals("pets", pets.set());
        assertTrue(pets.correlation().pearson() < -0.8, pets.toString());
        assertEquals(4, status.correlation().points());
        assertEquals(0.35, status.mainProbes().get(3).accuracy(), 1e-12);
        assertTrue(
                status.correlation().pearson() > pets.correlation().pearson(),
                status.correlation().toString());
        assertEquals(0.35, state.summary().probe(), 1e-12);
        assertEquals(0.25, state.summary().probeUntrained(), 1e-12);
        assertEquals(0.3, state.summary().sets().get("pets"), 1e-12);
    }
}
