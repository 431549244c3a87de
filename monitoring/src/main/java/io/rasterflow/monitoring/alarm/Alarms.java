package io.rasterflow.monitoring.alarm;

import static io.rasterflow.monitoring.alarm.Board.format;

import io.rasterflow.monitoring.event.Event;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The alarms of a run. Each kind is judged from the run's events by a detector of its own; an alarm is raised once and
 * stands until it is cleared, at a lower value than the one that raised it. Losses, gradients and times of the first steps
 * after a start are not judged. Every start of the run begins from nothing. Not thread-safe.
 */
public final class Alarms {

    private final AlarmConfig config;
    private final Board board;
    private final Map<Integer, Long> lastSteps = new HashMap<>();
    private List<Detector> detectors;
    /** Negative while it is not known. */
    private long firstStep = -1;

    /** @param node that the monitor runs on */
    public Alarms(AlarmConfig config, String node) {
        this.config = config;
        this.board = new Board(node, Set.copyOf(config.off()));
        begin(Long.MAX_VALUE);
    }

    private void begin(long steps) {
        lastSteps.clear();
        detectors = !config.enabled()
                ? List.of()
                : List.of(
                        new LossSpike(config),
                        new Divergence(config),
                        new Plateau(config, steps == Long.MAX_VALUE ? 0 : steps),
                        new OverFit(config),
                        new DeadGradients(config),
                        new DataStall(config),
                        new Silence(config, steps),
                        new LowDisk(config),
                        new ClockSkew(config),
                        new FallingThroughput(config),
                        new RunFailed());
    }

    /** Takes in an event of the past; the journal that holds it holds its alarms too. */
    public void replay(Event event) {
        board.enter(false, event.timeMillis());
        take(event, event.timeMillis());
        if (event instanceof Event.Alarm alarm) {
            board.set(alarm);
        }
    }

    /**
     * Takes in an event.
     *
     * @param nowMillis by the monitor's clock
     * @return what is raised or cleared by it, to be journalled
     */
    public List<Event.Alarm> add(Event event, long nowMillis) {
        board.enter(true, nowMillis);
        if (event instanceof Event.RunStarted) {
            board.start();
        }
        take(event, nowMillis);
        return board.news();
    }

    private void take(Event event, long nowMillis) {
        if (event instanceof Event.RunStarted start) {
            firstStep = start.firstStep();
            board.at(firstStep);
            begin(start.steps());
        }
        for (Detector detector : detectors) {
            detector.event(event, nowMillis, board);
        }
        if (event instanceof Event.Step step) {
            onStep(step);
        }
    }

    private void onStep(Event.Step step) {
        if (firstStep < 0) {
            firstStep = step.step();
        }
        Long before = lastSteps.get(step.rank());
        if (before != null && step.step() <= before) {
            return;
        }
        lastSteps.put(step.rank(), step.step());
        board.at(step.step());
        if (step.step() >= firstStep + config.warmupSteps()) {
            for (Detector detector : detectors) {
                detector.step(step, board);
            }
        }
    }

    /**
     * Time has passed.
     *
     * @param seconds since the last call
     */
    public List<Event.Alarm> tick(long nowMillis, double seconds) {
        board.enter(true, nowMillis);
        for (Detector detector : detectors) {
            detector.tick(seconds, board);
        }
        return board.news();
    }

    /** Takes in which ranks hold the others up now. */
    public List<Event.Alarm> stragglers(List<Straggler> slow, long nowMillis) {
        board.enter(true, nowMillis);
        Set<String> subjects = new HashSet<>();
        if (config.enabled()) {
            for (Straggler rank : slow) {
                String subject = "rank " + rank.rank();
                subjects.add(subject);
                board.judge(
                        AlarmKind.STRAGGLER,
                        subject,
                        rank.ratio() >= config.stragglerRatio(),
                        false,
                        rank.ratio(),
                        config.stragglerRatio(),
                        () -> format(
                                "rank %d (%s) takes %.1f times as long per micro-batch as the others, which wait for it; the"
                                        + " difference is in %s (an alarm from %.2g on)",
                                rank.rank(), rank.node(), rank.ratio(), rank.part(), config.stragglerRatio()));
            }
        }
        board.clear(AlarmKind.STRAGGLER, subject -> !subjects.contains(subject), "it no longer holds the others up");
        return board.news();
    }
}
