package io.rasterflow.monitoring.export;

import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.event.Histogram;
import io.rasterflow.monitoring.event.Ledger;
import io.rasterflow.monitoring.images.ImageArchive;
import io.rasterflow.monitoring.images.Panels;
import io.rasterflow.monitoring.images.Sheet;
import io.rasterflow.monitoring.science.ProbeBook;
import io.rasterflow.monitoring.science.ProbePoint;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Events as an event file for TensorBoard, which may read it while it is written. */
final class TensorBoardSink implements EventSink {

    private static final String NAME = "events.out.tfevents.%010d.rasterflow";
    private static final Logger log = LoggerFactory.getLogger(TensorBoardSink.class);

    private final EventFile file;
    private final ProbeBook probes = new ProbeBook();
    private final ImageArchive archive;
    /** The panels that were written last, so that one that stays the same is written once. */
    private final Map<String, byte[]> panels = new HashMap<>();
    /** Pictures that may still be drawn again, with where a probe looks: until the end of their evaluation. */
    private Optional<Event.Images> drawn = Optional.empty();

    /**
     * @param target that is written or replaced
     * @param run directory of the run, whose pictures are taken
     * @param first event that will be added
     */
    TensorBoardSink(Path target, Path run, Event first) throws IOException {
        file = new EventFile(target, seconds(first));
        archive = new ImageArchive(run);
    }

    /** What TensorBoard knows such a file by; the same first event gives the same name. */
    static String name(Event first) {
        return String.format(Locale.ROOT, NAME, first.timeMillis() / 1000);
    }

    @Override
    public void flush() throws IOException {
        file.flush();
    }

    @Override
    public void close() throws IOException {
        try {
            addPicture();
        } finally {
            file.close();
        }
    }

    private static double seconds(Event event) {
        return event.timeMillis() / 1e3;
    }

    @Override
    public void add(Event event) throws IOException {
        if (event instanceof Event.Step step) {
            file.scalars(seconds(step), step.step(), scalars(step));
        } else if (event instanceof Event.Validation validation) {
            file.scalars(seconds(validation), validation.step(), Map.of("loss/validation", validation.loss()));
        } else if (event instanceof Event.Probe probe) {
            probes.add(probe);
            file.scalars(seconds(probe), probe.step(), accuracies(probe));
        } else if (event instanceof Event.Images images) {
            addPicture();
            drawn = Optional.of(images);
        } else if (event instanceof Event.Histograms histograms) {
            addPicture();
            Map<String, Histogram> byName = new LinkedHashMap<>();
            histograms.histograms().forEach(histogram -> byName.put(histogram.name(), histogram));
            file.histograms(seconds(histograms), histograms.step(), byName);
        } else if (event instanceof Event.RunStarted start && start.firstStep() > 0) {
            addPicture();
            panels.clear();
            // A validation of the first step was before it, and stands.
            file.restarted(seconds(start), start.firstStep() + 1);
            probes.truncate(start.firstStep());
        }
    }

    /** That of the probe, and the mean over the sets of its step when it is the last of them. */
    private Map<String, Double> accuracies(Event.Probe probe) {
        return probes.points().stream()
                .filter(point -> point.step() == probe.step() && point.kind().equals(probe.kind()))
                .filter(point -> point.set().equals(probe.set()) || point.set().equals(ProbePoint.AVERAGE))
                .collect(Collectors.toMap(point -> "accuracy/" + point.series().label(), ProbePoint::accuracy));
    }

    private void addPicture() throws IOException {
        if (drawn.isEmpty()) {
            return;
        }
        Event.Images images = drawn.get();
        drawn = Optional.empty();
        Map<String, byte[]> changed;
        Sheet about;
        try {
            Optional<ImageArchive.Picture> picture = archive.picture(images.step());
            if (picture.isEmpty()) {
                return;
            }
            about = picture.get().about();
            changed = Panels.of(picture.get());
        } catch (IOException e) {
            log.warn("the pictures of step {} cannot be read and are left out: {}", images.step(), e.toString());
            return;
        }
        changed.entrySet()
                .removeIf(panel -> Arrays.equals(panels.put(panel.getKey(), panel.getValue()), panel.getValue()));
        file.images(seconds(images), images.step(), about.size(), changed);
        Optional<Histogram> losses = losses(about);
        if (losses.isPresent()) {
            file.histograms(seconds(images), images.step(), Map.of(losses.get().name(), losses.get()));
        }
    }

    private static Optional<Histogram> losses(Sheet about) {
        List<Double> losses = about.images().stream()
                .flatMap(image -> image.losses().stream())
                .filter(Objects::nonNull)
                .toList();
        FloatBuffer values = FloatBuffer.allocate(losses.size());
        losses.forEach(loss -> values.put(loss.floatValue()));
        return Histogram.of("loss/patches of the images", List.of(values));
    }

    private static Map<String, Double> scalars(Event.Step step) {
        Map<String, Double> scalars = new LinkedHashMap<>();
        double seconds = step.ledger().total();
        if (step.rank() == 0) {
            scalars.put("loss/training", step.loss());
            scalars.put("optimizer/learning rate", step.learningRate());
            scalars.put("optimizer/gradient norm", step.gradientNorm());
            if (!Double.isNaN(step.noiseScale())) {
                scalars.put("optimizer/noise scale in images", step.noiseScale());
            }
            if (seconds > 0) {
                scalars.put("throughput/images per second", step.images() / seconds);
            }
        }
        Ledger.PARTS.forEach((part, value) ->
                scalars.put("seconds of rank " + step.rank() + "/" + part, value.applyAsDouble(step.ledger())));
        return scalars;
    }
}
