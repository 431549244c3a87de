package io.rasterflow.monitoring.page;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
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

    private final Map<String, Asset> files = Map.of(
            "/", load("index.html", HTML),
            "/page.css", load("page.css", CSS),
            "/page.js", load("page.js", SCRIPT),
            "/charts.js", load("charts.js", SCRIPT),
            "/actions.js", load("actions.js", SCRIPT),
            "/actions.css", load("actions.css", CSS),
            "/favicon.svg", load("favicon.svg", SVG),
            "/chart.umd.js", load(CHART, SCRIPT));

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
