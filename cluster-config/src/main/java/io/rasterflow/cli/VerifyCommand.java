package io.rasterflow.cli;

import io.rasterflow.launch.Progress;
import io.rasterflow.streams.batch.BadSample;
import io.rasterflow.streams.pack.Verification;
import io.rasterflow.streams.pack.VerificationReport;
import io.rasterflow.streams.shard.DataConfig;
import io.rasterflow.streams.shard.DataSet;
import io.rasterflow.streams.shard.ShardRef;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code rasterflow data verify}: is every image whole? */
@Command(
        name = "verify",
        description = "Decodes every sample; with a manifest also compares the shards' bytes and counts with it.",
        footer = "%nExit 1 with the list when a sample or a shard is broken.")
final class VerifyCommand extends DataCommand.OnShards {

    @Option(names = "--threads", description = "Threads that decode; default: the processors.")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Override
    public Integer call() throws IOException {
        DataConfig config = config();
        List<ShardRef> list = DataSet.list(patterns, config);
        VerificationReport report;
        try (Progress progress = new Progress("verify", "shards", list.size())) {
            report = Verification.verify(list, config, threads, (done, total) -> progress.done(done));
        }
        System.out.printf(
                Locale.ROOT,
                "%d samples in %d shards, %.1f MB of encoded images%n",
                report.samples(),
                report.shards(),
                report.bytes() / 1e6);
        report.faults().forEach(fault -> System.out.println("fault   " + fault));
        for (BadSample bad : report.broken()) {
            System.out.println("broken  " + bad.shard() + " at " + bad.offset() + " " + bad.key() + ": " + bad.cause());
        }
        System.out.println(
                report.passed()
                        ? "no broken samples"
                        : report.brokenCount() + " broken samples, "
                                + report.faults().size() + " faults of shards");
        if (json) {
            Map<String, Object> fields = new LinkedHashMap<>();
            fields.put("images", report.samples());
            fields.put("shards", report.shards());
            fields.put("bytes", report.bytes());
            fields.put("broken", report.brokenCount());
            fields.put("brokenSamples", report.broken());
            fields.put("faults", report.faults());
            fields.put("passed", report.passed());
            System.out.println(Json.line(fields));
        }
        return report.passed() ? CommandLine.ExitCode.OK : CommandLine.ExitCode.SOFTWARE;
    }
}
