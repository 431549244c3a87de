package io.rasterflow.cli;

import io.rasterflow.model.probe.Confusion;
import io.rasterflow.model.probe.ProbeReport;
import io.rasterflow.model.probe.ProbeReports;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** A probe's reports as tables for a person and as fields for a script. */
final class ProbeText {
    /** With more classes the tables go to the report file alone. */
    private static final int MOST_CLASSES = 20;

    private ProbeText() {}

    static void print(PrintStream out, ProbeReports reports) {
        ProbeReport chosen = reports.chosen();
        out.printf(
                Locale.ROOT,
                "%s probe on block%s %s: top-1 %.2f %%, top-5 %.2f %%%s, on %d images (trained on %d)%n",
                chosen.kind().label(),
                chosen.blocks().indices().size() == 1 ? "" : "s",
                chosen.blocks(),
                100 * chosen.accuracy(),
                100 * chosen.top5(),
                Double.isNaN(chosen.loss()) ? "" : String.format(Locale.ROOT, ", loss %.4f", chosen.loss()),
                chosen.validationImages(),
                chosen.trainImages());
        if (reports.layers().size() > 1) {
            layers(out, reports, chosen);
        }
        if (chosen.candidates().size() > 1) {
            rates(out, chosen);
        }
        if (chosen.confusion().classes() <= MOST_CLASSES) {
            classes(out, chosen.confusion());
        }
    }

    private static void layers(PrintStream out, ProbeReports reports, ProbeReport chosen) {
        out.printf("%n  block  held out   top-1   top-5    loss   rate   (* best on held-out training images)%n");
        for (ProbeReport report : reports.layers()) {
            out.printf(
                    Locale.ROOT,
                    "%1s %5s  %6.2f %%  %5.2f %%  %5.2f %%  %s%n",
                    report == chosen ? "*" : "",
                    report.blocks(),
                    100 * report.heldOutAccuracy(),
                    100 * report.accuracy(),
                    100 * report.top5(),
                    Double.isNaN(report.loss())
                            ? ""
                            : String.format(Locale.ROOT, "%.4f  %.0e", report.loss(), report.learningRate()));
        }
    }

    private static void rates(PrintStream out, ProbeReport chosen) {
        out.printf("%n   learning rate  held out    loss   (* taken)%n");
        for (ProbeReport.Candidate candidate : chosen.candidates()) {
            out.printf(
                    Locale.ROOT,
                    "%1s  %13.1e  %6.2f %%  %.4f%n",
                    candidate.learningRate() == chosen.learningRate() ? "*" : "",
                    candidate.learningRate(),
                    100 * candidate.accuracy(),
                    candidate.loss());
        }
    }

    private static void classes(PrintStream out, Confusion confusion) {
        out.printf("%n  class  precision    recall  images   taken for each class%n");
        for (Confusion.ClassRow row : confusion.table()) {
            StringBuilder counts = new StringBuilder();
            for (int predicted = 0; predicted < confusion.classes(); predicted++) {
                counts.append(String.format("%6d", confusion.count(row.label(), predicted)));
            }
            out.printf(
                    Locale.ROOT,
                    "%7d   %8s  %8s  %6d  %s%n",
                    row.label(),
                    percent(row.precision()),
                    percent(row.recall()),
                    row.support(),
                    counts);
        }
    }

    private static String percent(double fraction) {
        return Double.isNaN(fraction) ? "-" : String.format(Locale.ROOT, "%.2f %%", 100 * fraction);
    }

    /** The fields of the chosen report, without the tables of classes. */
    static Map<String, Object> summary(ProbeReports reports) {
        ProbeReport chosen = reports.chosen();
        Map<String, Object> fields = new LinkedHashMap<>(figures(chosen));
        List<Map<String, Object>> layers = new ArrayList<>();
        reports.layers().forEach(report -> layers.add(figures(report)));
        if (layers.size() > 1) {
            fields.put("layers", layers);
        }
        return fields;
    }

    /** Everything, with the table of classes and the confusion matrix (row: true class, column: predicted class). */
    static Map<String, Object> full(ProbeReports reports) {
        Map<String, Object> fields = summary(reports);
        Confusion confusion = reports.chosen().confusion();
        List<Map<String, Object>> classes = new ArrayList<>();
        for (Confusion.ClassRow row : confusion.table()) {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("class", row.label());
            one.put("precision", finite(row.precision()));
            one.put("recall", finite(row.recall()));
            one.put("support", row.support());
            one.put("predicted", row.taken());
            int mistaken = confusion.mistakenFor(row.label());
            one.put("mistakenFor", mistaken < 0 ? null : mistaken);
            classes.add(one);
        }
        fields.put("classes", classes);
        fields.put("confusion", confusion.rows());
        return fields;
    }

    private static Map<String, Object> figures(ProbeReport report) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("kind", report.kind().label());
        fields.put("blocks", report.blocks().toString());
        fields.put("probe", report.accuracy());
        fields.put("top5", report.top5());
        fields.put("loss", finite(report.loss()));
        fields.put("trainLoss", finite(report.trainLoss()));
        fields.put("learningRate", finite(report.learningRate()));
        fields.put("heldOut", finite(report.heldOutAccuracy()));
        fields.put("trainImages", report.trainImages());
        fields.put("validationImages", report.validationImages());
        List<Map<String, Object>> rates = new ArrayList<>();
        for (ProbeReport.Candidate candidate : report.candidates()) {
            Map<String, Object> rate = new LinkedHashMap<>();
            rate.put("learningRate", finite(candidate.learningRate()));
            rate.put("heldOut", candidate.accuracy());
            rate.put("loss", finite(candidate.loss()));
            rates.add(rate);
        }
        if (rates.size() > 1) {
            fields.put("learningRates", rates);
        }
        return fields;
    }

    /** JSON has no NaN. */
    private static Double finite(double value) {
        return Double.isFinite(value) ? value : null;
    }
}
