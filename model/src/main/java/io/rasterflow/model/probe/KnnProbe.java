package io.rasterflow.model.probe;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.rasterflow.model.program.Engines;
import io.rasterflow.model.program.Program;
import io.rasterflow.model.program.ProgramArchive;
import java.util.Map;

/** Labels images by the weighted vote of the nearest images whose labels are known; nothing is trained. */
public final class KnnProbe implements AutoCloseable {
    private static final String LIBRARY = "knn";
    private static final int PREDICTED = 5;

    private final int classes;
    private final NDManager scope;
    private final Program program;

    public KnnProbe(KnnConfig config, int classes) {
        this.classes = classes;
        scope = Engines.newScope();
        program = Program.load(
                LIBRARY,
                "NearestNeighbours",
                Map.of(LIBRARY, ProgramArchive.source(KnnProbe.class, LIBRARY + ".py")),
                Map.of("classes", classes, "neighbours", config.neighbours(), "temperature", config.temperature()));
    }

    /**
     * @param known a set of means over the patches, and of it the images that vote
     * @param set the set to label, and of it the images; they have no loss
     */
    public Predictions predict(NativeFeatureSet known, long[] voters, NativeFeatureSet set, long[] images) {
        try (NDManager run = scope.newSubManager()) {
            NDArray wanted = run.create((long) Math.min(PREDICTED, classes));
            NDArray best = program.call(
                            run,
                            "predict",
                            known.features(),
                            run.create(known.labels()),
                            run.create(voters),
                            set.features(),
                            run.create(images),
                            wanted)
                    .singletonOrThrow();
            return Predictions.of(set, images, best, new double[] {Double.NaN}).get(0);
        }
    }

    @Override
    public void close() {
        program.close();
        scope.close();
    }
}
