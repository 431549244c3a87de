package io.rasterflow.model.probe;

import java.util.ArrayList;
import java.util.List;

/**
 * Where the query of an attentive probe looks in one image of N patches, by each of H heads.
 *
 * @param heads H
 * @param weights (H, N), patches in raster order: none negative, and those of each head sum to 1
 */
@SuppressWarnings("ArrayRecordComponent") // handed over, never compared
public record AttentionMap(int heads, float[] weights) {

    /** N. */
    public int patches() {
        return weights.length / heads;
    }

    /** How much a head takes of a patch. */
    public float weight(int head, int patch) {
        return weights[head * patches() + patch];
    }

    /** The mean over the heads of what is taken of a patch; over all patches this sums to 1 too. */
    public double mean(int patch) {
        double sum = 0;
        for (int head = 0; head < heads; head++) {
            sum += weight(head, patch);
        }
        return sum / heads;
    }

    /** Cuts the maps (B, H, N) of B images. */
    static List<AttentionMap> of(int heads, int images, float[] all) {
        int values = images == 0 ? 0 : all.length / images;
        List<AttentionMap> maps = new ArrayList<>();
        for (int i = 0; i < images; i++) {
            float[] weights = new float[values];
            System.arraycopy(all, i * values, weights, 0, values);
            maps.add(new AttentionMap(heads, weights));
        }
        return maps;
    }
}
