package io.rasterflow.scaling;

import io.rasterflow.actors.plan.Cluster;
import io.rasterflow.actors.plan.CoordinatorLoad;
import io.rasterflow.actors.plan.Plan;
import io.rasterflow.actors.plan.Reliability;
import io.rasterflow.actors.plan.StepTimes;
import io.rasterflow.monitoring.plot.Figures;
import io.rasterflow.scaling.ScalingStudy.Rate;
import io.rasterflow.scaling.ScalingStudy.Result;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** {@code README.md} with tables and plots; its words stand in the resource {@code page.md}. */
public final class ScalingPage {

    private static final String WORDS = "io/rasterflow/scaling/page.md";

    private ScalingPage() {}

    /** Writes the page and its plots; the page is the first of the files. */
    public static List<Path> write(Path folder, String command, Result result) throws IOException {
        Files.createDirectories(folder);
        List<Path> files = new ArrayList<>();
        Path page = folder.resolve("README.md");
        Files.writeString(page, page(command, result));
        files.add(page);
        files.addAll(ScalingPlots.write(folder, result));
        return files;
    }

    private static String page(String command, Result result) throws IOException {
        String text;
        try (InputStream in = ScalingPage.class.getClassLoader().getResourceAsStream(WORDS)) {
            if (in == null) {
                throw new IllegalStateException("the resource " + WORDS + " is missing; rebuild cluster-config");
            }
            text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
        Map<String, String> places = new LinkedHashMap<>();
        places.put("command", command);
        places.put("name", result.study().name());
        places.put("share", Integer.toString(result.study().imagesPerRank()));
        places.put("assumptions", assumptions(result));
        places.put("sameBatch", steps(result.sameBatch()));
        places.put("sameShare", steps(result.sameShare()));
        places.put("failures", failures(result));
        places.put("rates", rates(result.rates()));
        places.put("coordinator", coordinator(result));
        places.put("failureCount", text("%,d", result.study().effort().failures()));
        for (Map.Entry<String, String> place : places.entrySet()) {
            text = text.replace("{{" + place.getKey() + "}}", place.getValue());
        }
        return text;
    }

    // ---- Tables

    private static String assumptions(Result result) {
        Plan plan = result.sameBatch().get(result.sameBatch().size() - 1);
        Cluster.Rank rank = plan.cluster().rank();
        Cluster.Link link = plan.cluster().link();
        Reliability rates = plan.reliability();
        Reliability.Repair repair = rates.repair();
        StringBuilder table = new StringBuilder("| | |\n|---|---|\n");
        row(
                table,
                "model",
                text(
                        "%s, %,d parameters, %s FLOP an image, gradients %.2f GB in %d buckets",
                        result.study().name(),
                        plan.workload().parameters(),
                        Figures.of(plan.workload().flopsPerImage()),
                        plan.workload().gradientBytes() / 1e9,
                        plan.workload().bucketFloats().size()));
        row(
                table,
                "rank",
                text(
                        "%s FLOP/s at %.0f %%, jitter %s a micro-batch, %s %% of ranks %s times as slow;"
                                + " %s GB/s to its host, optimizer %s GB/s",
                        Figures.of(rank.flops()),
                        100 * rank.utilisation(),
                        Figures.of(rank.jitter()),
                        Figures.of(100 * rank.slowFraction()),
                        Figures.of(rank.slowFactor()),
                        Figures.of(rank.deviceBytesPerSecond() / 1e9),
                        Figures.of(rank.updateBytesPerSecond() / 1e9)));
        row(
                table,
                "host",
                text(
                        "%d ranks, card %s Gbit/s each way, %s µs to another host, memory %s GB/s; a rank's"
                                + " thread %s GB/s and %s µs a frame",
                        plan.cluster().local(),
                        Figures.of(link.nicBytesPerSecond() * 8 / 1e9),
                        Figures.of(link.latencySeconds() * 1e6),
                        Figures.of(link.memoryBytesPerSecond() / 1e9),
                        Figures.of(link.rankBytesPerSecond() / 1e9),
                        Figures.of(link.frameSeconds() * 1e6)));
        row(
                table,
                "failures",
                text(
                        "a host every %,.0f h, %.0f %% of them silent; back after %.0f minutes",
                        rates.mtbfHours(), 100 * rates.silentFraction(), rates.replaceSeconds() / 60));
        row(
                table,
                "repair",
                text(
                        "noticed within %s ms, a silent one after %s s and a question; coordinator %,.0f messages/s"
                                + " and %s MB/s, %s µs for a connection",
                        Figures.of(repair.noticeSeconds() * 1e3),
                        Figures.of(repair.silenceSeconds()),
                        repair.messagesPerSecond(),
                        Figures.of(repair.controlBytesPerSecond() / 1e6),
                        Figures.of(repair.connectSeconds() * 1e6)));
        row(
                table,
                "restart",
                text(
                        "checkpoint every %.0f minutes, time-out %.0f s, then %.0f s",
                        rates.restart().checkpointSeconds() / 60,
                        rates.restart().timeoutSeconds(),
                        rates.restart().restartSeconds()));
        return table.toString().strip();
    }

    private static String steps(List<Plan> plans) {
        StringBuilder table =
                new StringBuilder("| ranks | images a step | computing, slowest rank | exchange not hidden:"
                        + " direct | ring | step: direct | ring | images/s | of the peak | sent a rank |\n"
                        + "|---|---|---|---|---|---|---|---|---|---|\n");
        for (Plan plan : plans) {
            StepTimes direct = plan.direct();
            StepTimes ring = plan.ring();
            row(
                    table,
                    text("%,d", plan.cluster().ranks()),
                    text("%,d", plan.workload().batch()),
                    seconds(plan.step().slowestSeconds()),
                    seconds(direct.exposedSeconds()),
                    seconds(ring.exposedSeconds()),
                    form(direct, plan),
                    form(ring, plan),
                    text("%,.0f", plan.imagesPerSecond()),
                    text("%.1f %%", 100 * plan.utilisation()),
                    text("%.2f GB", plan.step().bytesPerRank() / 1e9));
        }
        return table.toString().strip();
    }

    /** Bold for the form that such a world uses, a star for what was simulated in aggregate. */
    private static String form(StepTimes times, Plan plan) {
        String shown = seconds(times.stepSeconds()) + (times.everyMessage() ? "" : "*");
        return times.equals(plan.step()) ? "**" + shown + "**" : shown;
    }

    private static String failures(Result result) {
        StringBuilder table = new StringBuilder(
                "| ranks | failures a day | step begun again after | silent | state for a"
                        + " host | goodput | restart, noticed at once | restart, time-out |\n|---|---|---|---|---|---|---|---|\n");
        for (Plan plan : result.sameShare()) {
            boolean one = plan.cluster().hosts() == 1;
            row(
                    table,
                    text("%,d", plan.cluster().ranks()),
                    Figures.of(plan.failures(24)),
                    one ? "-" : seconds(plan.repairSeconds(false)),
                    one ? "-" : seconds(plan.repairSeconds(true)),
                    seconds(plan.transferSeconds()),
                    text("%.2f %%", 100 * plan.repaired().fraction()),
                    text("%.2f %%", 100 * plan.restartedAtOnce().fraction()),
                    text("%.2f %%", 100 * plan.restarted().fraction()));
        }
        return table.toString().strip();
    }

    private static String rates(List<Rate> rates) {
        StringBuilder table =
                new StringBuilder("| ranks | hours between failures of a host | goodput | restart, noticed at"
                        + " once | restart, time-out |\n|---|---|---|---|---|\n");
        for (Rate rate : rates) {
            row(
                    table,
                    text("%,d", rate.ranks()),
                    text("%,.0f", rate.hours()),
                    text("%.2f %%", 100 * rate.repaired().fraction()),
                    text("%.2f %%", 100 * rate.restartedAtOnce().fraction()),
                    text("%.2f %%", 100 * rate.restarted().fraction()));
        }
        return table.toString().strip();
    }

    private static String coordinator(Result result) {
        StringBuilder table =
                new StringBuilder("| ranks | messages/s | MB/s | of its time | messages to re-form | a second"
                        + " at most | re-formed after | joined after |\n|---|---|---|---|---|---|---|---|\n");
        result.sameShare().forEach(plan -> coordinator(table, plan));
        return table.toString().strip();
    }

    private static void coordinator(StringBuilder table, Plan plan) {
        CoordinatorLoad load = plan.coordinator();
        boolean one = plan.cluster().hosts() == 1;
        boolean never = Double.isInfinite(load.reformSeconds());
        row(
                table,
                text("%,d", plan.cluster().ranks()),
                text("%,.0f", load.messagesPerSecond()),
                Figures.of(load.bytesPerSecond() / 1e6),
                text("%s %%", Figures.of(100 * load.busyFraction())),
                one || never ? "-" : text("%,d", load.reformMessages()),
                one ? "-" : text("%,.0f", load.peakPerSecond()),
                one ? "-" : seconds(load.reformSeconds()),
                one ? "-" : seconds(load.joinSeconds()));
    }

    private static void row(StringBuilder table, String... cells) {
        table.append("| ").append(String.join(" | ", cells)).append(" |\n");
    }

    private static String seconds(double seconds) {
        return Double.isInfinite(seconds) ? "never" : text(seconds < 1 ? "%.0f ms" : "%.2f s", scaled(seconds));
    }

    private static double scaled(double seconds) {
        return seconds < 1 ? 1000 * seconds : seconds;
    }

    private static String text(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }

    // ---- For scripts

    /** The figures of the page. */
    public static Map<String, Object> fields(Result result) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("name", result.study().name());
        fields.put("sameBatch", plans(result.sameBatch()));
        fields.put("sameShare", plans(result.sameShare()));
        List<Map<String, Object>> rates = new ArrayList<>();
        for (Rate rate : result.rates()) {
            Map<String, Object> of = new LinkedHashMap<>();
            of.put("ranks", rate.ranks());
            of.put("mtbfHours", rate.hours());
            of.put("goodput", rate.repaired().fraction());
            of.put("restartGoodput", rate.restarted().fraction());
            of.put("restartAtOnceGoodput", rate.restartedAtOnce().fraction());
            rates.add(of);
        }
        fields.put("rates", rates);
        return fields;
    }

