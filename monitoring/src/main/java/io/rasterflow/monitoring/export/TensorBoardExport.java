package io.rasterflow.monitoring.export;

import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.event.Histogram;
import io.rasterflow.monitoring.event.Ledger;
import io.rasterflow.monitoring.images.ImageArchive;
import io.rasterflow.monitoring.images.Panels;
import io.rasterflow.monitoring.images.Sheet;
import io.rasterflow.monitoring.journal.Journals;
import io.rasterflow.monitoring.science.ProbeBook;
import io.rasterflow.monitoring.science.ProbePoint;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A run for TensorBoard. Scalars: losses, learning rate, gradient norm and noise scale, throughput, accuracies, and the step
 * time of every rank by part. Images: what was drawn of predictions, as far as it is kept. Histograms: weights, averaged
 * gradients, and the losses of the patches on those images. Nodes are merged, and a run that was resumed is one curve.
 */
public final class TensorBoardExport {

    private static final String NAME = "events.out.tfevents.%010d.rasterflow";
    private static final String PARTIAL = ".rasterflow-%d.partial";
    private static final Logger log = LoggerFactory.getLogger(TensorBoardExport.class);

    private final EventFile file;
    private final ProbeBook probes = new ProbeBook();
    private final ImageArchive archive;
    /** The panels that were written last, so that one that stays the same is written once. */
    private final Map<String, byte[]> panels = new HashMap<>();

    private TensorBoardExport(EventFile file, ImageArchive archive) {
        this.file = file;
        this.archive = archive;
    }

    /**
     * Writes one event file; the same journals again replace it.
     *
     * @param folder TensorBoard's {@code --logdir}, or a folder below it
     * @return the file
     * @throws IOException with one line, if there is no journal or the file cannot be written
     */
    public static Path write(Path run, Path folder) throws IOException {
        if (!Journals.exist(run)) {
            throw new IOException("no journal in " + run + ": give the directory of a run that has begun (--run DIR)");
        }
        Files.createDirectories(folder);
        Path partial = folder.resolve(
                String.format(Locale.ROOT, PARTIAL, ProcessHandle.current().pid()));
        try {
            long begin = writeEvents(run, partial);
            return Files.move(
                    partial,
                    folder.resolve(String.format(Locale.ROOT, NAME, begin)),
                    StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(partial);
        }
    }

    /** @return time of the first event, in seconds since 1970 */
    private static long writeEvents(Path run, Path target) throws IOException {
        try (Stream<Event> events = Journals.readWithoutSamples(run)) {
            Iterator<Event> it = events.iterator();
            if (!it.hasNext()) {
                throw new IOException("the journals of " + run + " hold no event that can be read");
            }
            Event first = it.next();
            try (EventFile file = new EventFile(target, seconds(first))) {
                TensorBoardExport export = new TensorBoardExport(file, new ImageArchive(run));
                export.add(first);
                while (it.hasNext()) {
                    export.add(it.next());
                }
            }
            return first.timeMillis() / 1000;
        }
    }

    private static double seconds(Event event) {
        return event.timeMillis() / 1e3;
    }

    private void add(Event event) throws IOException {
        if (event instanceof Event.Step step) {
            file.scalars(seconds(step), step.step(), scalars(step));
        } else if (event instanceof Event.Validation validation) {
            file.scalars(seconds(validation), validation.step(), Map.of("loss/validation", validation.loss()));
        } else if (event instanceof Event.Probe probe) {
            probes.add(probe);
            file.scalars(seconds(probe), probe.step(), accuracies(probe));
        } else if (event instanceof Event.Images images) {
            addPicture(images);
        } else if (event instanceof Event.Histograms histograms) {
            Map<String, Histogram> byName = new LinkedHashMap<>();
            histograms.histograms().forEach(histogram -> byName.put(histogram.name(), histogram));
            file.histograms(seconds(histograms), histograms.step(), byName);
        } else if (event instanceof Event.RunStarted start && start.firstStep() > 0) {
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

    private void addPicture(Event.Images images) throws IOException {
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
