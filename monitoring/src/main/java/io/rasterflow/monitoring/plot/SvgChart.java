package io.rasterflow.monitoring.plot;

import io.rasterflow.monitoring.science.Interval;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.DoubleFunction;

/**
 * A plot as SVG text without scripts over one x axis, linear or logarithmic: points, named lines, stacked areas, and the
 * curves, bands and error bars of laws. Points say what they are when pointed at. Colours follow the reader's light or dark
 * setting, also inside a page.
 */
public final class SvgChart {

    private static final int WIDTH = 640;
    private static final int HEIGHT = 400;
    private static final int LEFT = 70;
    private static final int RIGHT = 20;
    private static final int TOP = 40;
    private static final int BOTTOM = 56;
    private static final int LEGEND = 20;
    /** About the width of a letter. */
    private static final double LETTER = 7;

    private static final int TICKS = 6;
    private static final double MARGIN = 0.06;
    /** Part of a value below which a difference cannot be drawn. */
    private static final double ROUNDING = 1e-9;
    /** Extent of an axis around 0. */
    private static final double LEAST = 1e-9;
    /** A line of no more points shows them. */
    private static final int DOTS = 60;

    private static final String STYLE =
            """
            .chart { font: 13px system-ui, sans-serif; --ink: #1f2430; --muted: #5b6270; --grid: #dfe2e8; --run: #0b63c5; \
            --law: #b3410e; --band: #b3410e; --c0: #0b63c5; --c1: #b3410e; --c2: #2e7d32; --c3: #8e24aa; --c4: #8a6100; \
            --c5: #00707d; background: #fff }
            .chart text { fill: var(--muted) } .chart .title { fill: var(--ink); font-size: 15px; font-weight: 600 }
            .chart .grid { stroke: var(--grid); fill: none } .chart .run { fill: var(--run) }
            .chart .expected { fill: none; stroke: var(--law); stroke-width: 2 }
            .chart .law { fill: none; stroke: var(--law); stroke-width: 2 } .chart .bar { stroke: var(--law); stroke-width: 1.5 }
            .chart .band { fill: var(--band); opacity: .15 } .chart .line { fill: none; stroke-width: 1.5 }
            .chart .c0 { --c: var(--c0) } .chart .c1 { --c: var(--c1) } .chart .c2 { --c: var(--c2) }
            .chart .c3 { --c: var(--c3) } .chart .c4 { --c: var(--c4) } .chart .c5 { --c: var(--c5) }
            .chart .line { stroke: var(--c) } .chart .fill { fill: var(--c) }
            @media (prefers-color-scheme: dark) { .chart { --ink: #eceff4; --muted: #a9b1c0; --grid: #39404d; --run: #6fb1ff; \
            --law: #ff9d6b; --band: #ff9d6b; --c0: #6fb1ff; --c1: #ff9d6b; --c2: #7bd88f; --c3: #e0a3f5; --c4: #e8c15a; \
            --c5: #5fd3e0; background: #171a21 } }
            """;

    private static final int COLOURS = 6;

    /** Marks around a point, as paths: circle, square, triangle, diamond, triangle on its head, cross. */
    private static final List<String> SHAPES = List.of(
            "m-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z",
            "m-3.5 -3.5h7v7h-7z",
            "m0 -4.5l4.5 8h-9z",
            "m0 -5l5 5l-5 5l-5 -5z",
            "m0 4.5l4.5 -8h-9z",
            "m-1.5 -4.5h3v3h3v3h-3v3h-3v-3h-3v-3h3z");

    private record Mark(double x, double y, Interval bar, String shape, String says) {}

    private record Curve(double[] x, double[] y, boolean joined) {
        Curve(double[] x, double[] y) {
            this(x, y, true);
        }
    }

    private record Band(double[] x, double[] low, double[] high) {}

    private final String title;
    private final String xTitle;
    private final String yTitle;
    private final boolean logarithmic;
    private final List<Mark> marks = new ArrayList<>();
    private final List<Curve> curves = new ArrayList<>();
    private final List<Band> bands = new ArrayList<>();
    private final List<Curve> lines = new ArrayList<>();
    private final List<Band> areas = new ArrayList<>();
    /** Names of the lines or areas, by colour. */
    private final List<String> names = new ArrayList<>();

    private boolean whole;
    private double[] xRange;
    private double[] yRange;
    private int top;

    /** @param logarithmic the x axis */
    public SvgChart(String title, String xTitle, String yTitle, boolean logarithmic) {
        this.title = title;
        this.xTitle = xTitle;
        this.yTitle = yTitle;
        this.logarithmic = logarithmic;
    }

    /** Counts along the x axis, which has no ticks between whole numbers. */
    public SvgChart whole() {
        whole = true;
        return this;
    }