    private static List<Map<String, Object>> plans(List<Plan> plans) {
        List<Map<String, Object>> all = new ArrayList<>();
        for (Plan plan : plans) {
            Map<String, Object> fields = new LinkedHashMap<>();
            fields.put("ranks", plan.cluster().ranks());
            fields.put("batch", plan.workload().batch());
            fields.put("imagesPerSecond", plan.imagesPerSecond());
            fields.put("direct", plan.direct());
            fields.put("ring", plan.ring());
            fields.put("coordinator", finite(plan.coordinator()));
            fields.put("goodput", plan.repaired().fraction());
            fields.put("restartGoodput", plan.restarted().fraction());
            fields.put("restartAtOnceGoodput", plan.restartedAtOnce().fraction());
            all.add(fields);
        }
        return all;
    }

    /** JSON knows no infinity: what never ends is left out. */
    private static Map<String, Object> finite(CoordinatorLoad load) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("messagesPerSecond", load.messagesPerSecond());
        fields.put("bytesPerSecond", load.bytesPerSecond());
        fields.put("busyFraction", load.busyFraction());
        fields.put("keepsUp", load.keepsUp());
        fields.put("reformMessages", load.reformMessages());
        fields.put("peakPerSecond", load.peakPerSecond());
        if (load.keepsUp()) {
            fields.put("reformSeconds", load.reformSeconds());
            fields.put("joinSeconds", load.joinSeconds());
        }
        return fields;
    }
}
