package io.rasterflow.monitoring.monitor;

import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.monitor.RunStatus.SetFinding;
import io.rasterflow.monitoring.monitor.RunUpdate.Cursor;
import io.rasterflow.monitoring.monitor.RunUpdate.Tail;
import io.rasterflow.monitoring.monitor.Series.Point;
import io.rasterflow.monitoring.science.Correlation;
import io.rasterflow.monitoring.science.Forecaster;
import io.rasterflow.monitoring.science.LossForecast;
import io.rasterflow.monitoring.science.Prediction;
import io.rasterflow.monitoring.science.ProbeBook;
import io.rasterflow.monitoring.science.ProbePoint;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * A run, folded from its events: the live monitor and a report made from journals go the same way. Every rank sends a
 * Step; curves and throughput take rank 0's (loss and images are equal on all ranks), ledgers and nodes take all.
 *
 * <p>A run that is resumed from a step before the last one overwrites what came after that step. Memory is bounded: curves
 * are thinned but keep their extremes. Not thread-safe.
 */
public final class RunState {

    static final String WAITING = "waiting";
    static final String TRAINING = "training";
    static final String PAUSED = "paused";

    private static final int CURVE_BUCKETS = 400;

    private final Map<String, Series> curves = new LinkedHashMap<>();
    private final Series loss = curve("loss");
    private final Series validation = curve("validation");
    private final Series learningRate = curve("learningRate");
    private final Series imagesPerSecond = curve("imagesPerSecond");
    private final Series gradientNorm = curve("gradientNorm");
    private final Series inputWait = curve("inputWait");
    private final Series seconds = curve("seconds");
    private final LossWindows windows = new LossWindows();
    private final Throughput throughput = new Throughput();
    private final RankTimes ranks = new RankTimes();
    private final RankHours hours = new RankHours();
    private final SlowRanks slowRanks = new SlowRanks();
    private final DataBook data = new DataBook();
    private final Nodes nodes = new Nodes();
    private final Notables notables = new Notables();
    private final ProbeBook probes = new ProbeBook();
    private final ProbeWindows probeWindows = new ProbeWindows();
    private final Forecaster forecaster = new Forecaster();
    private final Map<String, Event.Disk> disks = new TreeMap<>();
    private final Map<String, Event.Usage> usages = new TreeMap<>();
    private final AlarmBook alarms = new AlarmBook();

    private Event.RunStarted started;
    private String missing = "";
    private Event.RunEnded ended;
    private Event.Step lastStep;
    private double validationFirst = Double.NaN;
    private long validationFirstStep = Long.MAX_VALUE;
    private double validationLast = Double.NaN;
    private String evaluated = Event.Validation.MODEL;
    private long lastMillis;
    private long stepsDone;
    private long imagesDone;
    private long checkpoints;
    private long imagesStep = -1;
    private long generation;
    private int worldSize;
    private boolean paused;
    private long changes;

    private Series curve(String name) {
        Series series = new Series(CURVE_BUCKETS);
        curves.put(name, series);
        return series;
    }

    /** Folds in one event. */
    public void apply(Event event) {
        changes++;
        if (event instanceof Event.Step step) {
            onStep(step);
        } else if (event instanceof Event.RunStarted start) {
            onRunStarted(start);
        } else if (event instanceof Event.Validation measured) {
            onValidation(measured);
        } else if (event instanceof Event.Probe probe) {
            probes.add(probe);
        } else if (event instanceof Event.Membership membership) {
            onWorld(membership.generation(), membership.worldSize());
            for (String lost : nodes.lose(membership)) {
                data.remove(lost);
                usages.remove(lost);
            }
            // Also that of a coordinator that took over and was never told to pause.
            pause(paused && !membership.forms());
            slowRanks.enter(membership.generation());
        } else if (event instanceof Event.Formed place) {
            slowRanks.add(place);
        } else if (event instanceof Event.Disk disk) {
            disks.put(disk.node(), disk);
        } else if (event instanceof Event.Usage usage) {
            usages.put(usage.node(), usage);
        } else if (event instanceof Event.Checkpoint) {
            checkpoints++;
        } else if (event instanceof Event.Images images) {
            imagesStep = images.step();
        } else if (event instanceof Event.Alarm alarm) {
            alarms.add(alarm);
        } else if (event instanceof Event.Action action) {
            pause(action.pauses() || paused && !action.resumes());
        } else if (event instanceof Event.RunEnded end) {
            ended = end;
        }
        // That a disk has room, a process is there, nothing goes on or somebody probes a checkpoint is no sign that
        // something does.
        if (!(event instanceof Event.Disk)
                && !(event instanceof Event.Cache)
                && !(event instanceof Event.Usage)
                && !(event instanceof Event.Alarm)
                && !Event.Probe.VERB.equals(event.node())) {
            lastMillis = Math.max(lastMillis, event.timeMillis());
            nodes.add(event);
        }
        data.add(event);
        notables.add(event);
        probeWindows.add(event);
    }

