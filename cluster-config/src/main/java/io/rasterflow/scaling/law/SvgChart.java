package io.rasterflow.scaling.law;

import io.rasterflow.monitoring.science.Interval;
import io.rasterflow.scaling.Figures;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.DoubleFunction;

/**
 * A plot as SVG text without scripts: points, curves, bands and error bars over one x axis, linear or logarithmic. Points say
 * what they are when pointed at. Colours follow the reader's light or dark setting, also inside a page.
 */
final class SvgChart {

    private static final int WIDTH = 640;
    private static final int HEIGHT = 400;
    private static final int LEFT = 70;
    private static final int RIGHT = 20;
    private static final int TOP = 40;
    private static final int BOTTOM = 56;
    private static final int TICKS = 6;
    private static final double MARGIN = 0.06;

    static final String STYLE =
            """
            .chart { font: 13px system-ui, sans-serif; --ink: #1f2430; --muted: #5b6270; --grid: #dfe2e8; --run: #0b63c5; \
            --law: #b3410e; --band: #b3410e; background: #fff }
            .chart text { fill: var(--muted) } .chart .title { fill: var(--ink); font-size: 15px; font-weight: 600 }
            .chart .grid { stroke: var(--grid); fill: none } .chart .run { fill: var(--run) }
            .chart .expected { fill: none; stroke: var(--law); stroke-width: 2 }
            .chart .law { fill: none; stroke: var(--law); stroke-width: 2 } .chart .bar { stroke: var(--law); stroke-width: 1.5 }
            .chart .band { fill: var(--band); opacity: .15 }
            @media (prefers-color-scheme: dark) { .chart { --ink: #eceff4; --muted: #a9b1c0; --grid: #39404d; --run: #6fb1ff; \
            --law: #ff9d6b; --band: #ff9d6b; background: #171a21 } }
            """;

    private record Mark(double x, double y, Interval bar, String shape, String says) {}

    private record Curve(double[] x, double[] y) {}

    private record Band(double[] x, double[] low, double[] high) {}

    private final String title;
    private final String xTitle;
    private final String yTitle;
    private final boolean logarithmic;
    private final List<Mark> marks = new ArrayList<>();
    private final List<Curve> curves = new ArrayList<>();
    private final List<Band> bands = new ArrayList<>();
    private double[] xRange;
    private double[] yRange;

    SvgChart(String title, String xTitle, String yTitle, boolean logarithmic) {
        this.title = title;
        this.xTitle = xTitle;
        this.yTitle = yTitle;
        this.logarithmic = logarithmic;
    }

    /** A measured point. */
    SvgChart point(double x, double y, String says) {
        marks.add(new Mark(x, y, Interval.NONE, "run", says));
        return this;
    }

    /** A point that is expected, hollow, with its interval. */
    SvgChart expected(double x, double y, Interval bar, String says) {
        marks.add(new Mark(x, y, bar, "expected", says));
        return this;
    }

    SvgChart curve(double[] x, double[] y) {
        curves.add(new Curve(x, y));
        return this;
    }

    /** Does not widen the axes: what leaves the plot is cut off. */
    SvgChart band(double[] x, double[] low, double[] high) {
        bands.add(new Band(x, low, high));
        return this;
    }

    String render() {
        ranges();
        StringBuilder svg = new StringBuilder(4_000);
        svg.append(text(
                "<svg class=\"chart\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\""
                        + " aria-label=\"%s\">%n<style>%n%s</style>%n",
                WIDTH, HEIGHT, escape(title), STYLE));
        String clip = "plot-" + Integer.toHexString(title.hashCode());
        svg.append(text(
                "<clipPath id=\"%s\"><rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/></clipPath>%n",
                clip, LEFT, TOP, WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM));
        label(svg, "title", LEFT, 22, "start", title);
        axes(svg);
        svg.append(text("<g clip-path=\"url(#%s)\">%n", clip));
        bands.forEach(band ->
                svg.append("<path class=\"band\" d=\"").append(outline(band)).append("Z\"/>\n"));
        curves.forEach(curve -> svg.append("<path class=\"law\" d=\"")
                .append(path("M", curve.x(), curve.y(), false))
                .append("\"/>\n"));
        svg.append("</g>\n");
        marks.forEach(mark -> mark(svg, mark));
        return svg.append("</svg>\n").toString();
    }

    private void ranges() {
        xRange = new double[] {Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY};
        yRange = xRange.clone();
        for (Mark mark : marks) {
            widen(xRange, scaled(mark.x()));
            widen(yRange, mark.y());
        }
        curves.forEach(curve -> {
            for (int i = 0; i < curve.x().length; i++) {
                widen(xRange, scaled(curve.x()[i]));
                widen(yRange, curve.y()[i]);
            }
        });
        pad(xRange);
        pad(yRange);
    }

