package io.rasterflow.launch;

import io.rasterflow.model.program.Engines;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Which GPUs a trainer process of this machine may see, so that no two processes train on the same one. */
public final class GpuShare {

    private static final String VISIBLE = "CUDA_VISIBLE_DEVICES";

    private GpuShare() {}

    /** The environment of process {@code index} of {@code processes}; empty where the setting names no share. */
    static Map<String, String> environment(String device, int index, int processes) {
        if (device.equals("cpu") || device.startsWith("cuda:")) {
            return Map.of();
        }
        List<String> share = of(visible(Engines.gpus(), System.getenv(VISIBLE)), index, processes);
        return share.isEmpty() ? Map.of() : Map.of(VISIBLE, String.join(",", share));
    }

    /** Names of the GPUs that this process sees: what it was given, or their numbers. */
    private static List<String> visible(int gpus, String given) {
        return given == null || given.isBlank()
                ? IntStream.range(0, gpus).mapToObj(Integer::toString).toList()
                : Arrays.stream(given.split(",")).map(String::strip).limit(gpus).toList();
    }

    /**
     * A run of GPUs per process, as equal as they come; where there are more processes than GPUs, some share one.
     *
     * @param gpus by name
     */
    public static List<String> of(List<String> gpus, int index, int processes) {
        if (gpus.size() < processes) {
            return gpus.isEmpty() ? gpus : List.of(gpus.get(index % gpus.size()));
        }
        return gpus.subList(index * gpus.size() / processes, (index + 1) * gpus.size() / processes);
    }
}
