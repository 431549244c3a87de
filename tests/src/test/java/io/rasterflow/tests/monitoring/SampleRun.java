package io.rasterflow.tests.monitoring;

import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.event.Histogram;
import io.rasterflow.monitoring.event.Ledger;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import javax.imageio.ImageIO;

/** Events of a plausible run of 1,600 steps on two trainers. */
public final class SampleRun {

    /** Time of step 0. A child JVM is given its parent's value. */
    static long start = Long.getLong("rasterflow.sample.start", System.currentTimeMillis() - 200_000);

    static final int STEPS = 1_600;
    static final int BATCH = 256;
    static final double STEP_SECONDS = 0.2;

    private SampleRun() {}

    /** Makes step 1,000 happen now, whichever test was first to load this class. */
    static void restart() {
        start = System.currentTimeMillis() - 200_000;
    }

    public static Event.RunStarted started(long firstStep) {
        return new Event.RunStarted(
                start,
                "coordinator",
                "fashion-aim",
                firstStep,
                STEPS,
                BATCH,
                2_140_000,
                20_000,
                2,
                "fp32",
                "",
                null,
                null,
                rates());
    }

    private static Event.RunStarted.Rates rates() {
        List<Long> steps = LongStream.iterate(0, step -> step <= STEPS, step -> step + 40)
                .boxed()
                .toList();
        return new Event.RunStarted.Rates(
                steps, steps.stream().map(SampleRun::rate).toList());
    }

    private static double rate(long step) {
        return step <= 40 ? 2e-3 * step / 40 : 1e-3 * (1 + Math.cos(Math.PI * step / STEPS));
    }

    /** The start of a run of which a rank costs 1.5 an hour. */
    static Event.RunStarted priced() {
        return new Event.RunStarted(
                start, "coordinator", "fashion-aim", 0, STEPS, BATCH, 2_140_000, 20_000, 2, "fp32", "", null, 1.5);
    }

    static Event.Machine machine() {
        return new Event.Machine(
                start, "trainer-0", "host-a", "Linux 6.1 amd64", "17.0.9 Debian", "A <processor>", 2, 16L << 30);
    }

    /** The place of a rank from step 1 on: half of 8 micro-batches. */
    static Event.Formed formed(int rank) {
        return new Event.Formed(start, "trainer-" + rank, 1, rank, 2, 8, 4 * rank, 4 * rank + 4, 1, "");
    }

    /** Rank 1 takes {@code seconds} longer to decode, for which rank 0 waits in the exchange. */
    static List<Event> held(long step, double seconds) {
        Event.Step first = step(0, step);
        Event.Step second = step(1, step);
        Ledger ledger = first.ledger();
        Ledger held = second.ledger();
        return List.of(
                with(
                        first,
                        new Ledger(
                                ledger.fetch(),
                                ledger.decode(),
                                ledger.waiting(),
                                ledger.compute(),
                                ledger.exchange() + seconds,
                                ledger.update())),
                with(
                        second,
                        new Ledger(
                                held.fetch(),
                                held.decode() + seconds,
                                held.waiting(),
                                held.compute(),
                                held.exchange(),
                                held.update())));
    }

    private static Event.Step with(Event.Step step, Ledger ledger) {
        return with(step, step.loss(), ledger);
    }

    static Event.Step with(Event.Step step, double loss, Ledger ledger) {
        return new Event.Step(
                step.timeMillis(),
                step.node(),
                step.rank(),
                step.worldSize(),
                step.generation(),
                step.step(),
                step.epoch(),
                loss,
                step.gradientNorm(),
                step.learningRate(),
                step.images(),
                ledger,
                step.noiseScale());
    }

    public static Event.Step step(int rank, long step) {
        return step(rank, step, start + Math.round(step * STEP_SECONDS * 1000));
    }

    static Event.Step step(int rank, long step, long timeMillis) {
        double progress = step / (double) STEPS;
        double loss = 0.31 + 0.62 * Math.exp(-9 * progress) + 0.012 * Math.sin(step * 1.7) * Math.exp(-2 * progress);
        double wobble = 0.012 * Math.sin(step * 0.9 + rank);
        Ledger ledger =
                new Ledger(0.004, 0.006 + 0.002 * rank, 0.001, 0.15 + wobble, 0.027 - 0.002 * rank - wobble, 0.012);
        return new Event.Step(
                timeMillis,
                "trainer-" + rank,
                rank,
                2,
                1,
                step,
                step * BATCH / 20_000.0,
                loss,
                0.4 + wobble,
                rate(step),
                BATCH,
                ledger,
                step < 10 ? Double.NaN : 900 + 0.2 * step);
    }

