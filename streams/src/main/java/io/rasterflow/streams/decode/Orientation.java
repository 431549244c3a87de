package io.rasterflow.streams.decode;

import org.bytedeco.opencv.global.opencv_core;
import org.bytedeco.opencv.opencv_core.Mat;

/** How stored pixels lie with respect to the upright image, in the order of the EXIF values 1 … 8. */
enum Orientation {
    UPRIGHT,
    MIRRORED,
    UPSIDE_DOWN,
    FLIPPED,
    TRANSPOSED,
    TURNED_LEFT,
    TRANSVERSED,
    TURNED_RIGHT;

    private static final int TOP_DOWN = 0;
    private static final int LEFT_RIGHT = 1;
    private static final Orientation[] VALUES = values();

    /** The orientation of an EXIF value; {@link #UPRIGHT} for one that means nothing. */
    static Orientation of(long exifValue) {
        return exifValue >= 1 && exifValue <= VALUES.length ? VALUES[(int) exifValue - 1] : UPRIGHT;
    }

    /** Whether width and height change places when the image is put upright. */
    boolean swapsSides() {
        return ordinal() >= TRANSPOSED.ordinal();
    }

    /** Puts an image upright, into another one. */
    void upright(Mat stored, Mat into) {
        switch (this) {
            case UPRIGHT -> stored.copyTo(into);
            case MIRRORED -> opencv_core.flip(stored, into, LEFT_RIGHT);
            case UPSIDE_DOWN -> opencv_core.rotate(stored, into, opencv_core.ROTATE_180);
            case FLIPPED -> opencv_core.flip(stored, into, TOP_DOWN);
            case TRANSPOSED -> opencv_core.transpose(stored, into);
            case TURNED_LEFT -> opencv_core.rotate(stored, into, opencv_core.ROTATE_90_CLOCKWISE);
            case TRANSVERSED -> {
                opencv_core.transpose(stored, into);
                opencv_core.rotate(into, into, opencv_core.ROTATE_180);
            }
            case TURNED_RIGHT -> opencv_core.rotate(stored, into, opencv_core.ROTATE_90_COUNTERCLOCKWISE);
        }
    }
}
