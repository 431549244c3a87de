package io.rasterflow.cli;

import io.rasterflow.actors.plan.Cluster;
import io.rasterflow.actors.plan.CoordinatorLoad;
import io.rasterflow.actors.plan.Goodput;
import io.rasterflow.actors.plan.Plan;
import io.rasterflow.actors.plan.Reliability;
import io.rasterflow.actors.plan.StepSimulation.Form;
import io.rasterflow.actors.plan.StepTimes;
import io.rasterflow.actors.plan.Workload;
import io.rasterflow.monitoring.plot.Figures;
import java.io.PrintStream;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * What {@code rasterflow plan --ranks} prints.
 *
 * @param images of the whole run
 * @param price of a host for an hour, or null
 */
record PlanReport(String name, Plan plan, double images, Double price) {

    void print(PrintStream out) {
        Cluster cluster = plan.cluster();
        Workload workload = plan.workload();
        Cluster.Rank rank = cluster.rank();
        Cluster.Link link = cluster.link();
        line(
                out,
                "job",
                "%s: %,d parameters, batches of %,d images in %,d micro-batches, %s images",
                name,
                workload.parameters(),
                workload.batch(),
                workload.microBatches(),
                Figures.of(images));
        line(
                out,
                "machines",
                "%,d ranks on hosts of %d; %s FLOP/s at %s %%, jitter %s, %s %% of ranks %s times as slow",
                cluster.ranks(),
                cluster.local(),
                Figures.of(rank.flops()),
                Figures.of(100 * rank.utilisation()),
                Figures.of(rank.jitter()),
                Figures.of(100 * rank.slowFraction()),
                Figures.of(rank.slowFactor()));
        line(
                out,
                "links",
                "%s Gbit/s a host, %s us, memory %s GB/s, a rank's thread %s GB/s and %s us a frame,"
                        + " device %s GB/s",
                Figures.of(link.nicBytesPerSecond() * 8 / 1e9),
                Figures.of(link.latencySeconds() * 1e6),
                Figures.of(link.memoryBytesPerSecond() / 1e9),
                Figures.of(link.rankBytesPerSecond() / 1e9),
                Figures.of(link.frameSeconds() * 1e6),
                Figures.of(rank.deviceBytesPerSecond() / 1e9));
        out.println();
        steps(out);
        out.println();
        failures(out);
        out.println("  Simulated, not measured: no cluster has been at hand.");
    }

    private void steps(PrintStream out) {
        StepTimes step = plan.step();
        line(
                out,
                "step",
                "%s s: slowest rank computes %s s (mean %s), exchange that nothing hides %s, update %s",
                Figures.of(step.stepSeconds()),
                Figures.of(step.slowestSeconds()),
                Figures.of(step.computeSeconds()),
                Figures.of(step.exposedSeconds()),
                Figures.of(step.updateSeconds()));
        line(
                out,
                "exchange",
                "%s: %s a step and rank, %s out of a host's card; %s would make it %s s%s",
                lower(plan.form()),
                ModelReport.bytes(step.bytesPerRank()),
                ModelReport.bytes(step.cardBytesPerHost()),
                lower(plan.form() == Form.RING ? Form.DIRECT : Form.RING),
                Figures.of((plan.form() == Form.RING ? plan.direct() : plan.ring()).stepSeconds()),
                step.everyMessage() ? "" : " (messages simulated in aggregate)");
        line(out, "speed", "%,.0f images/s, %.1f %% of the peak", plan.imagesPerSecond(), 100 * plan.utilisation());
    }

    private void failures(PrintStream out) {
        Reliability rates = plan.reliability();
        CoordinatorLoad coordinator = plan.coordinator();
        boolean one = plan.cluster().hosts() == 1;
        line(
                out,
                "failures",
                one
                        ? "%s a day, and nobody is left to go on: the run restarts from its checkpoint"
                        : "%s a day; %s s to go on with the same step, %s s after a silent one; a host that joins"
                                + " fetches its state in %s s",
                Figures.of(plan.failures(24)),
                Figures.of(plan.repairSeconds(false)),
                Figures.of(plan.repairSeconds(true)),
                Figures.of(plan.transferSeconds()));
        line(
                out,
                "coordinator",
                "%,.0f messages/s and %s/s, %s %% of its time%s",
                coordinator.messagesPerSecond(),
                ModelReport.bytes(coordinator.bytesPerSecond()),
                Figures.of(100 * coordinator.busyFraction()),
                one
                        ? ""
                        : coordinator.keepsUp()
                                ? String.format(
                                        Locale.ROOT,
                                        "; %,d messages to re-form, %,.0f/s at most",
                                        coordinator.reformMessages(),
                                        coordinator.peakPerSecond())
                                : ": it cannot keep up, the loss and return of a host is not over after 30 s");
        out.printf(
                Locale.ROOT,
                "%n  %-44s %9s %12s %12s %14s%s%n",
                String.format(Locale.ROOT, "a host fails every %,.0f h", rates.mtbfHours()),
                "goodput",
                "hours",
                "of them lost",
                "s a failure",
                price == null ? "" : String.format("%14s %14s", "cost", "of it lost"));
        Reliability.Restart restart = rates.restart();
        row(out, "the same step again", plan.repaired());
        row(
                out,
                String.format(
                        Locale.ROOT,
                        "restart, %.0f s time-out + %.0f s",
                        restart.timeoutSeconds(),
                        restart.restartSeconds()),
                plan.restarted());
        row(
                out,
                String.format(Locale.ROOT, "restart, noticed at once + %.0f s", restart.restartSeconds()),
                plan.restartedAtOnce());
        line(
                out,
                "",
                "a restart loses up to %.0f minutes since its checkpoint; a spare host stands by for it, not for us,"
                        + " who wait %.0f minutes",
                restart.checkpointSeconds() / 60,
                rates.replaceSeconds() / 60);
    }

