package io.rasterflow.tests.monitoring;

import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.event.Event.RunStarted.Experiment;
import io.rasterflow.monitoring.journal.Journal;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Runs of models of several sizes, whose losses and accuracies follow a law but for a little. */
final class SizedRun {

    private static final int STEPS = 100;

    private SizedRun() {}

    /** @param objective what its loss measures */
    static List<Event> events(long parameters, String objective) {
        List<Event> events = new ArrayList<>();
        events.add(new Event.RunStarted(
                SampleRun.at(0),
                "main",
                "sized-" + parameters,
                0,
                STEPS,
                256,
                parameters,
                20_000,
                1,
                "fp32",
                "",
                new Experiment(objective, "validation.tar", 6.0 * parameters),
                null,
                null));
        double wobble = 0.004 * Math.sin(parameters);
        double last = 0.3 + Math.pow(5e3 / parameters, 0.5) + wobble;
        for (long step = 0; step <= STEPS; step += STEPS / 2) {
            double loss = last + 0.4 * (STEPS - step) / STEPS;
            double accuracy = 0.9 - 0.2 * loss + wobble;
            events.add(new Event.Validation(SampleRun.at(step), "main", step, loss, 5_000, 1, "model"));
            events.add(new Event.Probe(
                    SampleRun.at(step), "main", step, "attentive", accuracy, loss, 2_000, 5_000, 1, "", 1));
        }
        return events;
    }

    /** Its journal. */
    static void write(Path directory, long parameters, String objective) throws IOException {
        try (Journal journal = Journal.open(directory, "main")) {
            events(parameters, objective).forEach(journal::append);
        }
    }
}
