package io.rasterflow.monitoring.top;

import static io.rasterflow.monitoring.plot.Words.between;
import static io.rasterflow.monitoring.plot.Words.duration;
import static io.rasterflow.monitoring.plot.Words.format;
import static io.rasterflow.monitoring.plot.Words.loss;
import static io.rasterflow.monitoring.plot.Words.percent;

import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.event.Ledger;
import io.rasterflow.monitoring.monitor.Notable;
import io.rasterflow.monitoring.monitor.RunStatus;
import io.rasterflow.monitoring.monitor.RunStatus.NodeStatus;
import io.rasterflow.monitoring.monitor.RunStatus.RankTime;
import io.rasterflow.monitoring.monitor.RunUpdate;
import io.rasterflow.monitoring.monitor.SlowRank;
import io.rasterflow.monitoring.plot.Words;
import io.rasterflow.monitoring.science.Prediction;
import io.rasterflow.monitoring.science.ProbePoint;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import org.jline.utils.AttributedString;
import org.jline.utils.AttributedStringBuilder;
import org.jline.utils.AttributedStyle;

/**
 * One frame: a run as lines of a given width, from what matters most to what may be cut off.
 *
 * <pre>
 *   fashion-aim  training  2,140,000 parameters, fp32
 *   step 1,000 of 1,600  ██████████████······  62.5 %   2 min 00 s left
 *   alarms that stand, the newest first
 *   loss ▇▆▅▄▃▂▁ ...
 *   step time of each rank as a bar of its parts
 *   slow ranks, nodes, what each takes of processor and memory, the last events
 * </pre>
 */
public final class Frame {

    /** A run that says nothing for this long is called silent. */
    private static final long SILENT_MILLIS = 60_000;

    private static final int LABEL = 12;
    private static final int PROGRESS = 30;
    /** Rows that a frame gives to alarms, of all. */
    private static final double ALARM_ROWS = 0.2;
    /** Rows that a frame gives to ranks, of the rows that are left for ranks and events. */
    private static final double RANK_ROWS = 0.4;
    /** Rows that a frame gives to processor and memory, of the rows that are left for them and events. */
    private static final double USAGE_ROWS = 0.4;

    private static final DateTimeFormatter CLOCK =
            DateTimeFormatter.ofPattern("HH:mm:ss", Locale.ROOT).withZone(ZoneId.systemDefault());

    private static final AttributedStyle PLAIN = AttributedStyle.DEFAULT;
    private static final AttributedStyle BOLD = PLAIN.bold();
    private static final AttributedStyle GOOD = PLAIN.foreground(AttributedStyle.GREEN);
    private static final AttributedStyle DOUBT = PLAIN.foreground(AttributedStyle.YELLOW);
    private static final AttributedStyle BAD = PLAIN.foreground(AttributedStyle.RED);
    private static final AttributedStyle CURVE = PLAIN.foreground(AttributedStyle.CYAN);

    /** Signs and colours of the parts of a step, in their order; the sign tells them apart without colours. */
    private static final String SIGNS = ".:-#=+";

    private static final int[] COLOURS = {
        AttributedStyle.BLUE,
        AttributedStyle.CYAN,
        AttributedStyle.WHITE,
        AttributedStyle.GREEN,
        AttributedStyle.YELLOW,
        AttributedStyle.MAGENTA
    };

    private final RunUpdate run;
    private final RunStatus status;
    private final int width;
    private final int height;
    private final List<AttributedString> lines = new ArrayList<>();

    private Frame(RunUpdate run, int width, int height) {
        this.run = run;
        this.status = run.status();
        this.width = width;
        this.height = height;
    }

    /**
     * The lines of a frame.
     *
     * @param note of the source; empty when there is none
     * @param nowMillis time of the frame
     * @param width columns; longer lines are cut off
     * @param height lines at most
     */
    public static List<AttributedString> of(RunUpdate run, String note, long nowMillis, int width, int height) {
        Frame frame = new Frame(run, width, height);
        frame.head(nowMillis);
        if (!note.isEmpty()) {
            frame.line(frame.text("", note, DOUBT));
        }
        frame.alarms();
        frame.losses();
        frame.time();
        frame.slowRanks();
        frame.nodes();
        frame.usages();
        frame.events();
        return frame.lines.subList(0, Math.min(height, frame.lines.size()));
    }

