package io.rasterflow.model.probe;

import java.util.Map;
import java.util.SplittableRandom;

/** What tells the heads apart that {@link HeadProbe} trains. D width of the features, L classes. */
public interface Head {

    /** Resource and type of its program, such as {@code attentive} and {@code AttentiveProbe}. */
    Map.Entry<String, String> program();

    /** The program's own attributes beside those of the training. */
    Map<String, Object> attributes();

    /** D. */
    int dim();

    /** L. */
    int classes();

    /** Whether it reads means over the patches. */
    boolean pooled();

    /** The parameters of one head side by side, in the program's order. */
    float[] initialWeights(SplittableRandom random);
}
