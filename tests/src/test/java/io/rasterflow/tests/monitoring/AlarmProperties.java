package io.rasterflow.tests.monitoring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.monitoring.alarm.Alarms;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.event.Ledger;
import java.util.List;
import java.util.Random;
import java.util.function.UnaryOperator;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/** Runs at random: what goes well raises nothing, and what is read from a journal is judged as if it had been seen. */
class AlarmProperties {

    private static final int STEPS = 5_000;
    private static final int WARMUP = 120;

    @Property(tries = 15)
    void aRunThatGoesWellRaisesNothing(@ForAll long seed) {
        WatchedRun run = new WatchedRun(seed).start(0, STEPS);
        Random random = new Random(~seed);
        double floor = 0.1 + random.nextDouble();
        double reducible = (0.5 + 2 * random.nextDouble()) * floor;
        double exponent = 0.4 + 0.8 * random.nextDouble();
        double noise = 0.002 + 0.05 * random.nextDouble();
        double validationNoise = 0.002 * random.nextDouble();
        run.validation(floor + reducible);
        while (run.step < STEPS) {
            run.steps(1, healthy(run, random, floor, reducible, exponent, noise));
            if (run.step % 500 == 0) {
                run.validation(
                        law(run.step, floor, reducible, exponent) * (1 + validationNoise * random.nextGaussian()));
                run.add(new Event.Checkpoint(run.now, "trainer-0", run.step, "d", "", 50_000_000, 0.2));
                run.add(new Event.Disk(run.now, "trainer-0", "runs/x", 40_000_000_000L, 500_000_000_000L));
                run.idle(60);
            }
        }
        run.idle(3_600);
        run.add(new Event.RunEnded(run.now, "main", STEPS, "completed", ""));
        assertEquals(List.of(), run.said);
    }

    private static double law(long step, double floor, double reducible, double exponent) {
        return floor + reducible * Math.pow(1 + step / 100.0, -exponent);
    }

    /** Falling loss and gradients, a cosine, a pause in every hundredth step, seldom a late batch. */
    private static UnaryOperator<WatchedRun.Shown> healthy(
            WatchedRun run, Random random, double floor, double reducible, double exponent, double noise) {
        double loss = law(run.step, floor, reducible, exponent) * (1 + noise * random.nextGaussian());
        double norm = (0.2 + law(run.step, 0, 5, exponent)) * Math.exp(0.3 * random.nextGaussian());
        double rate = run.step < WARMUP
                ? 1e-3 * (run.step + 1) / WARMUP
                : 5e-4 * (1 + Math.cos(Math.PI * (run.step - WARMUP) / (STEPS - WARMUP)));
        return shown -> {
            Ledger l = shown.ledger();
            double pause = random.nextInt(100) == 0 ? 20 : 1;
            double late = random.nextInt(20) == 0 ? 2 : 0;
            return shown.loss(loss)
                    .gradientNorm(norm)
                    .learningRate(rate)
                    .ledger(new Ledger(
                            l.fetch() + late, l.decode(), l.waiting(), l.compute() * pause, l.exchange(), l.update()));
        };
    }

    @Property(tries = 15)
    void aMonitorThatReadsTheJournalGoesOnWhereTheOtherLeftOff(@ForAll long seed) {
        WatchedRun run = new WatchedRun(seed).start(0, 100_000);
        Random random = new Random(seed);
        run.steps(250);
        troubles(run, random, 8);
        Alarms reader = new Alarms(WatchedRun.config(), "main");
        run.journal.forEach(reader::replay);
        int before = run.journal.size();
        troubles(run, random, 8);
        List<Event> rest = run.journal.subList(before, run.journal.size());
        List<Event.Alarm> expected = rest.stream()
                .filter(Event.Alarm.class::isInstance)
                .map(Event.Alarm.class::cast)
                .toList();
        List<Event.Alarm> said = rest.stream()
                .filter(event -> !(event instanceof Event.Alarm))
                .flatMap(event -> reader.add(event, event.timeMillis()).stream())
                .toList();
        assertEquals(expected, said);
        assertTrue(run.said.size() >= 4, "too little happened: " + run.said);
    }

    private static void troubles(WatchedRun run, Random random, int count) {
        for (int i = 0; i < count; i++) {
            int length = 1 + random.nextInt(300);
            double by = 2 + 8 * random.nextDouble();
            switch (random.nextInt(6)) {
                case 0 -> run.steps(1, shown -> shown.loss(shown.loss() * by));
                case 1 -> run.steps(length, shown -> shown.loss(shown.loss() * by));
                case 2 -> run.steps(length, shown -> shown.gradientNorm(0));
                case 3 -> run.steps(length, shown -> shown.ledger(new Ledger(by, 0, 0, 0.5, 0.1, 0.05)));
                case 4 -> run.add(new Event.Disk(run.now, "trainer-1", "x", (long) (by * 5e8), 1L << 40));
                default -> run.validation(by);
            }
            run.steps(random.nextInt(200));
        }
    }
}