    private void head(long nowMillis) {
        AttributedStringBuilder head = new AttributedStringBuilder();
        head.styled(BOLD, clean(status.run().isEmpty() ? "a run" : status.run()));
        long silent = nowMillis - status.lastMillis();
        if (status.ended()) {
            head.styled(
                    status.state().equals("completed") ? GOOD : BAD,
                    "  " + status.state() + (status.detail().isEmpty() ? "" : ": " + clean(status.detail())));
        } else if (status.paused()) {
            head.styled(DOUBT, "  paused");
        } else if (status.lastMillis() > 0 && silent > SILENT_MILLIS) {
            head.styled(DOUBT, "  silent for " + duration(silent / 1e3) + ", no end told");
        } else {
            head.styled(GOOD, "  " + status.state());
        }
        head.append(format("  %,d parameters, %s", status.parameters(), clean(status.precision())));
        line(head);

        // Steps are counted from 0, so the last one has not the number of steps.
        long step = status.state().equals("completed") ? status.steps() : status.step();
        double done = status.steps() > 0 ? Math.min(1, step / (double) status.steps()) : 0;
        int bar = (int) Math.round(done * PROGRESS);
        AttributedStringBuilder progress = new AttributedStringBuilder();
        progress.append(format("step %,d of %,d  ", step, status.steps()));
        progress.styled(GOOD, "█".repeat(bar)).append("·".repeat(PROGRESS - bar));
        progress.append(format("  %.1f %%", 100 * done));
        if (!status.ended()) {
            progress.append("  " + duration(status.secondsLeft()) + " left");
        }
        if (!Double.isNaN(status.cost())) {
            progress.append(format("  cost so far %,.2f", status.cost()));
        }
        line(progress);

        String bad = status.badSamples() == 0 ? "" : format("  bad samples: %,d", status.badSamples());
        line(text(
                "",
                format(
                        "%s images/s  epoch %.2f  %d %s, generation %d  %d checkpoints%s",
                        Double.isNaN(status.imagesPerSecond()) ? "-" : format("%,.0f", status.imagesPerSecond()),
                        status.epoch(),
                        status.worldSize(),
                        status.worldSize() == 1 ? "rank" : "ranks",
                        status.generation(),
                        status.checkpoints(),
                        bad),
                PLAIN));
        blank();
    }

    /** They stand until they are over, however many events come after them. */
    private void alarms() {
        List<Event.Alarm> standing = status.alarms();
        if (standing.isEmpty()) {
            return;
        }
        int rows = Math.max(1, (int) (ALARM_ROWS * height));
        int shown = standing.size() <= rows ? standing.size() : rows - 1;
        for (int i = 1; i <= shown; i++) {
            Event.Alarm alarm = standing.get(standing.size() - i);
            String subject = alarm.subject().isEmpty() ? "" : " (" + clean(alarm.subject()) + ")";
            String advice = alarm.advice().isEmpty() ? "" : "; try: " + clean(alarm.advice());
            line(text(
                    "alarm",
                    format(
                            "%s%s since step %,d: %s%s",
                            clean(alarm.alarm().replace('-', ' ')), subject, alarm.step(), clean(alarm.text()), advice),
                    BAD));
        }
        if (shown < standing.size()) {
            String more = shown == 0 ? "%d alarms stand" : "and %d more alarms";
            line(text("alarm", format(more, standing.size() - shown), BAD));
        }
        blank();
    }

    private void losses() {
        curve("loss", "loss", status.loss(), status.trainLossFirst());
        curve("validation", "validation", status.validationLossLast(), status.validationLossFirst());
        if (!status.probes().isEmpty()) {
            List<ProbePoint> probes = status.mainProbes();
            ProbePoint first = probes.get(0);
            ProbePoint last = probes.get(probes.size() - 1);
            line(text(
                    "probe",
                    format(
                            "%s %s, %s at step %,d; with the loss %s",
                            clean(last.series().label()),
                            percent(last.accuracy()),
                            percent(first.accuracy()),
                            first.step(),
                            status.correlation().describe()),
                    PLAIN));
        }
        Prediction atEnd = status.forecast().validationLoss();
        if (atEnd.interval().known()) {
            String accuracy = status.accuracyAtEnd().interval().known()
                    ? ", accuracy " + between(status.accuracyAtEnd(), Words::percent)
                    : "";
            line(text("at the end", "validation loss " + between(atEnd, Words::loss) + accuracy, PLAIN));
        }
        blank();
    }

    private void curve(String name, String label, double now, double first) {
        if (!run.curves().containsKey(name)) {
            return;
        }
        String figures = format("%s, %s at first  ", loss(now), loss(first));
        AttributedStringBuilder line = new AttributedStringBuilder();
        line.styled(BOLD, label(label)).append(figures);
        line.styled(CURVE, Sparkline.of(run.curves().get(name), width - LABEL - figures.length()));
        line(line);
    }

    private void time() {
        List<RankTime> active = status.ranks().stream().filter(RankTime::active).toList();
        if (active.isEmpty()) {
            return;
        }
        AttributedStringBuilder legend = new AttributedStringBuilder();
        legend.styled(BOLD, label("step time"));
        int part = 0;
        for (String name : Ledger.PARTS.keySet()) {
            legend.styled(PLAIN.foreground(COLOURS[part]), SIGNS.charAt(part) + " " + name + "  ");
            part++;
        }
        line(legend);
        int rows = Math.max(1, (int) (RANK_ROWS * (height - lines.size())));
        int shown = active.size() <= rows ? active.size() : rows - 1;
        double longest =
                active.stream().mapToDouble(rank -> rank.recent().total()).max().orElse(0);
        active.stream().limit(shown).forEach(rank -> bar(rank, longest));
        if (shown < active.size()) {
            line(text("", format("and %d more ranks", active.size() - shown), PLAIN));
        }
        blank();
    }

