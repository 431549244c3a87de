package io.rasterflow.model.interop;

/** Names in files that are exchanged with ml-aim. */
final class MlAim {
    /** Metadata of our safetensors files: what the shapes do not show. */
    static final String IMAGE_SIZE = "image_size";

    static final String HEADS = "num_heads";
    static final String NORM_EPS = "norm_eps";
    static final String EVAL_RESIZE = "eval_resize";
    static final String MEAN = "mean";
    static final String STD = "std";

    /** Prefix of our pixel head, which ml-aim does not publish. */
    static final String PIXEL_HEAD = "head.decoder_";

    private MlAim() {}

    /** Whether a parameter belongs to the trunk or the patch embedding, and not to a head. */
    static boolean isTrunk(String name) {
        return name.startsWith("trunk.") || name.startsWith("preprocessor.");
    }
}