    /** A measured point. */
    public SvgChart point(double x, double y, String says) {
        marks.add(new Mark(x, y, Interval.NONE, "run", says));
        return this;
    }

    /** A point that is expected, hollow, with its interval. */
    public SvgChart expected(double x, double y, Interval bar, String says) {
        marks.add(new Mark(x, y, bar, "expected", says));
        return this;
    }

    /** The curve of a law. */
    public SvgChart curve(double[] x, double[] y) {
        curves.add(new Curve(x, y));
        return this;
    }

    /** Does not widen the axes: what leaves the plot is cut off. */
    public SvgChart band(double[] x, double[] low, double[] high) {
        bands.add(new Band(x, low, high));
        return this;
    }

    /** Measured values in order of x; where one is not finite the line has a gap. */
    public SvgChart line(String name, double[] x, double[] y) {
        lines.add(new Curve(x, y));
        names.add(name);
        return this;
    }

    /** Measured points that belong together, told from others by their colour and their shape. */
    public SvgChart dots(String name, double[] x, double[] y) {
        lines.add(new Curve(x, y, false));
        names.add(name);
        return this;
    }

    /** An area on top of those before it, the first on zero. A chart has either areas or lines. */
    public SvgChart area(String name, double[] x, double[] height) {
        double[] low = areas.isEmpty()
                ? new double[x.length]
                : areas.get(areas.size() - 1).high();
        double[] high = new double[x.length];
        for (int i = 0; i < x.length; i++) {
            high[i] = low[i] + height[i];
        }
        areas.add(new Band(x, low, high));
        names.add(name);
        return this;
    }

    /** The SVG element. */
    public String render() {
        top = names.size() > 1 ? TOP + LEGEND : TOP;
        ranges();
        StringBuilder svg = new StringBuilder(4_000);
        svg.append(text(
                "<svg class=\"chart\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\""
                        + " aria-label=\"%s\">%n<style>%n%s</style>%n",
                WIDTH, HEIGHT, escape(title), STYLE));
        String clip = "plot-" + Integer.toHexString(title.hashCode());
        svg.append(text(
                "<clipPath id=\"%s\"><rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/></clipPath>%n",
                clip, LEFT, top, WIDTH - LEFT - RIGHT, HEIGHT - top - BOTTOM));
        label(svg, "title", LEFT, 22, "start", title);
        if (names.size() > 1) {
            legend(svg);
        }
        axes(svg);
        svg.append(text("<g clip-path=\"url(#%s)\">%n", clip));
        bands.forEach(band ->
                svg.append("<path class=\"band\" d=\"").append(outline(band)).append("Z\"/>\n"));
        for (int i = 0; i < areas.size(); i++) {
            svg.append(text("<path class=\"fill c%d\" d=\"%sZ\"/>%n", i % COLOURS, outline(areas.get(i))));
        }
        curves.forEach(curve -> svg.append("<path class=\"law\" d=\"")
                .append(path("M", curve.x(), curve.y(), false))
                .append("\"/>\n"));
        for (int i = 0; i < lines.size(); i++) {
            line(svg, i);
        }
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
        lines.forEach(line -> {
            for (int i = 0; i < line.x().length; i++) {
                if (Double.isFinite(line.y()[i])) {
                    widen(xRange, scaled(line.x()[i]));
                    widen(yRange, line.y()[i]);
                }
            }
        });
        areas.forEach(area -> {
            for (int i = 0; i < area.x().length; i++) {
                widen(xRange, scaled(area.x()[i]));
                widen(yRange, area.low()[i]);
                widen(yRange, area.high()[i]);
            }
        });
        if (xRange[0] > xRange[1]) {
            throw new IllegalStateException("the chart '" + title + "' has nothing to show");
        }
        pad(xRange);
        pad(yRange);
        if (!areas.isEmpty()) {
            yRange[0] = 0;
        }
    }

    private static void widen(double[] range, double value) {
        range[0] = Math.min(range[0], value);
        range[1] = Math.max(range[1], value);
    }

