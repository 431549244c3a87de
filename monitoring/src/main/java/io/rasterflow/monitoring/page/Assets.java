package io.rasterflow.monitoring.page;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.pekko.http.javadsl.model.ContentType;
import org.apache.pekko.http.javadsl.model.HttpCharsets;
import org.apache.pekko.http.javadsl.model.MediaTypes;
import org.apache.pekko.util.ByteString;

/** The files of the page, which are packed in the artefacts: this list and nothing else is served. */
final class Assets {

    private static final String CHART = "/META-INF/resources/webjars/chart.js/4.4.9/dist/chart.umd.js";
    private static final ContentType HTML = MediaTypes.TEXT_HTML.toContentType(HttpCharsets.UTF_8);
    private static final ContentType CSS = MediaTypes.TEXT_CSS.toContentType(HttpCharsets.UTF_8);
    private static final ContentType SCRIPT = MediaTypes.APPLICATION_JAVASCRIPT.toContentType(HttpCharsets.UTF_8);
    private static final ContentType SVG = MediaTypes.IMAGE_SVG_XML.toContentType();

    /** One file. */
    record Asset(ContentType type, ByteString bytes) {}

    private static final List<String> SCRIPTS = List.of(
            "page.js",
            "actions.js",
            "views.js",
            "format.js",
            "charts.js",
            "export.js",
            "probes.js",
            "kinds.js",
            "compare.js",
            "together.js",
            "run.js",
            "time.js",
            "cluster.js",
            "science.js",
            "data.js",
            "images.js",
            "alarms.js",
            "heirs.js");

    private final Map<String, Asset> files = new HashMap<>();

    Assets() {
        files.put("/", load("index.html", HTML));
        files.put("/page.css", load("page.css", CSS));
        files.put("/actions.css", load("actions.css", CSS));
        files.put("/favicon.svg", load("favicon.svg", SVG));
        files.put("/chart.umd.js", load(CHART, SCRIPT));
        SCRIPTS.forEach(script -> files.put("/" + script, load(script, SCRIPT)));
    }

    Optional<Asset> at(String path) {
        return Optional.ofNullable(files.get(path));
    }

    private static Asset load(String name, ContentType type) {
        try (InputStream in = Assets.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException(
                        "the resource " + name + " of the page is missing: build the project again");
            }
            return new Asset(type, ByteString.fromArray(in.readAllBytes()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
