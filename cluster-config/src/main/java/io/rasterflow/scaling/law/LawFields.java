package io.rasterflow.scaling.law;

import io.rasterflow.monitoring.science.Correlation;
import io.rasterflow.monitoring.science.Interval;
import io.rasterflow.monitoring.science.Prediction;
import io.rasterflow.monitoring.science.Quantity;
import io.rasterflow.monitoring.science.RunPoint;
import io.rasterflow.monitoring.science.ScalingAnalysis;
import io.rasterflow.monitoring.science.ScalingFit;
import io.rasterflow.monitoring.science.ScalingSeries;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The analysis for scripts; what is not known is null. */
public final class LawFields {

    private LawFields() {}

    /** Everything that the text says, and the figures behind it. */
    public static Map<String, Object> of(ScalingAnalysis analysis, List<String> leftOut) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("runs", analysis.runs().stream().map(LawFields::run).toList());
        fields.put("laws", analysis.series().stream().map(LawFields::law).toList());
        Map<String, Object> correlations = new LinkedHashMap<>();
        analysis.correlations().forEach((kind, correlation) -> correlations.put(kind, correlation(correlation)));
        fields.put("correlations", correlations);
        fields.put("notes", analysis.notes());
        fields.put("leftOut", leftOut);
        return fields;
    }

    private static Map<String, Object> run(RunPoint run) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("name", run.name());
        fields.put("run", run.directory());
        fields.put("parameters", run.parameters());
        fields.put("trainImages", run.trainImages());
        fields.put("samples", run.samples());
        fields.put("flops", number(run.flops()));
        fields.put("step", run.step());
        fields.put("steps", run.steps());
        fields.put("validationLoss", run.loss());
        fields.put("accuracies", run.accuracies());
        return fields;
    }

    private static Map<String, Object> law(ScalingSeries series) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put(
                "quantities", series.quantities().stream().map(Quantity::label).toList());
        fields.put("selection", series.selection());
        fields.put("runs", series.runs().stream().map(RunPoint::name).toList());
        fields.put("problem", series.problem());
        if (series.fit().isEmpty()) {
            return fields;
        }
        ScalingFit fit = series.fit().get();
        fields.put("floor", fit.law().floor());
        fields.put("floorInterval", interval(fit.floor()));
        List<Object> terms = new ArrayList<>();
        for (int k = 0; k < series.quantities().size(); k++) {
            Map<String, Object> term = new LinkedHashMap<>();
            term.put("quantity", series.quantities().get(k).label());
            term.put("scale", number(fit.law().terms().get(k).scale()));
            term.put("scaleInterval", interval(fit.scale(k)));
            term.put("exponent", fit.law().terms().get(k).exponent());
            term.put("exponentInterval", interval(fit.exponent(k)));
            terms.add(term);
        }
        fields.put("terms", terms);
        fields.put("deviation", number(fit.deviation()));
        fields.put("r2", number(fit.explained()));
        fields.put("degreesOfFreedom", fit.freedom());
        fields.put("heldOut", series.heldOut().stream().map(LawFields::heldOut).toList());
        Map<String, Object> next = prediction(series.next());
        next.put("sizes", series.nextSizes());
        fields.put("next", next);
        return fields;
    }

    private static Map<String, Object> heldOut(ScalingSeries.HeldOut heldOut) {
        Map<String, Object> fields = prediction(heldOut.prediction());
        fields.put("run", heldOut.run().name());
        fields.put("measured", heldOut.run().loss());
        fields.put("relativeError", heldOut.relativeError());
        fields.put("within", heldOut.within().orElse(null));
        return fields;
    }

    private static Map<String, Object> prediction(Prediction prediction) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("loss", prediction.value());
        fields.put("lossInterval", interval(prediction.interval()));
        return fields;
    }

    private static Map<String, Object> correlation(Correlation correlation) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("points", correlation.points());
        fields.put("pearson", number(correlation.pearson()));
        fields.put("pearsonInterval", interval(new Interval(correlation.pearsonLow(), correlation.pearsonHigh())));
        fields.put("spearman", number(correlation.spearman()));
        fields.put("spearmanInterval", interval(new Interval(correlation.spearmanLow(), correlation.spearmanHigh())));
        fields.put("slope", number(correlation.line().slope()));
        fields.put("intercept", number(correlation.line().intercept()));
        return fields;
    }

    private static List<Double> interval(Interval interval) {
        Double low = number(interval.low());
        Double high = number(interval.high());
        return low == null || high == null ? null : List.of(low, high);
    }

    private static Double number(double value) {
        return Double.isFinite(value) ? value : null;
    }
}