    public static double validationLoss(long step) {
        return 0.315 + 0.6 * Math.exp(-9.0 * step / STEPS);
    }

    static Event.Validation validation(long step) {
        return new Event.Validation(at(step), "trainer-0", step, validationLoss(step), 5_000, 1.2, "model");
    }

    static Event.Probe probe(long step) {
        double accuracy = step == 0 ? 0.789 : 0.842 - 0.14 * (validationLoss(step) - 0.315);
        return new Event.Probe(
                at(step), "probe-0", step, "attentive", accuracy, validationLoss(step), 20_000, 5_000, 9.5, "", 1);
    }

    static Event.Checkpoint checkpoint(long step) {
        String directory = String.format("checkpoints/step-%08d", step);
        return new Event.Checkpoint(at(step), "trainer-0", step, directory, "ab".repeat(32), 25_700_000, 0.31);
    }

    public static Event.BadSample badSample(long step, int number) {
        return new Event.BadSample(
                at(step),
                "trainer-1",
                step,
                "train-00003.tar",
                512L * number,
                "k" + number,
                17,
                "not an image: 0 bytes",
                number == 1 ? "" : "ffd8ffe000104a464946000101000001");
    }

    /** What the bad sample of that number looks like: 2 by 1 pixels. */
    public static Event.Thumbnail thumbnail(long step, int number) {
        BufferedImage image = new BufferedImage(2, 1, BufferedImage.TYPE_INT_RGB);
        image.setRGB(1, 0, 0xff8800);
        ByteArrayOutputStream png = new ByteArrayOutputStream();
        try {
            ImageIO.write(image, "png", png);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        String base64 = Base64.getEncoder().encodeToString(png.toByteArray());
        return new Event.Thumbnail(at(step), "trainer-1", "train-00003.tar", "k" + number, base64);
    }

    /** Curation of a source of 12 shards, two of which have near-duplicates. */
    static Event.Curated curated(String source) {
        return new Event.Curated(
                at(0),
                "trainer-0",
                source,
                12,
                18_000,
                Map.of("small", 1_500L, "duplicate", 500L),
                List.of(
                        new Event.Curated.Shard("https://example.org/" + source + "-07.tar", 300),
                        new Event.Curated.Shard("https://example.org/" + source + "-02.tar", 200)),
                List.of(new Event.Curated.Pair("https://example.org/" + source + "-07.tar", "00012", "00003", 5)));
    }

    public static Event.Images images(long step) {
        return new Event.Images(at(step), "probe-0", step, 2, "images/step-" + step, 0.05);
    }

    /** Of 60 weights, evenly spaced from -1 to 1. */
    public static Event.Histograms histograms(long step) {
        float[] weights = new float[60];
        for (int i = 0; i < weights.length; i++) {
            weights[i] = -1 + 2 * i / 59f;
        }
        List<FloatBuffer> parts = List.of(FloatBuffer.wrap(weights));
        return new Event.Histograms(
                at(step),
                "probe-0",
                step,
                List.of(Histogram.of("weights/head", parts).orElseThrow()),
                0.01);
    }

    static Event.Membership up(String member, int worldSize) {
        return new Event.Membership(start, "coordinator", member, "up", 1, worldSize, "");
    }

    public static Event.RunEnded ended() {
        return new Event.RunEnded(at(STEPS), "coordinator", STEPS, "completed", "");
    }

    static long at(long step) {
        return start + Math.round(step * STEP_SECONDS * 1000) + 1;
    }

    static Event.Action action(String action, String subject, String outcome) {
        return new Event.Action(at(8), "main", action, subject, "127.0.0.1", 8, outcome, "the ranks rest");
    }

    static Event.Alarm alarm(String alarm, String subject, boolean raised, long step, double value) {
        String text = raised ? "the loss of step " + step + " is <b>far</b> above" : "the loss is near its median";
        return new Event.Alarm(at(step), "main", alarm, subject, raised, step, value, 0.5, text, raised ? "look" : "");
    }

    /** All events up to a step, in order of time. */
    public static List<Event> until(long last) {
        List<Event> events = new ArrayList<>();
        events.add(started(0));
        for (String node : List.of("trainer-0", "trainer-1", "probe-0")) {
            events.add(up(node, 2));
        }
        events.add(new Event.Membership(start, "coordinator", "", "generation", 1, 2, ""));
        events.add(formed(0));
        events.add(formed(1));
        events.add(validation(0));
        events.add(probe(0));
        for (long step = 1; step <= last; step++) {
            events.add(step(0, step));
            events.add(step(1, step));
            if (step % 200 == 0) {
                events.add(validation(step));
                events.add(probe(step));
                events.add(checkpoint(step));
            }
        }
        return events;
    }

    /** Of a node with 8 cores, 16 GB and no GPU. */
    static Event.Usage usage(String node, long step, double processCpu) {
        return new Event.Usage(
                at(step),
                node,
                processCpu,
                0.9,
                8,
                3_000_000_000L,
                16_000_000_000L,
                12_000_000_000L,
                500_000_000,
                4_000_000_000L,
                List.of());
    }

    /** Of a node with a GPU, of whose machine not much is known. */
    static Event.Usage onGpu(String node, long step) {
        return new Event.Usage(
                at(step),
                node,
                0.25,
                Double.NaN,
                16,
                5_000_000_000L,
                -1,
                -1,
                700_000_000,
                8_000_000_000L,
                List.of(new Event.Usage.Gpu("cuda:0", 60_000_000_000L, 80_000_000_000L)));
    }

    /** Of a node that has fetched so many bytes, of which 12 shards of 1 GB are kept. */
    static Event.Cache cache(String node, long step, long fetchedBytes) {
        return new Event.Cache(
                at(step), node, "/data/cache", 12_000_000_000L, 20_000_000_000L, 12, 90, 10, 3, 2, fetchedBytes, 1);
    }

    /** One of each kind, with values that are hard to write down. */
    static List<Event> oneOfEach() {
        return List.of(
                started(7),
                machine(),
                new Event.Step(
                        start + 1,
                        "trainer-ü",
                        0,
                        2,
                        Long.MAX_VALUE,
                        8,
                        0.1,
                        Double.NaN,
                        Double.POSITIVE_INFINITY,
                        Double.MIN_VALUE,
                        BATCH,
                        new Ledger(0.1, 0.2, 0.3, 0.4, 0.5, 0.6),
                        Double.NaN),
                validation(8),
                probe(8),
                images(8),
                histograms(8),
                checkpoint(8),
                up("trainer-0", 2),
                new Event.Formed(start + 2, "trainer-0", 1, 0, 2, 8, 0, 4, 8, ""),
                new Event.Lease(start + 2, "trainer-0", 0, 1, 8, 3, 1L << 40, 32),
                new Event.Commit(start + 3, "trainer-0", 0, 1, 8, 0, 4, "5f00c0de"),
                new Event.BadSample(start + 4, "trainer-0", 8, "a,\"b\"\n.tar", 512, "ключ", 9, "zero bytes", "ffd8"),
                thumbnail(8, 1),
                curated("web"),
                new Event.Input(
                        start + 5,
                        "trainer-0",
                        List.of(new Event.Input.Stage("decode", 512, 1L << 33, 1.5, 3)),
                        List.of(new Event.Input.Source("web", 410, 0.25))),
                new Event.Cache(
                        start + 5, "trainer-0", "/a/cache", 1L << 36, 1L << 37, 70, 900, 80, 10, 2, 1L << 38, 1),
                new Event.Disk(start + 5, "trainer-0", "runs/a", 1L << 40, 1L << 42),
                new Event.Usage(
                        start + 5,
                        "trainer-0",
                        0.1,
                        Double.NaN,
                        16,
                        1L << 33,
                        1L << 37,
                        -1,
                        1L << 30,
                        1L << 32,
                        List.of(new Event.Usage.Gpu("cuda:0", 1L << 35, 1L << 36))),
                alarm("loss-spike", "", true, 8, Double.NaN),
                action("drain", "trainer-0", Event.Action.REFUSED),
                new Event.RunEnded(start + 5, "coordinator", 8, "failed", null));
    }
}