    /**
     * The beginning of the run is not known here.
     *
     * @param run what is known of it all the same
     * @param what is missing, and why: one line
     */
    public void begunElsewhere(Event.RunStarted run, String what) {
        changes++;
        missing = what;
        if (started == null) {
            started = run;
            forecaster.start(run);
            hours.start(run.timeMillis(), run.rankHourPrice());
        }
    }

    private void pause(boolean now) {
        if (paused && !now) {
            throughput.restart();
        }
        paused = now;
    }

    private void onRunStarted(Event.RunStarted start) {
        started = start;
        paused = false;
        ended = null;
        generation = 0;
        worldSize = start.worldSize();
        throughput.restart();
        data.restart();
        hours.start(start.timeMillis(), start.rankHourPrice());
        // What the interrupted run did beyond its checkpoint is done again.
        curves.values().forEach(series -> series.truncate(start.firstStep()));
        windows.truncate(start.firstStep());
        probes.truncate(start.firstStep());
        probeWindows.start();
        forecaster.start(start);
        if (lastStep != null && lastStep.step() > start.firstStep()) {
            lastStep = null;
        }
    }

    private void onStep(Event.Step step) {
        onWorld(step.generation(), step.worldSize());
        ranks.add(step);
        slowRanks.add(step).forEach(change -> notables.add(step.timeMillis(), step.step(), change));
        if (step.rank() != 0) {
            return;
        }
        lastStep = step;
        stepsDone++;
        hours.step(step.timeMillis(), step.worldSize());
        imagesDone += step.images();
        double took = step.ledger().total();
        windows.add(step.step(), step.loss());
        throughput.add(step.timeMillis(), step.step(), step.images(), took);
        loss.add(step.step(), step.loss());
        forecaster.step(step.step(), step.loss());
        learningRate.add(step.step(), step.learningRate());
        gradientNorm.add(step.step(), step.gradientNorm());
        data.news().forEach((name, value) -> curves.computeIfAbsent(name, unseen -> new Series(CURVE_BUCKETS))
                .add(step.step(), value));
        seconds.add(step.step(), hours.seconds());
        if (took > 0) {
            imagesPerSecond.add(step.step(), step.images() / took);
            inputWait.add(step.step(), (step.ledger().fetch() + step.ledger().decode()) / took);
        }
    }

    private void onWorld(long newGeneration, int newWorldSize) {
        // Late events of an older generation do not turn the world back.
        if (newGeneration >= generation && newWorldSize > 0) {
            generation = newGeneration;
            worldSize = newWorldSize;
        }
    }

    private void onValidation(Event.Validation measured) {
        validation.add(measured.step(), measured.loss());
        forecaster.validation(measured.step(), measured.loss());
        if (measured.step() <= validationFirstStep) {
            validationFirstStep = measured.step();
            validationFirst = measured.loss();
        }
        validationLast = measured.loss();
        evaluated = measured.weights();
    }

    private Correlation correlation() {
        return probes.main().map(probes::correlation).orElse(Correlation.NONE);
    }

    private List<SetFinding> sets(Prediction lossAtEnd) {
        return setSeries().stream()
                .map(series -> new SetFinding(
                        series.set(),
                        probes.correlation(series),
                        probes.correlation(series).line().at(validationLast).asShare(),
                        probes.correlation(series).line().at(lossAtEnd).asShare()))
                .toList();
    }

    /** The single sets of which the run is judged by the mean; none where it is not. */
    private List<ProbePoint.Series> setSeries() {
        return probes.main()
                .filter(main -> main.set().equals(ProbePoint.AVERAGE))
                .map(main -> probes.series().stream()
                        .filter(series -> series.kind().equals(main.kind())
                                && !series.equals(main)
                                && !series.set().isEmpty())
                        .toList())
                .orElse(List.of());
    }

