package io.rasterflow.launch;

import io.rasterflow.actors.coordinator.Coordinator;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.event.Ledger;
import io.rasterflow.monitoring.monitor.RunSummary;
import io.rasterflow.monitoring.plot.Words;
import io.rasterflow.monitoring.science.ProbePoint;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/** What is printed when a run is over. */
public final class Summary {

    private Summary() {}

    /** For people. */
    public static void print(
            PrintStream out, RunSummary summary, Coordinator.Outcome outcome, Path runDirectory, double seconds) {
        out.printf(
                Locale.ROOT, "%n%s after %d steps in %s%n", outcome.outcome(), outcome.step(), Words.duration(seconds));
        line(out, "training loss", "%.4f → %.4f", summary.trainLossFirst(), summary.trainLossLast());
        line(
                out,
                "validation loss",
                "%.4f → %.4f%s",
                summary.validationLossFirst(),
                summary.validationLossLast(),
                summary.weights().equals(Event.Validation.EMA) ? " (averaged weights, probes too)" : "");
        line(
                out,
                "probe",
                "%.2f %% untrained → %.2f %%%s",
                100 * summary.probeUntrained(),
                100 * summary.probe(),
                summary.sets().isEmpty() ? "" : ", mean of " + summary.sets().size() + " sets");
        summary.sets().forEach((set, accuracy) -> out.printf(Locale.ROOT, "    %-36s %.2f %%%n", set, 100 * accuracy));
        summary.beside()
                .forEach((kind, gain) -> out.printf(
                        Locale.ROOT,
                        "    %-36s %.2f %% untrained → %.2f %%%n",
                        kind + ", beside it",
                        100 * gain.untrained(),
                        100 * gain.trained()));
        for (ProbePoint probe : summary.probes()) {
            out.printf(
                    Locale.ROOT,
                    "    step %6d    validation loss %.4f    accuracy %.2f %%%n",
                    probe.step(),
                    probe.validationLoss(),
                    100 * probe.accuracy());
        }
        if (Double.isNaN(summary.correlation())) {
            line(out, "correlation", "needs 3 probes, there are %d", summary.correlationPoints());
        } else {
            line(
                    out,
                    "correlation",
                    "r = %.3f between validation loss and accuracy (%d probes)",
                    summary.correlation(),
                    summary.correlationPoints());
        }
        line(out, "throughput", "%.0f images/s, world size %d", summary.imagesPerSecond(), summary.worldSize());
        Ledger part = summary.shares();
        line(
                out,
                "step time",
                "fetch %.1f %%, decode %.1f %%, wait %.1f %%, compute %.1f %%, exchange %.1f %%, update %.1f %%",
                100 * part.fetch(),
                100 * part.decode(),
                100 * part.waiting(),
                100 * part.compute(),
                100 * part.exchange(),
                100 * part.update());
        String what = "probes' cost";
        for (String words : summary.probeCost().words()) {
            line(out, what, "%s", words);
            what = "";
        }
        if (summary.badSamples() > 0) {
            line(out, "bad samples", "%d skipped and replaced", summary.badSamples());
        }
        line(out, "run directory", "%s", runDirectory);
    }

    private static void line(PrintStream out, String what, String format, Object... values) {
        out.printf(Locale.ROOT, "  %-16s %s%n", what, String.format(Locale.ROOT, format, values));
    }

    /** What the run came to in numbers, by the names of the command line's contract. */
    public static Map<String, Object> measured(RunSummary summary) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("trainLossFirst", summary.trainLossFirst());
        fields.put("trainLossLast", summary.trainLossLast());
        fields.put("validationLossFirst", summary.validationLossFirst());
        fields.put("validationLoss", summary.validationLossLast());
        fields.put("probeUntrained", summary.probeUntrained());
        fields.put("probe", summary.probe());
        fields.put("probeSets", summary.sets());
        Map<String, Double> beside = new LinkedHashMap<>();
        summary.beside().forEach((kind, gain) -> beside.put(kind, gain.trained()));
        fields.put("probesBeside", beside);
        fields.put("probeSeconds", summary.probeCost().seconds());
        fields.put("probeSlowdown", summary.probeCost().slowdown().value());
        fields.put("probeLost", summary.probeCost().lost().value());
        fields.put("correlation", summary.correlation());
        fields.put("correlationPoints", summary.correlationPoints());
        fields.put("imagesPerSecond", summary.imagesPerSecond());
        fields.put("worldSize", summary.worldSize());
        fields.put("badSamples", summary.badSamples());
        return fields;
    }

    /** For scripts: the fields of the command line's contract first, more beside them. */
    public static Map<String, Object> fields(RunSummary summary, Coordinator.Outcome outcome, Path runDirectory) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("run", runDirectory.toString());
        fields.put("outcome", outcome.outcome());
        fields.put("steps", outcome.step());
        fields.putAll(measured(summary));
        fields.put("weights", summary.weights());
        fields.put("weightsSha256", outcome.weightsSha256());
        return fields;
    }
}
