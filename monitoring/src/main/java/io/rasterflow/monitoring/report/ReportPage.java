package io.rasterflow.monitoring.report;

import static io.rasterflow.monitoring.plot.Words.bytes;
import static io.rasterflow.monitoring.plot.Words.duration;
import static io.rasterflow.monitoring.plot.Words.format;
import static io.rasterflow.monitoring.plot.Words.loss;
import static io.rasterflow.monitoring.plot.Words.percent;
import static io.rasterflow.monitoring.plot.Words.time;

import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.event.Ledger;
import io.rasterflow.monitoring.images.Sheet;
import io.rasterflow.monitoring.monitor.Notable;
import io.rasterflow.monitoring.monitor.RunStatus;
import io.rasterflow.monitoring.plot.HtmlPage;
import io.rasterflow.monitoring.science.ProbePoint;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** The report as a page in one file. */
public final class ReportPage {

    /** Rows of the lists of causes and shards. */
    private static final int ROWS = 20;

    private final RunHistory history;
    private final RunStatus status;
    private final HtmlPage page;

    private ReportPage(RunHistory history) {
        this.history = history;
        this.status = history.status();
        this.page = new HtmlPage("Report of " + (status.run().isEmpty() ? "a run" : status.run()));
    }

    /**
     * HTML that loads nothing and runs no script.
     *
     * @param configuration text of {@code config.conf}; empty when there is none
     * @param others runs to compare it with, by what they are called; none to leave that out
     */
    public static String render(RunHistory history, Optional<String> configuration, Map<String, RunHistory> others) {
        ReportPage report = new ReportPage(history);
        report.page.section("Conclusions").list(Conclusions.of(history));
        report.plots();
        if (!others.isEmpty()) {
            Map<String, RunHistory> all = new LinkedHashMap<>();
            all.put("this run", history);
            all.putAll(others);
            new ComparedRuns(all).addTo(report.page);
            new RunsTogether(all).addTo(report.page);
        }
        report.validations();
        report.predictions();
        report.ranks();
        report.usages();
        report.data();
        report.quarantine();
        report.events();
        report.environment();
        report.page.section("Configuration");
        configuration.ifPresentOrElse(
                text -> report.page.block(Redaction.of(text)),
                () -> report.page.paragraph("The run directory holds no config.conf."));
        return report.page.render();
    }

    private void plots() {
        page.section("Plots");
        List<String> plots = new ArrayList<>();
        List<String> none = new ArrayList<>();
        ReportPlots.of(history).forEach((name, svg) -> {
            if (svg.isEmpty()) {
                none.add(name);
            } else {
                plots.add(svg);
            }
        });
        page.plots(plots);
        if (!none.isEmpty()) {
            page.paragraph("Not journalled, so not shown: " + String.join(", ", none) + ".");
        }
    }

    private void validations() {
        List<Event.Validation> validations = history.validations();
        List<ProbePoint.Series> probed = history.probed();
        if (validations.isEmpty() && probed.isEmpty()) {
            return;
        }
        page.section("Validations and probes");
        List<String> heads = new ArrayList<>(List.of("step", "validation loss"));
        probed.forEach(series -> heads.add(series.label()));
        List<List<String>> rows = new ArrayList<>();
        List<Long> steps =
                new ArrayList<>(validations.stream().map(Event.Validation::step).toList());
        status.probes().forEach(probe -> steps.add(probe.step()));
        for (long step : steps.stream().distinct().sorted().toList()) {
            List<String> row = new ArrayList<>(List.of(format("%,d", step)));
            row.add(validations.stream()
                    .filter(validation -> validation.step() == step)
                    .map(validation -> loss(validation.loss()))
                    .findFirst()
                    .orElse("-"));
            probed.forEach(series -> row.add(history.probes(series).stream()
                    .filter(probe -> probe.step() == step)
                    .map(probe -> percent(probe.accuracy()))
                    .findFirst()
                    .orElse("-")));
            rows.add(row);
        }
        page.numbers(heads, rows);
    }

