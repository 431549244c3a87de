package io.rasterflow.tests.endtoend;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The launcher script as a user runs it, in a working directory of its own. */
final class Rasterflow {

    static final Path HOME = Path.of(System.getProperty("rasterflow.home"));

    /** A small, fast run on the bundled images; the page is off so that runs can go side by side. */
    static final List<String> SMALL = List.of(
            "monitor.page=false",
            "model.trunk.dim=32",
            "model.trunk.blocks=2",
            "model.trunk.heads=2",
            "model.head.dim=32",
            "train.batch=32",
            "train.microBatches=8",
            "train.warmupSteps=4",
            "data.validation=" + HOME.resolve("streams/data/fashion-mnist/validation-00.tar.gz"),
            "probe.trainImages=1000",
            "probe.attentive.epochs=2");

    private final Path directory;

    Rasterflow(Path directory) {
        this.directory = directory;
    }

    record Result(int exit, String out, String err) {

        JsonNode json() throws IOException {
            List<String> lines = out.lines().toList();
            return new ObjectMapper().readTree(lines.get(lines.size() - 1));
        }

        String text() {
            return "exit " + exit + "\n" + out + "\n" + err;
        }
    }

    static List<String> words(Object... parts) {
        List<String> words = new ArrayList<>();
        for (Object part : parts) {
            if (part instanceof List<?> list) {
                list.forEach(word -> words.add(word.toString()));
            } else {
                words.add(part.toString());
            }
        }
        return words;
    }

    /** A command under way; its output goes to files. */
    record Running(Process process, Path out, Path err) {

        Result await() throws IOException, InterruptedException {
            if (!process.waitFor(180, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new AssertionError(
                        "the command did not end within 180 s\n" + Files.readString(out) + Files.readString(err));
            }
            return new Result(process.exitValue(), Files.readString(out), Files.readString(err));
        }
    }

    Running start(List<String> arguments, Map<String, String> environment) throws IOException {
        return start(List.of(), arguments, environment);
    }

    /** @param inside command that runs the command that follows, somewhere else */
    Running start(List<String> inside, List<String> arguments, Map<String, String> environment) throws IOException {
        Path out = Files.createTempFile(directory, "out", ".txt");
        Path err = Files.createTempFile(directory, "err", ".txt");
        List<String> command = new ArrayList<>(inside);
        // As from a terminal: what a shell starts in the background ignores Ctrl-C, and so would its children.
        command.addAll(List.of(
                "env", "--default-signal=INT", HOME.resolve("rasterflow").toString()));
        command.addAll(arguments);
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectOutput(out.toFile())
                .redirectError(err.toFile());
        builder.environment().put("XDG_CONFIG_HOME", directory.resolve("config").toString());
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        builder.environment().putAll(environment);
        builder.environment().merge("RASTERFLOW_JAVA_OPTS", QuickStart.OPTIONS, (own, quick) -> quick + " " + own);
        return new Running(builder.start(), out, err);
    }

    Result run(Object... arguments) throws IOException, InterruptedException {
        return start(words(arguments), Map.of()).await();
    }

    Result run(List<String> arguments, Map<String, String> environment) throws IOException, InterruptedException {
        return start(arguments, environment).await();
    }
}
