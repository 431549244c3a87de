package io.rasterflow.streams.decode;

import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.opencv.global.opencv_core;
import org.bytedeco.opencv.opencv_core.Mat;

/**
 * Colour to grey with the weights of ITU-R BT.601 in units of 1/65536, as Pillow. OpenCV's own conversion has fewer bits, and
 * so differs by one every now and then.
 */
final class Grey implements AutoCloseable {

    private static final int RED = 19595;
    private static final int GREEN = 38470;
    private static final int BLUE = 7471;
    private static final int BITS = 16;

    private final FloatPointer values;
    private final Mat weights;

    Grey() {
        float unit = 1f / (1 << BITS);
        values = new FloatPointer(BLUE * unit, GREEN * unit, RED * unit);
        weights = new Mat(1, 3, opencv_core.CV_32FC1, values);
    }

    static byte of(int red, int green, int blue) {
        return (byte) (red * RED + green * GREEN + blue * BLUE + (1 << BITS - 1) >> BITS);
    }

    /** Sums are exact in float32; only where a value lies right between two greys may Pillow take the other one. */
    void convert(Mat bgr, Mat into) {
        opencv_core.transform(bgr, into, weights);
    }

    @Override
    public void close() {
        weights.close();
        values.close();
    }
}
