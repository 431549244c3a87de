package io.rasterflow.model.program;

import io.rasterflow.model.Precision;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** What this machine's processor multiplies in hardware. */
public final class Processor {
    private static final int TORCH_FLOAT32 = 6;
    private static final int TORCH_BFLOAT16 = 15;

    private Processor() {}

    /** Replaces {@link Precision#AUTO} by the faster type of this processor. */
    public static Precision resolve(Precision precision) {
        if (precision != Precision.AUTO) {
            return precision;
        }
        return multipliesBf16() ? Precision.BF16 : Precision.FP32;
    }

    /** PyTorch's number of the type in which matrix products run. */
    public static int scalarType(Precision precision) {
        return resolve(precision) == Precision.BF16 ? TORCH_BFLOAT16 : TORCH_FLOAT32;
    }

    private static boolean multipliesBf16() {
        try {
            return Files.readAllLines(Path.of("/proc/cpuinfo")).stream()
                    .filter(line -> line.startsWith("flags"))
                    .findFirst()
                    .map(line ->
                            List.of(line.substring(line.indexOf(':') + 1).trim().split(" +")))
                    .filter(flags -> flags.contains("amx_bf16") || flags.contains("avx512_bf16"))
                    .isPresent();
        } catch (IOException e) {
            // Not Linux: float32 is right everywhere.
            return false;
        }
    }
}
