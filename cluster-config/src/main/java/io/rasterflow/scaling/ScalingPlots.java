package io.rasterflow.scaling;

import io.rasterflow.actors.plan.Goodput;
import io.rasterflow.actors.plan.Plan;
import io.rasterflow.actors.plan.StepTimes;
import io.rasterflow.scaling.ScalingStudy.Rate;
import io.rasterflow.scaling.ScalingStudy.Result;
import java.awt.Color;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.BitmapEncoder.BitmapFormat;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.internal.chartpart.Chart;
import org.knowm.xchart.style.Styler.LegendPosition;

/** The plots of the page. */
final class ScalingPlots {

    private static final int WIDTH = 760;
    private static final int HEIGHT = 420;

    private ScalingPlots() {}

    /** Writes all of them and returns their files. */
    static List<Path> write(Path folder, Result result) throws IOException {
        System.setProperty("java.awt.headless", "true");
        List<Path> files = new ArrayList<>();
        files.add(save(folder.resolve("step-same-batch.png"), steps("The same batch", result.sameBatch())));
        String share = result.study().imagesPerRank() + " images for every rank";
        files.add(save(folder.resolve("step-same-share.png"), steps(share, result.sameShare())));
        files.add(save(folder.resolve("goodput.png"), goodput(result.rates())));
        files.add(save(folder.resolve("coordinator.png"), coordinator(result.sameShare())));
        return files;
    }

    private static Path save(Path file, Chart<?, ?> chart) throws IOException {
        try (OutputStream out = Files.newOutputStream(file)) {
            BitmapEncoder.saveBitmap(chart, out, BitmapFormat.PNG);
        }
        return file;
    }

    /** A bar for each world and form of the exchange, the parts of a step on top of each other. */
    private static CategoryChart steps(String title, List<Plan> plans) {
        CategoryChart chart = new CategoryChartBuilder()
                .width(WIDTH)
                .height(HEIGHT)
                .title(title + ": where a step's time goes")
                .yAxisTitle("share of the step, %")
                .build();
        style(chart);
        chart.getStyler().setStacked(true);
        chart.getStyler().setAvailableSpaceFill(0.7);
        chart.getStyler().setYAxisMax(100.0);
        List<String> bars = new ArrayList<>();
        List<StepTimes> times = new ArrayList<>();
        for (Plan plan : plans) {
            bars.add(plan.cluster().ranks() + " direct");
            times.add(plan.direct());
            bars.add(plan.cluster().ranks() + " ring");
            times.add(plan.ring());
        }
        part(chart, "computing", bars, times, StepTimes::computeSeconds);
        part(chart, "waiting for the slowest", bars, times, step -> step.slowestSeconds() - step.computeSeconds());
        part(chart, "exchange that nothing hides", bars, times, StepTimes::exposedSeconds);
        part(chart, "update", bars, times, StepTimes::updateSeconds);
        return chart;
    }

    private static void part(
            CategoryChart chart,
            String name,
            List<String> bars,
            List<StepTimes> times,
            ToDoubleFunction<StepTimes> seconds) {
        List<Double> shares = times.stream()
                .map(step -> 100 * seconds.applyAsDouble(step) / step.stepSeconds())
                .toList();
        chart.addSeries(name, bars, shares);
    }

    private static XYChart goodput(List<Rate> rates) {
        XYChart chart = lines("What failures leave", "hours between the failures of one host", "goodput, %");
        chart.getStyler().setXAxisLogarithmic(true);
        chart.getStyler().setYAxisMin(0.0);
        chart.getStyler().setYAxisMax(100.0);
        for (int ranks : rates.stream().map(Rate::ranks).distinct().toList()) {
            List<Rate> of = rates.stream().filter(rate -> rate.ranks() == ranks).toList();
            curve(chart, ranks + " ranks, same step again", of, Rate::repaired);
            curve(chart, ranks + ", restart at once", of, Rate::restartedAtOnce);
            curve(chart, ranks + ", restart after time-out", of, Rate::restarted);
        }
        return chart;
    }

    private static void curve(XYChart chart, String name, List<Rate> rates, Function<Rate, Goodput> way) {
        chart.addSeries(
                name,
                rates.stream().map(Rate::hours).toList(),
                rates.stream().map(rate -> 100 * way.apply(rate).fraction()).toList());
    }

    private static XYChart coordinator(List<Plan> plans) {
        XYChart chart = lines("The coordinator's messages", "ranks", "messages per second");
        chart.getStyler().setXAxisLogarithmic(true);
        chart.getStyler().setYAxisLogarithmic(true);
        List<Integer> ranks = plans.stream().map(plan -> plan.cluster().ranks()).toList();
        chart.addSeries(
                "while the run goes on",
                ranks,
                plans.stream()
                        .map(plan -> plan.coordinator().messagesPerSecond())
                        .toList());
        chart.addSeries(
                "in the busiest tenth of a second",
                ranks,
                plans.stream().map(plan -> plan.coordinator().peakPerSecond()).toList());
        return chart;
    }

    private static XYChart lines(String title, String x, String y) {
        XYChart chart = new XYChartBuilder()
                .width(WIDTH)
                .height(HEIGHT)
                .title(title)
                .xAxisTitle(x)
                .yAxisTitle(y)
                .build();
        style(chart);
        chart.getStyler().setMarkerSize(6);
        return chart;
    }

    private static void style(Chart<?, ?> chart) {
        chart.getStyler().setChartBackgroundColor(Color.WHITE);
        chart.getStyler().setLegendPosition(LegendPosition.OutsideE);
    }
}