    /** As long as the rank's step, in signs of its parts. */
    private void bar(RankTime rank, double longest) {
        AttributedStringBuilder line = new AttributedStringBuilder();
        line.append(label("rank " + rank.rank()));
        String seconds = format(" %.3f s  %s", rank.recent().total(), clean(rank.node()));
        int columns = Math.max(0, width - LABEL - seconds.length());
        double sum = 0;
        int drawn = 0;
        int part = 0;
        for (Map.Entry<String, ToDoubleFunction<Ledger>> entry : Ledger.PARTS.entrySet()) {
            sum += entry.getValue().applyAsDouble(rank.recent());
            int end = longest > 0 ? (int) Math.round(columns * sum / longest) : 0;
            line.styled(
                    PLAIN.foreground(COLOURS[part]),
                    String.valueOf(SIGNS.charAt(part)).repeat(Math.max(0, Math.min(columns, end) - drawn)));
            drawn = Math.max(drawn, Math.min(columns, end));
            part++;
        }
        line.append(" ".repeat(columns - drawn)).append(seconds);
        line(line);
    }

    private void slowRanks() {
        for (SlowRank slow : status.slowRanks()) {
            line(text(
                    "slow",
                    format(
                            "rank %d (%s) takes %.1f times as long as the others since step %,d, in %s",
                            slow.rank(), clean(slow.node()), slow.ratio(), slow.sinceStep(), slow.part()),
                    DOUBT));
        }
    }

    private void nodes() {
        if (status.nodes().isEmpty()) {
            return;
        }
        AttributedStringBuilder line = new AttributedStringBuilder();
        line.styled(BOLD, label("nodes"));
        for (NodeStatus node : status.nodes()) {
            String speed = Double.isNaN(node.imagesPerSecond()) ? "" : format(" %,.0f/s", node.imagesPerSecond());
            String words = clean(node.node()) + " " + node.state() + speed + "  ";
            if (line.length() + words.length() > width && line.length() > LABEL) {
                line(line);
                line = new AttributedStringBuilder();
                line.append(label(""));
            }
            line.styled(node.state().equals("up") ? PLAIN : BAD, words);
        }
        line(line);
        blank();
    }

    /** Of the nodes that are there, those that take most of their processor where there are many. */
    private void usages() {
        List<Event.Usage> usages = status.usages();
        if (usages.isEmpty()) {
            return;
        }
        int rows = Math.max(1, (int) (USAGE_ROWS * (height - lines.size())));
        int shown = usages.size() <= rows ? usages.size() : Math.max(1, rows - 1);
        List<Event.Usage> busiest = usages.stream()
                .sorted(Comparator.comparingDouble(UsageLine::busy).reversed())
                .limit(shown)
                .sorted(Comparator.comparing(Event.Usage::node))
                .toList();
        for (Event.Usage usage : busiest) {
            AttributedStringBuilder line = new AttributedStringBuilder();
            line.styled(BOLD, label(clean(usage.node())));
            line(line.append(UsageLine.of(usage, width - line.length())));
        }
        if (shown < usages.size()) {
            line(text("", format("and %d more nodes", usages.size() - shown), PLAIN));
        }
        blank();
    }

    /** The last ones, as many as there is room for, the newest at the bottom. */
    private void events() {
        int room = height - lines.size();
        List<Notable> last = run.events();
        for (Notable event : last.subList(Math.max(0, last.size() - Math.max(0, room)), last.size())) {
            String step = event.step() < 0 ? "" : format("step %,d  ", event.step());
            String count = event.count() > 1 ? " ×" + event.count() : "";
            line(text(
                    CLOCK.format(Instant.ofEpochMilli(event.timeMillis())),
                    step + event.kind() + count + ": " + clean(event.text()),
                    style(event.kind())));
        }
    }

    private static AttributedStyle style(String kind) {
        return switch (kind) {
            case "alarm" -> BAD;
            case "bad-sample", "slow-rank" -> DOUBT;
            default -> PLAIN;
        };
    }

    private AttributedStringBuilder text(String label, String words, AttributedStyle style) {
        AttributedStringBuilder line = new AttributedStringBuilder();
        if (!label.isEmpty()) {
            line.styled(BOLD, label(label));
        }
        return line.styled(style, words);
    }

    private static String label(String words) {
        return words + " ".repeat(Math.max(1, LABEL - words.length()));
    }

    private void blank() {
        lines.add(AttributedString.EMPTY);
    }

    private void line(AttributedStringBuilder line) {
        lines.add(line.toAttributedString().columnSubSequence(0, width));
    }

    /** What a journal says must not steer the terminal. */
    private static String clean(String words) {
        return words.replaceAll("\\p{Cntrl}|[\\u0080-\\u009f]", "?");
    }
}
