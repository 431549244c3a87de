package io.rasterflow.cli;

import io.rasterflow.actors.plan.Cluster;
import io.rasterflow.actors.plan.Plan;
import io.rasterflow.actors.plan.Workload;
import io.rasterflow.config.ConfigException;
import io.rasterflow.config.RunConfig;
import io.rasterflow.scaling.ScalingPage;
import io.rasterflow.scaling.ScalingStudy;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code rasterflow plan}: what a cluster that is not here would do. */
@Command(
        name = "plan",
        sortOptions = false,
        description =
                "Simulates training on a cluster: step time, exchange, failures, coordinator. With --ranks it answers for"
                        + " that cluster; without, it compares 8, 64, 512 and 4096 ranks and makes a page with plots."
                        + " No figure of it was measured on a cluster.")
final class PlanCommand implements Callable<Integer> {

    @Mixin
    private PlanOptions options;

    @Option(names = "--out", paramLabel = "FOLDER", description = "Where the page goes; default: plan.")
    private Path out;

    @Option(names = "--json", description = "Prints one JSON object as the last line.")
    private boolean json;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        RunConfig config = options.config();
        return options.ranks == null ? page(config) : answer(config);
    }

    private int answer(RunConfig config) {
        if (out != null) {
            throw new ConfigException("--out is for the page, which is made without --ranks");
        }
        double images = options.images(config);
        Plan plan = PlanOptions.checked(() -> {
            Workload workload = options.workload(config);
            Cluster cluster = options.cluster(options.ranks);
            return Plan.of(workload, cluster, options.reliability(), options.effort());
        });
        PlanReport report = new PlanReport(config.name(), plan, images, options.price);
        report.print(System.out);
        if (json) {
            System.out.println(Json.line(report.fields()));
        }
        return 0;
    }

    private int page(RunConfig config) throws IOException {
        if (options.price != null || options.images != null) {
            throw new ConfigException("--price and --images are for one cluster; add --ranks");
        }
        ScalingStudy study = PlanOptions.checked(() -> options.study(config));
        ScalingStudy.Result result = PlanOptions.checked(() -> study.run(System.out::println));
        Path folder = out == null ? Path.of("plan") : out;
        List<Path> files = ScalingPage.write(folder, command(), result);
        System.out.println("written          " + folder.resolve("README.md") + " and " + (files.size() - 1) + " plots");
        if (json) {
            System.out.println(Json.line(ScalingPage.fields(result)));
        }
        return 0;
    }

    /** What was typed. */
    private String command() {
        List<String> words = spec.commandLine().getParent().getParseResult().originalArgs().stream()
                .filter(word -> !word.equals("--json"))
                .toList();
        return "./rasterflow " + String.join(" ", words);
    }
}
