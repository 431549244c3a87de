package io.rasterflow.model.program;

import ai.djl.Device;
import io.rasterflow.model.Precision;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** What this machine's processor multiplies in hardware. */
public final class Processor {
    private static final int FLOAT32 = 0;
    private static final int BFLOAT16 = 1;
    private static final int ROUNDED = 2;

    private Processor() {}

    /** Replaces {@link Precision#AUTO} by the faster type of this processor. */
    public static Precision resolve(Precision precision) {
        if (precision != Precision.AUTO) {
            return precision;
        }
        return multipliesBf16() ? Precision.BF16 : Precision.FP32;
    }

    /**
     * How programs run matrix products: 0 float32, 1 bf16, 2 float32 products of operands rounded to bf16. The last is
     * what bf16 means on a processor that does not multiply it: the same rounding at the speed of float32, where
     * PyTorch's own bf16 products would take several times longer.
     */
    public static int operandKind(Precision precision, Device device) {
        if (precision == Precision.AUTO && device.isGpu()) {
            return BFLOAT16;
        }
        if (resolve(precision) == Precision.FP32) {
            return FLOAT32;
        }
        String forced = System.getProperty("rasterflow.bf16", "");
        boolean hardware = forced.isEmpty() ? device.isGpu() || multipliesBf16() : forced.equals("hardware");
        return hardware ? BFLOAT16 : ROUNDED;
    }

    /** Its name, as the system tells it; empty where it does not. */
    public static String name() {
        return field("model name").orElse("");
    }

    private static boolean multipliesBf16() {
        return field("flags")
                .map(flags -> List.of(flags.split(" +")))
                .filter(flags -> flags.contains("amx_bf16") || flags.contains("avx512_bf16"))
                .isPresent();
    }

    /** Of the first core. */
    private static Optional<String> field(String name) {
        try {
            return Files.readAllLines(Path.of("/proc/cpuinfo")).stream()
                    .filter(line -> line.startsWith(name))
                    .findFirst()
                    .map(line -> line.substring(line.indexOf(':') + 1).trim());
        } catch (IOException e) {
            // Not Linux: float32 is right everywhere.
            return Optional.empty();
        }
    }
}
