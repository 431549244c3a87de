package io.rasterflow.tests.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;

/** A Python that has what others use: {@code RASTERFLOW_PYTHON}, else {@code python3} on the path. */
record Python(String command) {

    /** Skips the test where there is none. */
    static Python withTorch() throws IOException, InterruptedException {
        return with("torch, safetensors");
    }

    /** Skips the test where these modules are missing. */
    static Python with(String modules) throws IOException, InterruptedException {
        String given = System.getenv("RASTERFLOW_PYTHON");
        Python python = new Python(given == null || given.isBlank() ? "python3" : given);
        boolean found;
        try {
            found = python.execute(List.of("-c", "import " + modules)).exit() == 0;
        } catch (IOException e) {
            found = false;
        }
        Assumptions.assumeTrue(
                found,
                "no " + modules + " for " + python.command + "; set RASTERFLOW_PYTHON to a Python that has them");
        return python;
    }

    private record Result(int exit, String out, String err) {}

    /** Runs a script and reads the JSON that it prints. */
    JsonNode run(Path script, String... arguments) throws IOException, InterruptedException {
        List<String> words = new ArrayList<>(List.of("-B", script.toString()));
        words.addAll(List.of(arguments));
        Result result = execute(words);
        assertEquals(0, result.exit(), result.out() + result.err());
        return new ObjectMapper().readTree(result.out());
    }

    private Result execute(List<String> arguments) throws IOException, InterruptedException {
        Path out = Files.createTempFile("python", ".out");
        Path err = Files.createTempFile("python", ".err");
        try {
            List<String> words = new ArrayList<>(List.of(command));
            words.addAll(arguments);
            ProcessBuilder builder =
                    new ProcessBuilder(words).redirectOutput(out.toFile()).redirectError(err.toFile());
            builder.environment().put("OMP_NUM_THREADS", "1");
            Process process = builder.start();
            if (!process.waitFor(180, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new AssertionError(command + " " + arguments + " did not end within 180 s");
            }
            return new Result(process.exitValue(), Files.readString(out), Files.readString(err));
        } finally {
            Files.delete(out);
            Files.delete(err);
        }
    }
}
