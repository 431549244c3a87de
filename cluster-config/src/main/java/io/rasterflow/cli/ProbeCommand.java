package io.rasterflow.cli;

import io.rasterflow.actors.probe.Evaluation;
import io.rasterflow.actors.probe.ProbeSet;
import io.rasterflow.actors.probe.Probed;
import io.rasterflow.actors.run.RunPlan;
import io.rasterflow.model.checkpoint.Checkpoint;
import io.rasterflow.model.probe.ProbeConfig;
import io.rasterflow.model.probe.ProbeKind;
import io.rasterflow.model.probe.ProbeReport;
import io.rasterflow.model.probe.ProbeReports;
import io.rasterflow.model.program.Engines;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.journal.Journal;
import io.rasterflow.monitoring.journal.Journals;
import io.rasterflow.streams.shard.DataSet;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code rasterflow probe}: evaluates the frozen features of a checkpoint. */
@Command(
        name = "probe",
        description = "Puts an attentive, linear or nearest-neighbour probe on the frozen features of a checkpoint.")
final class ProbeCommand implements Callable<Integer> {

    @Option(names = "--run", required = true, paramLabel = "DIR", description = "Run directory.")
    private Path run;

    @Option(names = "--step", description = "Checkpoint; default: the latest.")
    private Long step;

    @Option(
            names = "--data",
            split = ",",
            paramLabel = "SHARDS",
            description = "Labelled validation shards; default: those of the run.")
    private List<String> data = List.of();

    @Option(
            names = "--set",
            paramLabel = "NAME",
            description = "Labelled set of probe.sets; default: the training and validation images of the run.")
    private String set;

    @Option(
            names = "--kind",
            paramLabel = "attentive|linear|knn",
            description = "What is put on the features; default: probe.kind of the run.")
    private ProbeKind kind;

    @Option(
            names = "--layers",
            paramLabel = "LAYERS",
            description =
                    "Blocks whose outputs are averaged: last6 (or another number), best6, each (every block in turn),"
                            + " or counted from 0 such as 3-5,7; default: those of the run for this kind.")
    private String layers;

    @Option(
            names = "--grid",
            description = "Tries the paper's seven learning rates; the best on held-out training images is taken.")
    private boolean grid;

    @Option(names = "--out", paramLabel = "FILE", description = "Writes the full report, with all tables, as JSON.")
    private Path out;

    @Option(
            names = "--weights",
            paramLabel = "model|ema",
            description =
                    "The weights of the step or their moving average; default: the average where the run keeps one.")
    private Weights weights;

    private enum Weights {
        MODEL,
        EMA
    }

    @Option(names = "--json", description = "Prints one JSON object as the last line.")
    private boolean json;

    @Parameters(
            arity = "0..*",
            paramLabel = "key=value",
            description = "Overrides, such as probe.attentive.epochs=20 or probe.learningRates=[1e-3,3e-3].")
    private List<String> overrides = new ArrayList<>();

    @Override
    public Integer call() throws IOException {
        Engines.configure(Runtime.getRuntime().availableProcessors());
        RunPlan plan = Checkpoints.config(run, overrides()).plan(run, false);
        Path checkpoint = Checkpoints.find(run, step);
        ActorSystem<Void> system = ActorSystem.create(Behaviors.empty(), "probe");
        try (DataSet validation = data.isEmpty()
                        ? plan.data().openValidation()
                        : plan.data().open(data);
                ProbeSet probed = probed(plan, validation);
                Evaluation evaluation = new Evaluation(system, "probe", plan, validation)) {
            boolean average = weights == null ? plan.optimizer().averages() : weights == Weights.EMA;
            evaluation.load(checkpoint, average);
            Event.Validation loss = evaluation.validate(Checkpoint.step(checkpoint));
            Progress progress = new Progress(System.out, "features");
            ProbeKind asked = kind == null ? plan.probe().kind() : kind;
            Probed result =
                    evaluation.probeLayers(probed, List.of(asked), progress::at).get(0);
            ProbeReports reports = result.reports();
            progress.clear();
            System.out.printf(
                    Locale.ROOT,
                    "step %d%s · validation loss %.4f · ",
                    loss.step(),
                    average ? ", averaged weights" : "",
                    loss.loss());
            ProbeText.print(System.out, reports);
            int sets = set == null ? 1 : plan.probe().sets().size();
            journal(loss, result, plan.probe().kind(), sets);
            if (out != null) {
                Files.writeString(out, Json.line(fields(loss, ProbeText.full(reports))) + "\n");
            }
            if (json) {
                System.out.println(Json.line(fields(loss, ProbeText.summary(reports))));
            }
        } finally {
            system.terminate();
        }
        return 0;
    }

    private ProbeSet probed(RunPlan plan, DataSet validation) throws IOException {
        return set == null
                ? new ProbeSet(
                        "", plan.data().openTrain(), validation, plan.probe().classes())
                : ProbeSet.open(plan.probe().set(set), plan.data());
    }

    /** Beside what the run has probed itself; a run without journals, as of imported weights, gets none. */
    private void journal(Event.Validation loss, Probed result, ProbeKind judging, int sets) {
        if (!Journals.exist(run)) {
            return;
        }
        try (Journal journal = Journal.open(run, Event.Probe.VERB)) {
            String label = label(result.reports().chosen());
            journal.append(result.event(
                    System.currentTimeMillis(),
                    Event.Probe.VERB,
                    loss.step(),
                    label,
                    loss.loss(),
                    set == null ? "" : set,
                    sets,
                    !label.equals(judging.label())));
        } catch (IOException e) {
            System.err.println("not journalled: " + e.getMessage());
        }
    }

    /**
     * The kind, and whatever else was asked for otherwise than the run does: accuracies of one kind can be compared. Of
     * settings that are not the probe's the value is left out, since it may be a secret.
     */
    private String label(ProbeReport report) {
        List<String> words = new ArrayList<>(List.of(report.kind().label()));
        if (!data.isEmpty()) {
            words.add("--data " + data.stream().map(ProbeCommand::fileName).collect(Collectors.joining(",")));
        }
        if (layers != null) {
            words.add("--layers " + layers);
        }
        if (grid) {
            words.add("--grid");
        }
        if (weights != null) {
            words.add("--weights " + weights.name().toLowerCase(Locale.ROOT));
        }
        overrides.forEach(given -> words.add(given.startsWith("probe.") ? given : given.replaceFirst("=.*", "=…")));
        return String.join(" ", words);
    }

    /** Of a path or a URI, whose query may be a secret. */
    private static String fileName(String shard) {
        return shard.replaceFirst("\\?.*", "").replaceFirst(".*/(?=[^/])", "");
    }

    /** The options are overrides too, so that they are checked in the same place. */
    private List<String> overrides() {
        List<String> all = new ArrayList<>(overrides);
        if (layers != null) {
            all.add("probe.layers=\"" + layers + "\"");
            Stream.of(ProbeKind.values())
                    .forEach(one -> all.add("probe.also." + one.label() + ".layers=\"" + layers + "\""));
        }
        if (grid) {
            all.add("probe.learningRates=" + ProbeConfig.PAPER_RATES);
        }
        return all;
    }

    private static Map<String, Object> fields(Event.Validation loss, Map<String, Object> probe) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("step", loss.step());
        fields.put("weights", loss.weights());
        fields.put("validationLoss", loss.loss());
        fields.putAll(probe);
        return fields;
    }
}
