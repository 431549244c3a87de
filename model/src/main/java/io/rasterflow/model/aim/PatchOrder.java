package io.rasterflow.model.aim;

import java.util.Arrays;
import java.util.stream.IntStream;

/** In which order the autoregressive objective visits the patches of an image (arXiv 2401.08541, section 4.4). */
public final class PatchOrder {
    /** The random order is one fixed permutation: a property of the objective, not of a run's seed. */
    private static final long RANDOM_KEY = 0x4F726465720001L;

    private PatchOrder() {}

    /**
     * @param grid patches per side G
     * @return raster indices of the G·G patches in the order of their visit
     */
    public static int[] of(Objective.Order order, int grid) {
        return switch (order) {
            case RASTER -> IntStream.range(0, grid * grid).toArray();
            case SPIRAL -> spiral(grid);
            case CHECKERBOARD -> checkerboard(grid);
            case RANDOM -> random(grid * grid);
        };
    }

    /** From the centre (the upper left of the four of an even grid) right, down, left, up in growing arms. */
    private static int[] spiral(int grid) {
        int[] order = new int[grid * grid];
        int row = (grid - 1) / 2;
        int column = (grid - 1) / 2;
        int rowStep = 0;
        int columnStep = 1;
        int found = 0;
        for (int arm = 0; found < order.length; arm++) {
            for (int i = 0; i < arm / 2 + 1 && found < order.length; i++) {
                if (row >= 0 && row < grid && column >= 0 && column < grid) {
                    order[found++] = row * grid + column;
                }
                row += rowStep;
                column += columnStep;
            }
            int turned = -rowStep;
            rowStep = columnStep;
            columnStep = turned;
        }
        return order;
    }

    private static int[] checkerboard(int grid) {
        int[] order = new int[grid * grid];
        int found = 0;
        for (int colour = 0; colour < 2; colour++) {
            for (int i = 0; i < order.length; i++) {
                if ((i / grid + i % grid) % 2 == colour) {
                    order[found++] = i;
                }
            }
        }
        return order;
    }

    private static int[] random(int patches) {
        return shuffled(patches, RANDOM_KEY);
    }

    /** The permutation of 0..count-1 that a key stands for. */
    static int[] shuffled(int count, long key) {
        int[] order = new int[count];
        Arrays.setAll(order, i -> i);
        for (int i = count - 1; i > 0; i--) {
            int j = (int) (((Mixer.mix(key, i) >>> 33) * (i + 1)) >>> 31);
            int swapped = order[i];
            order[i] = order[j];
            order[j] = swapped;
        }
        return order;
    }
}
