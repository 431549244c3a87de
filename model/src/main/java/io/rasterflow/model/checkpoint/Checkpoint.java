package io.rasterflow.model.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A checkpoint: one directory per step, complete or absent.
 *
 * <pre>
 * RUN/checkpoints/step-00000500/model.safetensors       weights
 *                               optimizer.safetensors   first.NAME and second.NAME: AdamW moments; absent: all zero
 *                               ema.safetensors         moving average of the weights; only where one is kept
 *                               attentive.safetensors   probe head of these weights; may be absent
 *                               state.json              {@link TrainingState}
 * </pre>
 *
 * <p>Written under a temporary name in the same directory, forced to the disk, then renamed.
 */
public final class Checkpoint {
    /** An attentive probe head that belongs to the weights; a checkpoint may have one. */
    public static final String PROBE_HEAD = "attentive.safetensors";

    private static final String MODEL = "model.safetensors";
    private static final String EMA = "ema.safetensors";
    private static final String OPTIMIZER = "optimizer.safetensors";
    private static final String STATE = "state.json";
    private static final String FIRST = "first.";
    private static final String SECOND = "second.";
    private static final Pattern COMPLETE = Pattern.compile("step-\\d{8,}");
    private static final ObjectMapper JSON = new ObjectMapper();
    /** A temporary directory; its name ends with the process that writes it. */
    private static final Pattern LEFTOVER = Pattern.compile("\\.step-\\d+(?:-(\\d{1,18}))?.*\\.tmp");
    /** A writer on another host, whose process number says nothing here, is not silent for so long. */
    private static final long STALE_MILLIS = 60_000;

    /** Step of a checkpoint directory, from its name. */
    public static long step(Path directory) {
        String name = directory.getFileName().toString();
        return Long.parseLong(name.substring(name.lastIndexOf('-') + 1));
    }