    private void predictions() {
        history.picture().ifPresent(picture -> {
            Sheet about = picture.about();
            page.section("Predictions");
            page.paragraph(format(
                    "Of %d validation images at step %,d, from the left: %s. Every patch is predicted from the true patches"
                            + " that the model has seen, and drawn with their mean and contrast where targets are normalised;"
                            + " faint patches were shown to it. The loss of a patch is black at 0 and pale yellow at %.2g or"
                            + " more.%s",
                    about.images().size(),
                    about.step(),
                    String.join(", ", about.panels()),
                    about.worst(),
                    about.attended()
                            ? " Attention is what the query of the probe takes of each patch, mean of its heads: black"
                                    + " nothing, pale yellow the most."
                            : ""));
            page.picture(
                    picture.png(),
                    "What the model predicts of " + about.images().size() + " images");
        });
    }

    private void ranks() {
        if (status.ranks().isEmpty()) {
            return;
        }
        page.section("Where the time went");
        page.paragraph(
                "Of the wall clock of each rank's steps; pauses between steps are not in it. Slowness is a rank's own"
                        + " time per micro-batch over that of the others, at the end.");
        List<String> heads = new ArrayList<>(List.of("rank", "steps", "seconds a step"));
        heads.addAll(Ledger.PARTS.keySet());
        heads.add("slowness");
        List<List<String>> rows = new ArrayList<>();
        for (RunStatus.RankTime rank : status.ranks()) {
            double total = rank.total().total();
            List<String> row = new ArrayList<>();
            row.add(rank.rank() + " (" + rank.node() + ")");
            row.add(format("%,d", rank.steps()));
            row.add(format("%.3f", total / rank.steps()));
            Ledger.PARTS.values().forEach(part -> row.add(percent(part.applyAsDouble(rank.total()) / total)));
            row.add(Double.isNaN(rank.slowdown()) ? "-" : format("%.2f", rank.slowdown()));
            rows.add(row);
        }
        page.numbers(heads, rows);
    }

    private void usages() {
        if (history.usages().isEmpty()) {
            return;
        }
        page.section("Processor and memory");
        page.paragraph(
                "The mean share of its cores that the process of each node took, the most memory that it held, its"
                        + " heap included, the least that its machine had left, and the most that all processes took of each GPU.");
        page.numbers(
                List.of("node", "processor", "memory", "heap", "machine had left", "GPU memory"),
                history.usages().stream()
                        .map(node -> List.of(
                                node.node(),
                                percent(node.processCpu()),
                                size(node.residentBytes()),
                                size(node.heapBytes()),
                                size(node.availableBytes()),
                                node.gpus().isEmpty() ? "-" : gpus(node.gpus())))
                        .toList());
    }

    private static String gpus(List<Event.Usage.Gpu> gpus) {
        return gpus.stream()
                .map(gpu -> gpu.device() + ": " + size(gpu.usedBytes()) + " of " + size(gpu.totalBytes()))
                .collect(Collectors.joining(", "));
    }

    /** Of what nobody told there is no size. */
    private static String size(long bytes) {
        return bytes < 0 ? "-" : bytes(bytes);
    }

    private void data() {
        page.section("Data");
        page.paragraph(format(
                "%,d images in an epoch; %,d were trained on, %.2f epochs.",
                status.trainImages(), status.imagesDone(), status.epoch()));
        // Sources are counted over the whole run, so the node that spoke last knows all.
        status.inputs().stream()
                .max(Comparator.comparingLong(Event.Input::timeMillis))
                .filter(input -> !input.sources().isEmpty())
                .ifPresent(input -> page.numbers(
                        List.of("source", "images", "epochs"),
                        input.sources().stream()
                                .map(source -> List.of(
                                        source.name(), format("%,d", source.images()), format("%.2f", source.epoch())))
                                .toList()));
        if (!status.curated().isEmpty()) {
            page.paragraph("Left out by curation when the shards were indexed:");
            page.words(
                    List.of("source", "shards", "used", "left out, by cause"),
                    status.curated().stream()
                            .map(source -> List.of(
                                    source.source(),
                                    format("%,d", source.shards()),
                                    format("%,d", source.samples()),
                                    source.causes().entrySet().stream()
                                            .map(cause -> format("%s %,d", cause.getKey(), cause.getValue()))
                                            .collect(Collectors.joining(", "))))
                            .toList());
        }
        List<List<String>> stages = new ArrayList<>();
        for (Event.Input input : status.inputs()) {
            for (Event.Input.Stage stage : input.stages()) {
                stages.add(List.of(
                        input.node() + ": " + stage.name(),
                        format("%,d", stage.items()),
                        bytes(stage.bytes()),
                        format("%.1f", stage.seconds())));
            }
        }
        if (!stages.isEmpty()) {
            page.numbers(List.of("stage of a node's last start", "items", "bytes", "seconds"), stages);
        }
    }

