package io.rasterflow.model.program;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDManager;
import ai.djl.util.cuda.CudaUtils;
import java.lang.management.MemoryUsage;
import java.util.ArrayList;
import java.util.List;

/** Settings of the tensor engine, which it reads once while it loads. */
public final class Engines {
    /** The name under which DJL knows the engine. */
    static final String NAME = "PyTorch";

    private static final String THREADS = "ai.djl.pytorch.num_threads";
    private static final String OPTIMIZER = "ai.djl.pytorch.graph_optimizer";

    private Engines() {}

    /**
     * Sets the threads that one operator may use. Only the first engine of the process reads it, so call this before
     * anything of this module is opened; it has no effect afterwards.
     *
     * @param intraOpThreads 1 for bit-identical results over any number of ranks
     */
    public static void configure(int intraOpThreads) {
        if (intraOpThreads < 1) {
            throw new IllegalArgumentException("intra-op threads must be at least 1 but are " + intraOpThreads);
        }
        System.setProperty(THREADS, Integer.toString(intraOpThreads));
    }

    /** Loads the engine and says what it is, such as {@code PyTorch 2.7.1 on cpu()}. */
    public static String describe() {
        try (NDManager scope = newScope()) {
            return NAME + " " + scope.getEngine().getVersion() + " on " + scope.getDevice();
        }
    }

    /**
     * The device that a setting names.
     *
     * @param setting {@code auto}, {@code cpu} or {@code cuda:N}
     * @throws IllegalArgumentException if that GPU is not there
     */
    public static Device device(String setting) {
        applyDefaults();
        int gpus = setting.equals("cpu") ? 0 : gpus();
        if (setting.equals("cpu") || (setting.equals("auto") && gpus == 0)) {
            return Device.cpu();
        }
        int index = setting.startsWith("cuda:") ? Integer.parseInt(setting.substring("cuda:".length())) : 0;
        if (index >= gpus) {
            throw new IllegalArgumentException("train.device is " + setting + " but "
                    + (gpus == 0 ? whyNoGpu() : "the last GPU here is cuda:" + (gpus - 1))
                    + "; or use train.device=cpu");
        }
        return Device.gpu(index);
    }

    /** GPUs that the engine can use: none where its natives are those of the processor. */
    public static int gpus() {
        applyDefaults();
        // Asked first, because it does not load the engine.
        return CudaUtils.getGpuCount() == 0 ? 0 : Engine.getEngine(NAME).getGpuCount();
    }

    /**
     * The memory of the GPUs that the replicas of this process compute on. How busy a GPU is only NVML tells, which comes
     * with neither the engine nor libcudart.
     *
     * <p>Where another GPU than the first is named this says nothing: libcudart, which is asked, would set up a context on
     * the first and hold some hundred megabytes there.
     *
     * @param setting {@code auto}, {@code cpu}, {@code cuda} or {@code cuda:N}
     * @throws RuntimeException if libcudart refuses
     */
    public static List<GpuMemory> gpuMemory(String setting, int replicas) {
        boolean spread = setting.equals("auto") || setting.equals("cuda");
        if (!spread && !setting.equals("cuda:0")) {
            return List.of();
        }
        int used = Math.min(gpus(), spread ? replicas : 1);
        List<GpuMemory> memories = new ArrayList<>();
        for (int gpu = 0; gpu < used; gpu++) {
            MemoryUsage memory = CudaUtils.getGpuMemory(Device.gpu(gpu));
            memories.add(new GpuMemory("cuda:" + gpu, memory.getUsed(), memory.getMax()));
        }
        return memories;
    }

    /**
     * @param device such as {@code cuda:0}
     * @param usedBytes by all processes
     */
    public record GpuMemory(String device, long usedBytes, long totalBytes) {}

    /** What {@code train.device} may be here, in words. */
    public static String describeDevices() {
        int gpus = gpus();
        return gpus == 0 ? "cpu (" + whyNoGpu() + ")" : gpus == 1 ? "cpu, cuda:0" : "cpu, cuda:0 to cuda:" + (gpus - 1);
    }

    private static String whyNoGpu() {
        int found = CudaUtils.getGpuCount();
        return found == 0
                ? "no GPU was found: libcudart reports none or is not on LD_LIBRARY_PATH"
                : "PyTorch's natives are those of the processor: build with RASTERFLOW_CUDA=1 ./rasterflow doctor to use"
                        + " the " + found + " GPU" + (found == 1 ? "" : "s") + " of this machine";
    }

    /** A scope for tensors on a device; everything in it is freed when it is closed. */
    public static NDManager newScope(Device device) {
        applyDefaults();
        return NDManager.newBaseManager(device, NAME);
    }

    /** A scope for tensors on the processor; everything in it is freed when it is closed. */
    public static NDManager newScope() {
        applyDefaults();
        return NDManager.newBaseManager(Device.cpu(), NAME);
    }

    /**
     * The graph optimizer rewrites a program after its first runs. A rank that has just joined would then compute with
     * another program than one that has run for long, and their bits would differ; it also gains nothing here.
     */
    static void applyDefaults() {
        System.setProperty(THREADS, System.getProperty(THREADS, "1"));
        System.setProperty(OPTIMIZER, System.getProperty(OPTIMIZER, "false"));
    }
}
