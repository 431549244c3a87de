package io.rasterflow.monitoring.plot;

import java.math.BigDecimal;
import java.math.MathContext;

/** Figures as people read them. */
public final class Figures {

    private static final MathContext DIGITS = new MathContext(4);
    private static final double LARGE = 1e7;

    private Figures() {}

    /** Four digits, none of them an idle zero: 0.02, 400, 9.89E+14, never for infinity. */
    public static String of(double value) {
        if (!Double.isFinite(value)) {
            return Double.isNaN(value) ? "?" : "never";
        }
        BigDecimal rounded = new BigDecimal(value).round(DIGITS).stripTrailingZeros();
        return Math.abs(value) < LARGE ? rounded.toPlainString() : rounded.toString();
    }
}
