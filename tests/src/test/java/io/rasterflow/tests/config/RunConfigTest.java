package io.rasterflow.tests.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.actors.run.ProbePlan;
import io.rasterflow.actors.run.ProbeSetPlan;
import io.rasterflow.actors.run.RunPlan;
import io.rasterflow.config.ConfigException;
import io.rasterflow.config.RunConfig;
import io.rasterflow.model.probe.ProbeKind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RunConfigTest {

    private static RunConfig load(String... overrides) {
        return RunConfig.load("", List.of(overrides)).config();
    }

    private static String refusal(String... overrides) {
        String message =
                assertThrows(ConfigException.class, () -> load(overrides)).getMessage();
        assertEquals(1, message.lines().count(), message);
        return message;
    }

    @Test
    void defaultsDescribeTheMainJob() {
        RunConfig config = load();
        assertEquals(28, config.model().imageSize());
        assertEquals(16, config.model().patches());
        assertEquals(config.model().imageSize(), config.data().augment().size());
    }

    @Test
    void overridesReachEveryDepthAndWhatRefersToThem() {
        RunConfig config = load("model.trunk.dim=192", "train.steps=500", "model.imageSize=56", "train.warmupSteps=10");
        assertEquals(192, config.model().trunk().dim());
        assertEquals(500, config.train().steps());
        assertEquals(56, config.data().augment().size());
    }

    @Test
    void theLaterOfTwoOverridesWins() {
        assertEquals(7, load("train.seed=3", "train.seed=7").train().seed());
    }

    @Test
    void aShardPatternIsTakenAsItStands() {
        assertEquals(
                List.of("/data/train-{00..09}.tar.gz"),
                load("data.train=/data/train-{00..09}.tar.gz").data().train());
    }

    @ParameterizedTest
    @CsvSource({
        "train.step=5, train.steps",
        "model.trunk.dims=5, model.trunk.dim",
        "trian.steps=5, train.steps",
        "learningRate=1, learningRate",
        "model.dim=64, dim"
    })
    void anUnknownKeyNamesTheNearest(String override, String nearest) {
        String message = refusal(override);
        assertTrue(message.startsWith("unknown key " + override.substring(0, override.indexOf('='))), message);
        assertTrue(message.contains(nearest), message);
    }

    @ParameterizedTest
    @CsvSource({
        "train.steps=abc, train.steps must be a whole number",
        "train.steps=0, train.steps must be at least 1",
        "train.precision=fp8, train.precision must be one of",
        "model.trunk.heads=5, model.trunk.heads must divide",
        "model.patchSize=5, model.patchSize must divide",
        "train.microBatches=65, train.microBatches must be between",
        "monitor.port=70000, monitor.port must be between",
        "monitor.images=65, monitor.images must be between 0 and 64 but is 65",
        "probe.kind=forest, probe.kind must be one of [attentive, linear, knn] but is forest",
        "probe.layers=first3, probe.layers must be last6",
        "probe.classes=1, probe.classes must be at least 2 but is 1",
        "probe.learningRates=[], probe.learningRates must hold at least one rate",
        "'probe.learningRates=[1e-3,-1]', probe.learningRates must be above 0",
        "'probe.learningRates=[1e-3,1e-3]', probe.learningRates must differ",
        "probe.learningRates=fast, probe.learningRates must be a list",
        "probe.heldOut=1, probe.heldOut must be between 0 and 1 but is 1",
        "probe.cacheBytes=0, probe.cacheBytes must be at least 1",
        "probe.attentive.epochs=0, probe.attentive.epochs must be at least 1 but is 0",
        "probe.linear.batch=1, probe.linear.batch must be at least 2 but is 1",
        "probe.linear.weightDecay=-1, probe.linear.weightDecay must not be negative but is -1",
        "probe.knn.neighbours=0, probe.knn.neighbours must be at least 1 but is 0",
        "probe.knn.temperature=0, probe.knn.temperature must be at least 0.01 but is 0",
        "probe.batch=0, probe.batch must be at least 1",
        "probe.also.knn.everySteps=-1, everySteps of a probe in probe.also must be 0 (none) or more but is -1",
        "probe.also.knn.layers=top, probe.layers must be last6",
        "monitor.alarms.spikeDeviations=1, monitor.alarms.spikeDeviations must be in 3 to 1000 but is 1.0",
        "monitor.alarms.stallShare=2, monitor.alarms.stallShare must be between 0 and 1 but is 2.0",
        "monitor.price=-1, monitor.price must not be negative but is -1.0",
        "monitor.exports=[json], 'monitor.exports must be among [tensorboard, jsonl, csv] but has'",
        "monitor.journal.days=-1, monitor.journal.days must not be negative but is -1.0",
        "monitor.journal.bytes=-1, monitor.journal.bytes must not be negative but is -1",
        "monitor.alarms.hookMillis=0, monitor.alarms.hookMillis must be between 1 and 600000 but is 0",
        "monitor.alarms.webhook=ftp://h/x, 'must be an http:// or https:// URL, or env:NAME, but the 9 characters'",
        "monitor.alarms.off=[los-spike], monitor.alarms.off must consist of names of alarms but has",
        "monitor.alarms.command=[\"\"], monitor.alarms.command must begin with a program",
        "train.steps, not of the form key=value"
    })
    void aBadValueIsNamedWithWhatIsExpected(String override, String expected) {
        assertTrue(refusal(override).contains(expected), refusal(override));
    }

    @Test
    void anAddressNeedsNoQuotes() {
        assertEquals(
                "https://hooks.example/a//b#c",
                load("monitor.alarms.webhook=https://hooks.example/a//b#c")
                        .monitor()
                        .alarms()
                        .webhook());
        assertEquals(
                List.of("https://h/train-{00..09}.tar"),
                load("data.train=https://h/train-{00..09}.tar").data().train());
        assertEquals(
                List.of("notify", "--run"),
                load("monitor.alarms.command=[notify, \"--run\"]")
                        .monitor()
                        .alarms()
                        .command());
    }

    @Test
    void layersAndLearningRatesAreReadInEveryForm() {
        assertEquals("last3", load().probe().layers());
        assertEquals(
                "3-5,7",
                load("probe.layers=3-5,7")
                        .probe()
                        .config(ProbeKind.ATTENTIVE, 10)
                        .layers());
        assertEquals("3-5,7", load("probe.layers=\"3-5,7\"").probe().layers());
        assertEquals("2", load("probe.layers=2").probe().layers());
        assertEquals(
                List.of(1e-3, 4e-3),
                load("probe.learningRates=[1e-3, 4e-3]").probe().learningRates());
        assertEquals(List.of(5e-4), load("probe.learningRates=5e-4").probe().learningRates());
        assertEquals(ProbeKind.KNN, load("probe.kind=knn").probe().kind());
    }

    /** The kinds of probe that are put on each checkpoint of a run of 24 steps, one of them every 6. */
    private static List<List<ProbeKind>> probed(String... overrides) {
        List<String> all = new ArrayList<>(List.of(
                "train.steps=24",
                "train.warmupSteps=2",
                "train.checkpointEverySteps=6",
                "probe.everySteps=12",
                "probe.also.knn.everySteps=12"));
        all.addAll(List.of(overrides));
        RunPlan plan = load(all.toArray(String[]::new)).plan(Path.of("run"), false);
        return LongStream.iterate(0, step -> step <= 24, step -> step + 6)
                .mapToObj(plan::probesDue)
                .toList();
    }

    @Test
    void eachKindOfProbeHasItsOwnPaceAndLayers() {
        ProbeKind attentive = ProbeKind.ATTENTIVE;
        ProbeKind linear = ProbeKind.LINEAR;
        ProbeKind knn = ProbeKind.KNN;
        List<ProbeKind> both = List.of(attentive, knn);
        assertEquals(List.of(both, List.of(), both, List.of(), both), probed());
        assertEquals(List.of(attentive), load().probe().kinds(), "unless others are asked for");
        assertEquals(List.of(both, List.of(knn), both, List.of(knn), both), probed("probe.also.knn.everySteps=6"));
        assertEquals(
                List.of(both, List.of(), both, List.of(knn), both),
                probed("probe.also.knn.everySteps=7"),
                "from one checkpoint to the next when it falls between");
        assertEquals(
                List.of(List.of(attentive), List.of(), List.of(attentive), List.of(), List.of(attentive)),
                probed("probe.also.knn.everySteps=0"));
        assertEquals(List.of(knn), probed("probe.kind=knn").get(0), "not made twice");
        assertEquals(
                List.of(attentive, linear, knn),
                probed("probe.also.linear.everySteps=1000").get(4));

        ProbePlan plan = load("probe.layers=0-1", "probe.also.linear.layers=2").probe();
        assertEquals("0-1", plan.config(attentive, 10).layers());
        assertEquals("2", plan.config(linear, 10).layers());
        assertEquals("each", plan.config(knn, 10).layers());
        assertEquals(knn, plan.config(knn, 10).kind());
    }

    @Test
    void severalSetsAreReadAndWrongOnesNamed() {
        String pets = "{name=pets, train=\"p-{0..3}.tar\", validation=[pv.tar], classes=37}";
        String cars = "{name=cars, train=[c.tar], validation=${data.validation}, classes=196}";
        List<ProbeSetPlan> sets = load("probe.sets=[" + pets + ", " + cars + "]", "data.validation=[v.tar]")
                .probe()
                .sets();
        assertEquals(
                List.of(
                        new ProbeSetPlan("pets", List.of("p-{0..3}.tar"), List.of("pv.tar"), 37),
                        new ProbeSetPlan("cars", List.of("c.tar"), List.of("v.tar"), 196)),
                sets);
        assertEquals(List.of(), load().probe().sets());
        assertTrue(
                refusal("probe.sets=[" + pets + ", " + pets + "]").contains("two sets of probe.sets are called pets"));
        assertTrue(refusal("probe.sets=[" + pets.replace("name=pets, ", "") + "]")
                .startsWith("probe.sets.0.name is missing"));
        assertTrue(refusal("probe.sets=[" + pets.replace("classes", "clases") + "]")
                .contains("unknown key probe.sets.0.clases; did you mean probe.sets.0.classes?"));
        assertTrue(refusal("probe.sets=[" + pets.replace("=pets", "=average") + "]")
                .contains("'average' is the mean"));
        assertTrue(
                refusal("probe.sets=[" + pets.replace("[pv.tar]", "[]") + "]").contains("pets of probe.sets names no"));
        assertTrue(refusal("probe.sets=[" + pets.replace("37", "1") + "]").contains("must be at least 2 but is 1"));
        assertTrue(refusal("probe.sets=pets").contains("probe.sets must be a list of sections but is \"pets\""));
    }

    @Test
    void theResolvedTextReadsBackToTheSameConfiguration(@TempDir Path directory) throws IOException {
        RunConfig.Resolved resolved = RunConfig.load("", List.of("train.seed=11", "data.train=/x/{0..3}.tar"));
        Path file = Files.writeString(directory.resolve("config.conf"), resolved.text());
        assertEquals(
                resolved.config(), RunConfig.load(file.toString(), List.of()).config());
    }

    @Test
    void anUnknownPresetOrFileIsNamed() {
        String message = assertThrows(ConfigException.class, () -> RunConfig.load("aim-9b", List.of()))
                .getMessage();
        assertTrue(message.contains("aim-9b"), message);
    }

    @Test
    void aSyntaxErrorIsOneLine(@TempDir Path directory) throws IOException {
        Path file = Files.writeString(directory.resolve("broken.conf"), "train { steps = 5\n");
        String message = assertThrows(ConfigException.class, () -> RunConfig.load(file.toString(), List.of()))
                .getMessage();
        assertEquals(1, message.lines().count(), message);
    }
}