    /** The run as it stands. */
    public RunStatus status() {
        long step = step();
        long steps = started == null ? step : started.steps();
        LossForecast forecast = ended == null ? forecaster.forecast() : LossForecast.none("the run is over");
        return new RunStatus(
                started == null ? "" : started.run(),
                state(),
                ended == null || ended.detail() == null ? "" : ended.detail(),
                started == null ? 0 : started.timeMillis(),
                lastMillis,
                started == null ? 0 : started.firstStep(),
                step,
                steps,
                lastStep == null ? 0 : lastStep.epoch(),
                started == null ? 0 : started.globalBatch(),
                started == null ? 0 : started.parameters(),
                started == null ? 0 : started.trainImages(),
                started == null ? "" : started.precision(),
                lastStep == null ? Double.NaN : lastStep.loss(),
                windows.firstMean(),
                windows.lastMean(),
                validationFirst,
                validationLast,
                lastStep == null ? Double.NaN : lastStep.gradientNorm(),
                lastStep == null ? Double.NaN : lastStep.noiseScale(),
                lastStep == null ? Double.NaN : lastStep.learningRate(),
                probes.points(),
                probes.layers(),
                probeWindows.cost(),
                correlation(),
                correlation().line().at(validationLast).asShare(),
                sets(forecast.validationLoss()),
                forecast,
                correlation().line().at(forecast.validationLoss()).asShare(),
                throughput.imagesPerSecond(),
                throughput.imagesPerSecondAverage(),
                ended != null ? 0 : throughput.secondsFor(steps - step),
                stepsDone,
                imagesDone,
                hours.value(),
                hours.cost(),
                ranks.status(worldSize, slowRanks::ratio),
                slowRanks(),
                alarms.standing(),
                alarms.past(),
                nodes.status(),
                List.copyOf(disks.values()),
                List.copyOf(usages.values()),
                data.inputs(),
                data.caches(),
                data.curated(),
                data.badSamples(),
                data.quarantine(),
                data.thumbnails().names(data.quarantine()),
                checkpoints,
                generation,
                worldSize,
                imagesStep,
                missing);
    }

    /** The picture of a quarantined sample, by its name in {@link RunStatus#thumbnails}. */
    Optional<byte[]> thumbnail(String name) {
        return data.thumbnails().png(name);
    }

    private String state() {
        if (ended != null) {
            return ended.outcome();
        }
        return paused ? PAUSED : started == null && lastStep == null ? WAITING : TRAINING;
    }

    /** Ranks that hold the others up now, the slowest first. */
    List<SlowRank> slowRanks() {
        return ended != null ? List.of() : slowRanks.slow();
    }

    private long step() {
        return lastStep != null ? lastStep.step() : started != null ? started.firstStep() : 0;
    }

    /** What the run came to so far. */
    public RunSummary summary() {
        List<ProbePoint> main = probes.main().map(probes::points).orElse(List.of());
        RunSummary.Gain gain = RunSummary.Gain.of(main);
        Map<String, Double> sets = new TreeMap<>();
        setSeries().forEach(series -> probes.points(series).forEach(probe -> sets.put(probe.set(), probe.accuracy())));
        return new RunSummary(
                started == null ? "" : started.run(),
                ended == null ? TRAINING : ended.outcome(),
                step(),
                windows.firstMean(),
                windows.lastMean(),
                validationFirst,
                validationLast,
                evaluated,
                main,
                sets,
                gain.untrained(),
                gain.trained(),
                beside(),
                probeWindows.cost(),
                correlation().pearson(),
                correlation().spearman(),
                correlation().points(),
                throughput.imagesPerSecondAverage(),
                worldSize,
                ranks.shares(),
                data.badSamples());
    }

    /** Of the sets what the run is judged on as well. */
    private Map<String, RunSummary.Gain> beside() {
        Map<String, RunSummary.Gain> kinds = new LinkedHashMap<>();
        probes.main().ifPresent(main -> probes.series().stream()
                .filter(series ->
                        series.set().equals(main.set()) && !series.kind().equals(main.kind()))
                .forEach(series -> kinds.put(series.kind(), RunSummary.Gain.of(probes.points(series)))));
        return kinds;
    }

    /** What changed since a reader last asked; {@link Cursor#START} asks for everything. */
    public RunUpdate since(Cursor cursor) {
        long version = curves.values().stream().mapToLong(Series::version).sum();
        boolean full = cursor.version() != version;
        Map<String, Tail> tails = new LinkedHashMap<>();
        Map<String, Long> lastSteps = new HashMap<>();
        curves.forEach((name, series) -> {
            Long seen = full ? null : cursor.lastSteps().get(name);
            long from = seen == null ? Long.MIN_VALUE : series.bucketStart(seen);
            List<Point> points = series.from(from);
            if (!points.isEmpty()) {
                tails.put(
                        name,
                        new Tail(
                                seen == null ? points.get(0).step() : from,
                                points.stream().map(Point::step).toList(),
                                points.stream().map(Point::value).toList()));
                lastSteps.put(name, series.lastStep());
            }
        });
        Cursor next = new Cursor(version, changes, lastSteps, notables.lastId());
        return new RunUpdate(full, next, status(), tails, notables.after(full ? 0 : cursor.lastEvent()));
    }
}