    private void row(PrintStream out, String way, Goodput goodput) {
        double hours = plan.hours(images, goodput);
        double lost = plan.lostHours(images, goodput);
        out.printf(
                Locale.ROOT,
                "  %-44s %7.2f %% %12s %12s %14s%s%n",
                way,
                100 * goodput.fraction(),
                number(hours),
                number(lost),
                number(goodput.lostSecondsPerFailure()),
                price == null ? "" : String.format("%14s %14s", number(money(hours)), number(money(lost))));
    }

    private static String number(double value) {
        return Double.isInfinite(value) ? "never" : String.format(Locale.ROOT, "%,.1f", value);
    }

    private double money(double hours) {
        return hours * plan.cluster().hosts() * price;
    }

    private static String lower(Form form) {
        return form.toString().toLowerCase(Locale.ROOT);
    }

    private static void line(PrintStream out, String what, String format, Object... values) {
        out.printf(Locale.ROOT, "  %-12s %s%n", what, String.format(Locale.ROOT, format, values));
    }

    Map<String, Object> fields() {
        StepTimes step = plan.step();
        CoordinatorLoad coordinator = plan.coordinator();
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("name", name);
        fields.put("ranks", plan.cluster().ranks());
        fields.put("hosts", plan.cluster().hosts());
        fields.put("images", images);
        fields.put("imagesPerSecond", plan.imagesPerSecond());
        fields.put("utilisation", plan.utilisation());
        fields.put("stepSeconds", step.stepSeconds());
        fields.put("computeSeconds", step.computeSeconds());
        fields.put("slowestSeconds", step.slowestSeconds());
        fields.put("exposedExchangeSeconds", step.exposedSeconds());
        fields.put("updateSeconds", step.updateSeconds());
        fields.put("exchange", lower(plan.form()));
        fields.put("directStepSeconds", plan.direct().stepSeconds());
        fields.put("ringStepSeconds", plan.ring().stepSeconds());
        fields.put("everyMessage", step.everyMessage());
        fields.put("bytesPerStepAndRank", step.bytesPerRank());
        fields.put("cardBytesPerStepAndHost", step.cardBytesPerHost());
        fields.put("failures", plan.failures(plan.hours(images, plan.repaired())));
        fields.put("repairSeconds", plan.repairSeconds(false));
        fields.put("silentRepairSeconds", plan.repairSeconds(true));
        fields.put("transferSeconds", plan.transferSeconds());
        fields.put("coordinatorMessagesPerSecond", coordinator.messagesPerSecond());
        fields.put("coordinatorBytesPerSecond", coordinator.bytesPerSecond());
        fields.put("coordinatorBusy", coordinator.busyFraction());
        fields.put("coordinatorKeepsUp", coordinator.keepsUp());
        fields.put("reformMessages", coordinator.reformMessages());
        fields.put("reformMessagesPerSecond", coordinator.peakPerSecond());
        goodput(fields, "", plan.repaired());
        goodput(fields, "restart", plan.restarted());
        goodput(fields, "restartAtOnce", plan.restartedAtOnce());
        return fields;
    }

    private void goodput(Map<String, Object> fields, String way, Goodput goodput) {
        double lost = plan.lostHours(images, goodput);
        fields.put(key(way, "goodput"), goodput.fraction());
        fields.put(key(way, "hours"), plan.hours(images, goodput));
        fields.put(key(way, "lostHours"), lost);
        if (price != null) {
            fields.put(key(way, "cost"), money(plan.hours(images, goodput)));
            fields.put(key(way, "lostCost"), money(lost));
        }
    }

    private static String key(String way, String field) {
        return way.isEmpty() ? field : way + Character.toUpperCase(field.charAt(0)) + field.substring(1);
    }
}