    private void quarantine() {
        Quarantined quarantined = history.quarantined();
        if (quarantined.count() == 0) {
            return;
        }
        page.section("Quarantine");
        page.paragraph(format("%,d samples could not be used; others took their places.", quarantined.count()));
        counts("cause", quarantined.causes());
        counts("shard", quarantined.shards());
        page.paragraph(format("The first %d one by one:", quarantined.first().size()));
        page.words(
                List.of("step", "shard", "offset", "key", "cause"),
                quarantined.first().stream()
                        .map(sample -> List.of(
                                format("%,d", sample.step()),
                                sample.shard(),
                                format("%,d", sample.offset()),
                                sample.key(),
                                sample.cause()))
                        .toList());
        Map<String, byte[]> pictures = new LinkedHashMap<>();
        quarantined.first().forEach(sample -> quarantined
                .picture(sample)
                .ifPresent(png -> pictures.put(
                        format("%s of %s at step %,d", sample.key(), sample.shard(), sample.step()), png)));
        if (!pictures.isEmpty()) {
            page.paragraph("What can be decoded of them:").thumbnails(pictures);
        }
    }

    private void counts(String what, List<Map.Entry<String, Long>> counts) {
        page.numbers(
                List.of(what, "samples"),
                counts.stream()
                        .limit(ROWS)
                        .map(count -> List.of(count.getKey(), format("%,d", count.getValue())))
                        .toList());
        if (counts.size() > ROWS) {
            page.paragraph(format("and %,d more.", counts.size() - ROWS));
        }
    }

    private void events() {
        List<Notable> notables = history.notables();
        page.section("Events");
        page.paragraph(
                format("The last %d worth a line, of %,d events in the journals.", notables.size(), history.events()));
        page.words(
                List.of("time", "step", "node", "event"),
                notables.stream()
                        .map(line -> List.of(
                                time(line.timeMillis()),
                                line.step() < 0 ? "" : format("%,d", line.step()),
                                line.node(),
                                line.kind() + (line.count() > 1 ? " ×" + line.count() : "") + ": " + line.text()))
                        .toList());
    }

    private void environment() {
        page.section("Environment");
        List<List<String>> rows = new ArrayList<>();
        history.started().ifPresent(start -> {
            rows.add(List.of("started", time(start.timeMillis())));
            rows.add(List.of("parameters", format("%,d", start.parameters())));
            rows.add(List.of("precision", start.precision()));
            rows.add(List.of("batch", format("%,d images", start.globalBatch())));
            if (!start.origin().isEmpty()) {
                rows.add(List.of("begun from", start.origin()));
            }
            if (!start.experiment().objective().isEmpty()) {
                rows.add(List.of("objective", start.experiment().objective()));
                rows.add(List.of("validated on", start.experiment().validation()));
            }
        });
        rows.add(List.of("last event", time(status.lastMillis())));
        rows.add(List.of("from the last start to it", duration((status.lastMillis() - status.startedMillis()) / 1e3)));
        rows.add(List.of("ranks", Integer.toString(status.worldSize())));
        rows.add(List.of("generation", Long.toString(status.generation())));
        rows.add(List.of("checkpoints written", Long.toString(status.checkpoints())));
        page.words(List.of("what", "value"), rows);
        if (!history.machines().isEmpty()) {
            page.words(
                    List.of("node", "host", "system", "processor", "cores", "memory", "Java"),
                    history.machines().stream()
                            .map(machine -> List.of(
                                    machine.node(),
                                    machine.host(),
                                    machine.system(),
                                    machine.processor(),
                                    Integer.toString(machine.cores()),
                                    bytes(machine.memoryBytes()),
                                    machine.java()))
                            .toList());
        }
        page.words(
                List.of("node", "roles", "state", "last seen"),
                status.nodes().stream()
                        .map(node -> List.of(node.node(), node.roles(), node.state(), time(node.lastSeenMillis())))
                        .toList());
    }
}