    private static void pad(double[] range) {
        double extent = range[1] - range[0];
        double size = Math.max(Math.abs(range[0]), Math.abs(range[1]));
        // What only rounding makes differ is one value.
        double margin = MARGIN * (extent > ROUNDING * size ? extent : Math.max(LEAST, size));
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
        return top + (1 - Math.max(-2, Math.min(3, share))) * (HEIGHT - top - BOTTOM);
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

    private void dots(StringBuilder svg, int number) {
        Curve dots = lines.get(number);
        for (int i = 0; i < dots.x().length; i++) {
            svg.append(text(
                    "<path class=\"fill c%d\" d=\"M%.1f %.1f%s\"><title>%s: %s, %s</title></path>%n",
                    number % COLOURS,
                    column(dots.x()[i]),
                    row(dots.y()[i]),
                    shape(number),
                    escape(names.get(number)),
                    Figures.of(dots.x()[i]),
                    Figures.of(dots.y()[i])));
        }
    }

    /** The next one where the colours begin again. */
    private static String shape(int number) {
        return SHAPES.get((number + number / COLOURS) % SHAPES.size());
    }

    private void line(StringBuilder svg, int number) {
        Curve line = lines.get(number);
        if (!line.joined()) {
            dots(svg, number);
            return;
        }
        int colour = number % COLOURS;
        StringBuilder path = new StringBuilder();
        boolean dots = line.x().length <= DOTS;
        StringBuilder points = new StringBuilder();
        boolean gap = true;
        for (int i = 0; i < line.x().length; i++) {
            double y = line.y()[i];
            if (!Double.isFinite(y)) {
                gap = true;
                continue;
            }
            path.append(text("%s%.1f %.1f", gap ? "M" : "L", column(line.x()[i]), row(y)));
            gap = false;
            if (dots) {
                points.append(text(
                        "<circle class=\"fill c%d\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\"><title>%s %s: %s</title></circle>%n",
                        colour,
                        column(line.x()[i]),
                        row(y),
                        escape(names.get(number)),
                        Figures.of(line.x()[i]),
                        Figures.of(y)));
            }
        }
        svg.append(text("<path class=\"line c%d\" d=\"%s\"/>%n", colour, path)).append(points);
    }

    private void legend(StringBuilder svg) {
        double x = LEFT;
        for (int i = 0; i < names.size(); i++) {
            svg.append(
                    i < lines.size() && !lines.get(i).joined()
                            ? text(
                                    "<path class=\"fill c%d\" d=\"M%.1f %d%s\"/>%n",
                                    i % COLOURS, x + 5, TOP + 2, shape(i))
                            : text(
                                    "<rect class=\"fill c%d\" x=\"%.1f\" y=\"%d\" width=\"11\" height=\"11\"/>%n",
                                    i % COLOURS, x, TOP - 4));
            label(svg, "name", x + 16, TOP + 6, "start", names.get(i));
            x += 30 + LETTER * names.get(i).length();
        }
    }

    private void mark(StringBuilder svg, Mark mark) {
        if (mark.bar().known()) {
            double high = Math.max(top, row(mark.bar().high()));
            double low = Math.min(HEIGHT - BOTTOM, row(mark.bar().low()));
            svg.append(text("<path class=\"bar\" d=\"M%1$.1f %2$.1fL%1$.1f %3$.1f\"/>%n", column(mark.x()), high, low));
        }
        svg.append(text(
                "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"4.5\"><title>%s</title></circle>%n",
                mark.shape(), column(mark.x()), row(mark.y()), escape(mark.says())));
    }

    // ---- Axes

    private void axes(StringBuilder svg) {
        for (double y : steps(yRange, 0)) {
            double row = row(y);
            svg.append(text("<path class=\"grid\" d=\"M%d %.1fH%d\"/>%n", LEFT, row, WIDTH - RIGHT));
            label(svg, "tick", LEFT - 8, row + 4, "end", Figures.of(y));
        }
        DoubleFunction<String> name = logarithmic ? SvgChart::power : Figures::of;
        for (double x : logarithmic ? decades() : steps(xRange, whole ? 1 : 0)) {
            double column = column(x);
            svg.append(text("<path class=\"grid\" d=\"M%.1f %dV%d\"/>%n", column, top, HEIGHT - BOTTOM));
            label(svg, "tick", column, HEIGHT - BOTTOM + 18, "middle", name.apply(x));
        }
        label(svg, "axis", (LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 12, "middle", xTitle);
        double middle = (top + HEIGHT - BOTTOM) / 2.0;
        svg.append(text(
                "<text class=\"axis\" transform=\"translate(16 %.1f) rotate(-90)\" text-anchor=\"middle\">%s</text>%n",
                middle, escape(yTitle)));
    }

    /** Round numbers within a range, no closer than {@code least}. */
    private static List<Double> steps(double[] range, double least) {
        double rough = (range[1] - range[0]) / TICKS;
        double power = Math.pow(10, Math.floor(Math.log10(rough)));
        double round = power * (rough / power > 5 ? 10 : rough / power > 2 ? 5 : rough / power > 1 ? 2 : 1);
        double step = Math.max(least, round);
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

    /** Text as it may stand in SVG and HTML. */
    public static String escape(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }

    private static String text(String format, Object... values) {
        return String.format(Locale.ROOT, format.replace("%n", "\n"), values);
    }
}
