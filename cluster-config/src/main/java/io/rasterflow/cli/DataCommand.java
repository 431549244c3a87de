package io.rasterflow.cli;

import com.typesafe.config.ConfigUtil;
import io.rasterflow.config.RunConfig;
import io.rasterflow.streams.shard.DataConfig;
import io.rasterflow.streams.shard.DataSet;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code rasterflow data}: prepares and checks shards. */
@Command(
        name = "data",
        description = "Prepares and checks shards.",
        subcommands = {PackCommand.class, DataCommand.Index.class, InspectCommand.class, VerifyCommand.class},
        synopsisSubcommandLabel = "VERB")
final class DataCommand implements Runnable {

    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "a verb is missing: pack, index, inspect or verify");
    }

    /** Shards given by path or pattern. */
    abstract static class OnShards implements Callable<Integer> {

        @Parameters(
                arity = "1..*",
                paramLabel = "SHARDS",
                description =
                        "Shards: paths, http(s):// or s3:// URIs, patterns such as train-{00..09}.tar.gz, folders of shards"
                                + " or images, a manifest.json, or a list in a .txt file.")
        List<String> patterns;

        @Option(names = "--cache", paramLabel = "DIR", description = "Where indexes and expanded shards are kept.")
        private Path cache;

        @Option(names = "--json", description = "Prints one JSON object as the last line.")
        boolean json;

        DataSet open() throws IOException {
            return DataSet.open(patterns, config());
        }

        /** The settings of the defaults: whole shards, and all that is in them. */
        DataConfig config() {
            List<String> overrides = cache == null
                    ? List.of()
                    : List.of("data.cache.directory=" + ConfigUtil.quoteString(cache.toString()));
            return RunConfig.load("", overrides).config().data().whole();
        }
    }

    @Command(name = "index", description = "Builds the indexes of shards, so that training need not.")
    static final class Index extends OnShards {

        @Override
        public Integer call() throws IOException {
            try (DataSet data = open()) {
                int[] counts = data.sampleCounts();
                for (int shard = 0; shard < counts.length; shard++) {
                    System.out.printf(Locale.ROOT, "%10d  %s%n", counts[shard], data.shardName(shard));
                }
                System.out.printf(Locale.ROOT, "%10d  in %d shards%n", data.size(), counts.length);
                if (json) {
                    Map<String, Object> fields = new LinkedHashMap<>();
                    fields.put("images", data.size());
                    fields.put("shards", counts.length);
                    System.out.println(Json.line(fields));
                }
            }
            return CommandLine.ExitCode.OK;
        }
    }
}
