package io.rasterflow.sweep;

import java.awt.Color;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.BitmapEncoder.BitmapFormat;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.style.Styler.LegendPosition;

/** {@code sweep.png}: the accuracies of a sweep's runs as bars, in percent. */
public final class SweepPlot {

    private static final int BAR_PIXELS = 70;
    private static final int HEIGHT = 600;
    private static final double MARGIN = 5;

    private SweepPlot() {}

    /** @return false where no run has an accuracy, and nothing is written */
    public static boolean write(Path file, String sweep, List<SweepResult> results) throws IOException {
        List<SweepResult> drawn =
                results.stream().filter(result -> result.attentive() != null).toList();
        if (drawn.isEmpty()) {
            return false;
        }
        System.setProperty("java.awt.headless", "true");
        CategoryChart chart = new CategoryChartBuilder()
                .width(300 + BAR_PIXELS * drawn.size())
                .height(HEIGHT)
                .title(sweep)
                .yAxisTitle("top-1 accuracy, %")
                .build();
        style(chart);
        List<String> names = drawn.stream().map(SweepResult::name).toList();
        List<Double> shown = new ArrayList<>();
        add(
                chart,
                "attentive probe",
                names,
                drawn.stream().map(SweepResult::attentive).toList(),
                shown);
        TreeSet<String> kinds = new TreeSet<>();
        drawn.forEach(result -> kinds.addAll(result.probes().keySet()));
        for (String kind : kinds) {
            List<Double> values =
                    drawn.stream().map(result -> result.probes().get(kind)).toList();
            add(chart, kind + " probe", names, values, shown);
        }
        // Differences of a point or two would not show between bars that begin at 0.
        double least = shown.stream().mapToDouble(value -> value).min().orElse(0);
        double most = shown.stream().mapToDouble(value -> value).max().orElse(100);
        chart.getStyler().setYAxisMin(Math.max(0, Math.floor(least / MARGIN - 1) * MARGIN));
        chart.getStyler().setYAxisMax(Math.min(100, Math.ceil(most / MARGIN) * MARGIN));
        try (OutputStream out = Files.newOutputStream(file)) {
            BitmapEncoder.saveBitmap(chart, out, BitmapFormat.PNG);
        }
        return true;
    }

    private static void add(
            CategoryChart chart, String series, List<String> names, List<Double> fractions, List<Double> shown) {
        List<Double> percent = new ArrayList<>();
        for (Double fraction : fractions) {
            percent.add(fraction == null ? null : 100 * fraction);
            if (fraction != null) {
                shown.add(100 * fraction);
            }
        }
        chart.addSeries(series, names, percent);
    }

    private static void style(CategoryChart chart) {
        chart.getStyler().setLegendPosition(LegendPosition.OutsideS);
        chart.getStyler().setChartBackgroundColor(Color.WHITE);
        chart.getStyler().setXAxisLabelRotation(45);
        chart.getStyler().setAvailableSpaceFill(0.8);
        chart.getStyler().setYAxisDecimalPattern("0.#");
    }
}