    private static void widen(double[] range, double value) {
        range[0] = Math.min(range[0], value);
        range[1] = Math.max(range[1], value);
    }

    private static void pad(double[] range) {
        double extent = range[1] - range[0];
        double margin = MARGIN * (extent > 0 ? extent : Math.max(1e-9, Math.abs(range[0])));
        range[0] -= margin;
        range[1] += margin;
    }

    private double scaled(double x) {
        return logarithmic ? Math.log10(x) : x;
    }

    private double column(double x) {
        return LEFT + (scaled(x) - xRange[0]) / (xRange[1] - xRange[0]) * (WIDTH - LEFT - RIGHT);
    }

    /** Kept within a few heights, for what an interval may reach is beyond drawing. */
    private double row(double y) {
        double share = (y - yRange[0]) / (yRange[1] - yRange[0]);
        return TOP + (1 - Math.max(-2, Math.min(3, share))) * (HEIGHT - TOP - BOTTOM);
    }

    private String outline(Band band) {
        return path("M", band.x(), band.high(), false) + path("L", band.x(), band.low(), true);
    }

    private String path(String first, double[] x, double[] y, boolean backwards) {
        StringBuilder path = new StringBuilder();
        for (int i = 0; i < x.length; i++) {
            int at = backwards ? x.length - 1 - i : i;
            path.append(i == 0 ? first : "L").append(text("%.1f %.1f", column(x[at]), row(y[at])));
        }
        return path.toString();
    }

    private void mark(StringBuilder svg, Mark mark) {
        if (mark.bar().known()) {
            double high = Math.max(TOP, row(mark.bar().high()));
            double low = Math.min(HEIGHT - BOTTOM, row(mark.bar().low()));
            svg.append(text("<path class=\"bar\" d=\"M%1$.1f %2$.1fL%1$.1f %3$.1f\"/>%n", column(mark.x()), high, low));
        }
        svg.append(text(
                "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"4.5\"><title>%s</title></circle>%n",
                mark.shape(), column(mark.x()), row(mark.y()), escape(mark.says())));
    }

    // ---- Axes

    private void axes(StringBuilder svg) {
        for (double y : steps(yRange)) {
            double row = row(y);
            svg.append(text("<path class=\"grid\" d=\"M%d %.1fH%d\"/>%n", LEFT, row, WIDTH - RIGHT));
            label(svg, "tick", LEFT - 8, row + 4, "end", Figures.of(y));
        }
        DoubleFunction<String> name = logarithmic ? SvgChart::power : Figures::of;
        for (double x : logarithmic ? decades() : steps(xRange)) {
            double column = column(x);
            svg.append(text("<path class=\"grid\" d=\"M%.1f %dV%d\"/>%n", column, TOP, HEIGHT - BOTTOM));
            label(svg, "tick", column, HEIGHT - BOTTOM + 18, "middle", name.apply(x));
        }
        label(svg, "axis", (LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 12, "middle", xTitle);
        double middle = (TOP + HEIGHT - BOTTOM) / 2.0;
        svg.append(text(
                "<text class=\"axis\" transform=\"translate(16 %.1f) rotate(-90)\" text-anchor=\"middle\">%s</text>%n",
                middle, escape(yTitle)));
    }

    /** Round numbers within a range. */
    private static List<Double> steps(double[] range) {
        double rough = (range[1] - range[0]) / TICKS;
        double power = Math.pow(10, Math.floor(Math.log10(rough)));
        double step = power * (rough / power > 5 ? 10 : rough / power > 2 ? 5 : rough / power > 1 ? 2 : 1);
        List<Double> steps = new ArrayList<>();
        for (double at = Math.ceil(range[0] / step); at * step <= range[1]; at++) {
            steps.add(at * step);
        }
        return steps;
    }

    /** 1, 2 and 5 of each decade, or 1 alone where there are many. */
    private List<Double> decades() {
        List<Double> ticks = new ArrayList<>();
        int[] within = xRange[1] - xRange[0] > 3 ? new int[] {1} : new int[] {1, 2, 5};
        for (int decade = (int) Math.floor(xRange[0]); decade <= xRange[1]; decade++) {
            for (int digit : within) {
                double tick = digit * Math.pow(10, decade);
                if (Math.log10(tick) >= xRange[0] && Math.log10(tick) <= xRange[1]) {
                    ticks.add(tick);
                }
            }
        }
        return ticks;
    }

    private static String power(double value) {
        return value < 1e6
                ? text("%,.0f", value)
                : text("%.0e", value).replace("e+0", "e").replace("e+", "e");
    }

    private static void label(StringBuilder svg, String kind, double x, double y, String anchor, String words) {
        svg.append(text(
                "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>%n",
                kind, x, y, anchor, escape(words)));
    }

    static String escape(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }

    private static String text(String format, Object... values) {
        return String.format(Locale.ROOT, format.replace("%n", "\n"), values);
    }
}