    /** Size of all files of a checkpoint directory. */
    public static long bytes(Path directory) throws IOException {
        long bytes = 0;
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
            for (Path file : files) {
                bytes += Files.size(file);
            }
        }
        return bytes;
    }

    /**
     * A checkpoint as it was read.
     *
     * @param snapshot weights and moments
     * @param state where the run stood
     */
    public record Contents(Snapshot snapshot, TrainingState state) {}

    private Checkpoint() {}

    /** Directory of the checkpoint of a step, whether it exists or not. */
    public static Path directory(Path runDir, long step) {
        return runDir.resolve("checkpoints").resolve(String.format(Locale.ROOT, "step-%08d", step));
    }

    /**
     * Writes a checkpoint, replacing one of the same step.
     *
     * @return its directory
     * @throws IOException naming the directory if it cannot be written; nothing half-written is left behind
     */
    public static Path write(Path runDir, Snapshot snapshot, TrainingState state) throws IOException {
        Path target = directory(runDir, snapshot.step());
        Path temporary = target.resolveSibling(
                "." + target.getFileName() + "-" + ProcessHandle.current().pid() + ".tmp");
        try {
            Files.createDirectories(target.getParent());
            removeLeftovers(target.getParent());
            Files.createDirectory(temporary);
            Safetensors.write(temporary.resolve(MODEL), snapshot.weights(), Map.of("format", "pt"));
            if (!snapshot.firstMoments().isEmpty()) {
                Safetensors.write(temporary.resolve(OPTIMIZER), moments(snapshot), Map.of());
            }
            if (snapshot.averaged()) {
                Safetensors.write(temporary.resolve(EMA), snapshot.average(), Map.of("format", "pt"));
            }
            writeState(temporary.resolve(STATE), state);
            keepProbeHead(target, temporary, state);
            force(temporary);
            replace(target, temporary);
            return target;
        } catch (IOException | RuntimeException e) {
            discard(temporary, e);
            if (isComplete(target, state)) {
                return target; // Another writer was faster: the rank that was the first before this one.
            }
            throw new IOException(
                    "checkpoint " + target + " could not be written: " + reason(e)
                            + "; check that the disk has space and the directory may be written",
                    e);
        }
    }

    /** The newest complete checkpoint of a run; leftovers of interrupted writes are ignored. */
    public static Optional<Path> latest(Path runDir) throws IOException {
        return latest(runDir, Long.MAX_VALUE);
    }

    /** The newest of them up to a step. */
    public static Optional<Path> latest(Path runDir, long step) throws IOException {
        Path checkpoints = runDir.resolve("checkpoints");
        if (!Files.isDirectory(checkpoints)) {
            return Optional.empty();
        }
        try (Stream<Path> entries = Files.list(checkpoints)) {
            return entries.filter(path ->
                            COMPLETE.matcher(path.getFileName().toString()).matches())
                    .filter(path -> Files.isRegularFile(path.resolve(STATE)) && step(path) <= step)
                    .max(Comparator.comparingLong(Checkpoint::step));
        }
    }

    /** Where the run stood at a checkpoint, without its tensors. */
    public static TrainingState state(Path directory) throws IOException {
        return readState(directory.resolve(STATE));
    }

    /**
     * Reads a checkpoint and verifies that its weights are those that its state describes.
     *
     * @param directory as {@link #latest} returns it
     */
    public static Contents read(Path directory) throws IOException {
        TrainingState state = state(directory);
        SortedMap<String, Tensor> weights = verified(directory.resolve(MODEL), state.weightsSha256());
        SortedMap<String, Tensor> average = state.emaSha256().isEmpty()
                ? Collections.emptySortedMap()
                : verified(directory.resolve(EMA), state.emaSha256());
        Path moments = directory.resolve(OPTIMIZER);
        if (!Files.exists(moments)) {
            SortedMap<String, Tensor> zero = zeros(weights);
            return new Contents(new Snapshot(state.step(), weights, zero, zero, average), state);
        }
        Safetensors optimizer = Safetensors.read(moments);
        Snapshot snapshot =
                new Snapshot(state.step(), weights, optimizer.tensors(FIRST), optimizer.tensors(SECOND), average);
        return new Contents(snapshot, state);
    }

    private static SortedMap<String, Tensor> verified(Path file, String expected) throws IOException {
        SortedMap<String, Tensor> tensors = Safetensors.read(file).tensors();
        String hash = WeightsHash.sha256(tensors);
        if (!hash.equals(expected)) {
            throw new IOException("the weights of " + file + " have SHA-256 " + hash + " but " + STATE + " says "
                    + expected + "; take an earlier checkpoint");
        }
        return tensors;
    }

    /** Zeros in the shapes of the given tensors; all share the memory of the largest. */
    private static SortedMap<String, Tensor> zeros(SortedMap<String, Tensor> like) {
        int most = like.values().stream()
                .mapToInt(tensor -> tensor.values().capacity())
                .max()
                .orElse(0);
        FloatBuffer zero = FloatBuffer.allocate(most).asReadOnlyBuffer();
        SortedMap<String, Tensor> zeros = new TreeMap<>();
        like.forEach((name, tensor) -> zeros.put(
                name, new Tensor(tensor.shape(), zero.slice(0, tensor.values().capacity()))));
        return zeros;
    }

    /** A run that resumes writes its first checkpoint anew; a probe head stays as long as its weights do. */
    private static void keepProbeHead(Path target, Path temporary, TrainingState state) throws IOException {
        Path head = target.resolve(PROBE_HEAD);
        if (Files.isRegularFile(head)
                && Files.isRegularFile(target.resolve(STATE))
                && readState(target.resolve(STATE)).weightsSha256().equals(state.weightsSha256())) {
            Files.copy(head, temporary.resolve(PROBE_HEAD));
        }
    }

    /** A complete directory cannot be renamed over another, so one of the same step first moves out of the way. */
    private static void replace(Path target, Path temporary) throws IOException {
        Path replaced = temporary.resolveSibling(temporary.getFileName() + ".tmp");
        if (Files.isDirectory(target)) {
            Files.move(target, replaced, StandardCopyOption.ATOMIC_MOVE);
        }
        Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
        force(target.getParent());
        delete(replaced);
    }

    private static boolean isComplete(Path target, TrainingState state) {
        try {
            return readState(target.resolve(STATE)).weightsSha256().equals(state.weightsSha256());
        } catch (IOException absent) {
            return false;
        }
    }

    /** What killed processes left. Another process may just be writing: the first rank of before, or one on another host. */
    private static void removeLeftovers(Path checkpoints) throws IOException {
        List<Path> temporary;
        try (Stream<Path> entries = Files.list(checkpoints)) {
            temporary = entries.filter(path ->
                            LEFTOVER.matcher(path.getFileName().toString()).matches())
                    .toList();
        }
        for (Path path : temporary) {
            if (isStale(path)) {
                delete(path);
            }
        }
    }

    private static boolean isStale(Path temporary) throws IOException {
        Matcher name = LEFTOVER.matcher(temporary.getFileName().toString());
        long writer = name.matches() && name.group(1) != null ? Long.parseLong(name.group(1)) : -1;
        boolean gone = ProcessHandle.of(writer).filter(ProcessHandle::isAlive).isEmpty();
        return writer == ProcessHandle.current().pid()
                || (gone && System.currentTimeMillis() - lastWritten(temporary) > STALE_MILLIS);
    }

    private static long lastWritten(Path directory) throws IOException {
        long latest = Files.getLastModifiedTime(directory).toMillis();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
            for (Path file : files) {
                latest = Math.max(latest, Files.getLastModifiedTime(file).toMillis());
            }
        }
        return latest;
    }

    private static SortedMap<String, Tensor> moments(Snapshot snapshot) {
        SortedMap<String, Tensor> moments = new TreeMap<>();
        snapshot.firstMoments().forEach((name, tensor) -> moments.put(FIRST + name, tensor));
        snapshot.secondMoments().forEach((name, tensor) -> moments.put(SECOND + name, tensor));
        return moments;
    }

    private static void writeState(Path file, TrainingState state) throws IOException {
        ObjectNode node = JSON.createObjectNode()
                .put("step", state.step())
                .put("epoch", state.epoch())
                .put("position", state.position())
                .put("seed", state.seed())
                .put("worldSize", state.worldSize());
        putFinite(node, "trainLoss", state.trainLoss());
        putFinite(node, "validationLoss", state.validationLoss());
        node.put("weightsSha256", state.weightsSha256());
        node.put("emaSha256", state.emaSha256().isEmpty() ? null : state.emaSha256());
        node.put("history", state.history().isEmpty() ? null : state.history());
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            ByteBuffer bytes =
                    ByteBuffer.wrap(JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(node));
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(true);
        }
    }

    /** JSON has no NaN: a loss that is not known yet is null. */
    private static void putFinite(ObjectNode node, String name, double value) {
        if (Double.isFinite(value)) {
            node.put(name, value);
        } else {
            node.putNull(name);
        }
    }

    private static TrainingState readState(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new IOException(file.getParent() + " is no checkpoint: it has no " + STATE);
        }
        JsonNode node;
        try {
            node = JSON.readTree(Files.readAllBytes(file));
        } catch (IOException e) {
            throw new IOException(file + " is broken: " + reason(e) + "; take an earlier checkpoint", e);
        }
        for (String name : List.of("step", "epoch", "position", "seed", "worldSize")) {
            if (node == null || !node.path(name).isIntegralNumber()) {
                throw new IOException(file + " is broken: " + name + " is missing; take an earlier checkpoint");
            }
        }
        return new TrainingState(
                node.path("step").longValue(),
                node.path("epoch").longValue(),
                node.path("position").longValue(),
                node.path("seed").longValue(),
                node.path("worldSize").intValue(),
                node.path("trainLoss").asDouble(Double.NaN),
                node.path("validationLoss").asDouble(Double.NaN),
                node.path("weightsSha256").asText(),
                node.path("emaSha256").asText(""),
                node.path("history").asText(""));
    }

    private static void force(Path directory) throws IOException {
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    private static void discard(Path temporary, Exception cause) {
        try {
            delete(temporary);
        } catch (IOException e) {
            cause.addSuppressed(e);
        }
    }

    private static void delete(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            return;
        }
        List<Path> files;
        try (Stream<Path> entries = Files.list(directory)) {
            files = entries.toList();
        }
        for (Path file : files) {
            Files.delete(file);
        }
        Files.delete(directory);
    }

    private static String reason(Exception e) {
        return e.getMessage() == null
                ? e.toString()
                : e.getMessage().lines().findFirst().orElse(e.toString());
    }
}
