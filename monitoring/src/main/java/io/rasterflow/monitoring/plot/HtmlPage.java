package io.rasterflow.monitoring.plot;

import java.util.Base64;
import java.util.List;
import java.util.Map;

/**
 * An HTML page in one file: it loads nothing and runs no script, so it can be sent to others and printed. All words are
 * text, whatever a journal or a file says. Light or dark as the reader has it.
 */
public final class HtmlPage {

    private static final String HEAD =
            """
            <!doctype html>
            <html lang="en">
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>%s</title>
            <style>
            :root { color-scheme: light dark; --ink: #1f2430; --ground: #fff; --line: #dfe2e8 }
            @media (prefers-color-scheme: dark) { :root { --ink: #eceff4; --ground: #171a21; --line: #39404d } }
            body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--ground); max-width: 60rem;
            margin: 2rem auto; padding: 0 1rem }
            svg { width: 100%%; height: auto; max-width: 640px } table { border-collapse: collapse }
            .wide { overflow-x: auto } th, td { padding: .2rem .8rem; text-align: right; border-bottom: 1px solid var(--line) }
            th:first-child, td:first-child, .words th, .words td { text-align: left; vertical-align: top }
            th:first-child, td:first-child { white-space: nowrap } table { margin-bottom: 1rem }
            .words td { overflow-wrap: anywhere } .words td:last-child { white-space: normal } pre { overflow-x: auto; font-size: .85rem; line-height: 1.35 }
            .plots { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%%, 26rem), 1fr)) }
            .thumbnails { display: flex; flex-wrap: wrap; gap: 1em }
            .thumbnails figure { margin: 0; width: 9em; font-size: .8em; overflow-wrap: anywhere }
            .thumbnails img { width: 64px }
            img { image-rendering: pixelated; width: 100%%; max-width: 640px }
            @media print { body { margin: 0; max-width: none } svg { break-inside: avoid } h2 { break-after: avoid }
            pre { white-space: pre-wrap } .wide { overflow: visible } }
            </style>
            """;

    private final StringBuilder page;

    /** @param title also that of the window */
    public HtmlPage(String title) {
        page = new StringBuilder(String.format(HEAD, SvgChart.escape(title)));
        element("h1", title);
    }

    /** Begins a section. */
    public HtmlPage section(String title) {
        return element("h2", title);
    }

    public HtmlPage paragraph(String words) {
        return element("p", words);
    }

    /** Nothing where there are no lines. */
    public HtmlPage list(List<String> lines) {
        if (!lines.isEmpty()) {
            page.append("<ul>\n");
            lines.forEach(line -> element("li", line));
            page.append("</ul>\n");
        }
        return this;
    }

    /** A table of numbers, named by its first column. */
    public HtmlPage numbers(List<String> heads, List<List<String>> rows) {
        return table("", heads, rows);
    }

    /** A table of words. */
    public HtmlPage words(List<String> heads, List<List<String>> rows) {
        return table(" class=\"words\"", heads, rows);
    }

    private HtmlPage table(String kind, List<String> heads, List<List<String>> rows) {
        page.append("<div class=\"wide\" tabindex=\"0\"><table").append(kind).append(">\n");
        row("th", heads);
        rows.forEach(row -> row("td", row));
        page.append("</table></div>\n");
        return this;
    }

    private void row(String tag, List<String> cells) {
        page.append("<tr>");
        cells.forEach(cell -> element(tag, cell));
        page.append("</tr>\n");
    }

    /** Lines as they stand. */
    public HtmlPage block(String lines) {
        return element("pre", lines);
    }

    /** @param svg of {@link SvgChart#render} */
    public HtmlPage plot(String svg) {
        page.append(svg);
        return this;
    }

    /** Plots beside each other, as far as the window is wide enough. */
    public HtmlPage plots(List<String> svgs) {
        page.append("<div class=\"plots\">\n");
        svgs.forEach(page::append);
        page.append("</div>\n");
        return this;
    }

    /**
     * Small pixels stay sharp.
     *
     * @param words what is on it, for those who do not see it
     */
    public HtmlPage picture(byte[] png, String words) {
        page.append("<img alt=\"").append(SvgChart.escape(words)).append("\" src=\"data:image/png;base64,");
        page.append(Base64.getEncoder().encodeToString(png)).append("\">\n");
        return this;
    }

    /**
     * Small pictures beside each other.
     *
     * @param pngs by what is on them
     */
    public HtmlPage thumbnails(Map<String, byte[]> pngs) {
        page.append("<div class=\"thumbnails\">\n");
        pngs.forEach((words, png) -> {
            page.append("<figure>");
            picture(png, words).element("figcaption", words);
            page.append("</figure>\n");
        });
        page.append("</div>\n");
        return this;
    }

    private HtmlPage element(String tag, String words) {
        page.append('<').append(tag).append('>').append(SvgChart.escape(words));
        page.append("</").append(tag).append(">\n");
        return this;
    }

    /** The whole page. */
    public String render() {
        return page + "</html>\n";
    }
}
