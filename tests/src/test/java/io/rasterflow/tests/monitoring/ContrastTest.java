package io.rasterflow.tests.monitoring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.monitoring.compare.Comparison;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.images.ImageArchive;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.support.ui.WebDriverWait;

/** Whether every text of the page can be read: WCAG 2.2, success criterion 1.4.3, level AA. */
@Timeout(120)
class ContrastTest extends PageFixture {

    /**
     * Contrast of every text that is shown, axes of charts included, with the ground that its ancestors make. The colours
     * of all states and badges that the style sheets know are tried, and buttons both pressed and not.
     *
     * <p>Returns how many texts there are, and a line for each whose contrast is too low. Text of disabled controls may have
     * any.
     */
    private static final String MEASURE =
            """
            const done = arguments[arguments.length - 1];
            const staged = [];
            function stage(like, change) {
              if (!like) return;
              const copy = like.cloneNode(true);
              change(copy);
              like.after(copy);
              staged.push(copy);
            }
            function channels(text) {
              const rgb = text.match(/^rgba?\\(([\\d.]+), ([\\d.]+), ([\\d.]+)(?:, ([\\d.]+))?\\)$/);
              if (rgb) return [rgb[1] / 255, rgb[2] / 255, rgb[3] / 255, Number(rgb[4] ?? 1)];
              const hex = text.match(/^#(..)(..)(..)$/);
              if (hex) return [...hex.slice(1).map(digits => parseInt(digits, 16) / 255), 1];
              throw new Error(`a colour of another form: ${text}`);
            }
            const over = (top, ground) => [0, 1, 2].map(i => top[i] * top[3] + ground[i] * (1 - top[3]));
            const styles = new Map();
            function styleOf(element) {
              if (!styles.has(element)) {
                const { color, backgroundColor, backgroundImage, opacity, fontSize, fontWeight } = getComputedStyle(element);
                styles.set(element, { color, backgroundColor, backgroundImage, opacity, fontSize, fontWeight });
              }
              return styles.get(element);
            }
            const path = element => element ? [element, ...path(element.parentElement)] : [];
            function ground(element) {
              const layers = [];
              for (const { backgroundColor, backgroundImage } of path(element).map(styleOf)) {
                if (backgroundImage !== 'none') throw new Error(`text on a picture: ${element.outerHTML}`);
                layers.unshift(channels(backgroundColor));
                if (layers[0][3] === 1) break;
              }
              return layers.reduce((below, layer) => over(layer, below), [1, 1, 1]);
            }
            function luminance(colour) {
              const [r, g, b] = colour.map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
              return 0.2126 * r + 0.7152 * g + 0.0722 * b;
            }
            let texts = 0;
            const offenders = new Set();
            function judge(element, colour, pixels, weight, words) {
              const below = ground(element);
              const [r, g, b, alpha] = channels(colour);
              const opacity = path(element).reduce((product, it) => product * styleOf(it).opacity, alpha);
              const [dark, light] = [below, over([r, g, b, opacity], below)].map(luminance).sort((x, y) => x - y);
              const contrast = (light + 0.05) / (dark + 0.05);
              const least = pixels >= 24 || pixels >= 18.66 && weight >= 700 ? 3 : 4.5;
              texts++;
              if (contrast >= least) return;
              const name = path(element).slice(0, 3).reverse().map(it => it.tagName.toLowerCase()
                + (it.id && `#${it.id}`) + [...it.classList].map(style => `.${style}`).join('')).join(' > ');
              const hex = below.map(c => Math.round(255 * c).toString(16).padStart(2, '0')).join('');
              offenders.add(`${contrast.toFixed(2)} of ${least} at ${name} '${words.trim().slice(0, 30)}', ${colour} on #${hex}`);
            }
            function measure() {
              for (const sheet of document.styleSheets) {
                for (const text of [...sheet.cssRules].map(rule => rule.selectorText ?? '')) {
                  for (const [, kind] of text.matchAll(/\\.badge\\.([\\w-]+)/g)) {
                    stage(document.querySelector('.view:not([hidden]) .badge'), copy => copy.className = `badge ${kind}`);
                  }
                  for (const [, state] of text.matchAll(/\\.state\\[data-state="(\\w+)"\\]/g)) {
                    stage(document.querySelector('.state'), copy => copy.dataset.state = state);
                  }
                }
              }
              for (const button of document.querySelectorAll('button[aria-pressed]')) {
                stage(button, copy => copy.setAttribute('aria-pressed', button.ariaPressed === 'false'));
              }
              stage(document.getElementById('actions'), copy => { copy.hidden = false; copy.open = true; });
              for (const element of document.body.querySelectorAll('*')) {
                const words = element.tagName === 'SELECT' ? element.value
                  : [...element.childNodes].filter(node => node.nodeType === Node.TEXT_NODE).map(node => node.data).join(' ');
                const shown = element.checkVisibility({ visibilityProperty: true }) && element.getClientRects().length > 0;
                if (!shown || !words.trim() || element.matches(':disabled')) continue;
                const style = styleOf(element);
                judge(element, style.color, parseFloat(style.fontSize), Number(style.fontWeight), words);
              }
              for (const canvas of document.querySelectorAll('canvas')) {
                const chart = window.Chart?.getChart(canvas);
                if (!chart || !canvas.checkVisibility({ visibilityProperty: true })) continue;
                for (const [axis, { options }] of Object.entries(chart.scales)) {
                  judge(canvas, options.ticks.color, 12, 400, `ticks of ${axis}`);
                  if (options.title.display) judge(canvas, options.title.color, 12, 400, `title of ${axis}`);
                }
              }
            }
            // What was fed and the charts of a view follow in the next frames.
            requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => {
              try {
                measure();
              } catch (error) {
                offenders.add(String(error));
              } finally {
                staged.forEach(copy => copy.remove());
              }
              done([texts, ...offenders]);
            }, 50)));
            """;

    @TempDir
    Path other;

    @Override
    Comparison comparison() {
        return Comparison.of(run, List.of(other));
    }

    @Test
    void everyTextStandsOutFromItsGround() throws IOException {
        shape(1280, 900, "light");
        browser.get(page.toString());
        await("state-text", "waiting");
        assertLegible("no run");

        feed(PageViewsTest.run());
        LongStream.rangeClosed(1_001, 1_060).forEach(step -> feed(SampleRun.held(step, 0.1)));
        SampleImages.writeAttended(new ImageArchive(run), 1_060, List.of("pets", "cars"));
        feed(PageViewsTest.sets());
        feed(List.of(
                SampleRun.images(1_060),
                new Event.Membership(SampleRun.at(1_060), "coordinator", "probe-0", "down", 1, 2, "connection lost")));
        await("progress-steps", "step 1,060 of 1,600 · epoch 13.57");
        visit("images");
        await("images-at", "1,060");
        new WebDriverWait(browser, Duration.ofSeconds(10))
                .until(unused -> text("pictures").contains("head 2"));
        assertLegible("a run");

        // That it finds what it looks for.
        browser.executeScript("document.documentElement.style.setProperty('--muted', '#8a92a8')");
        shape(1280, 900, "light");
        visit("science");
        List<String> found = offenders();
        for (String place : List.of("> dt ", "> th.number ", "> label 'Log level'", "'ticks of x'", "'title of x'")) {
            assertTrue(
                    found.stream().anyMatch(line -> line.contains(place)),
                    () -> "a grey of 3.1 to 1 is not found at " + place + ":\n" + String.join("\n", found));
        }
        assertEquals(List.of(), consoleErrors());
    }

    private void assertLegible(String what) {
        List<String> found = new ArrayList<>();
        for (String view : PageViewsTest.VIEWS) {
            visit(view);
            for (String scheme : List.of("light", "dark")) {
                shape(1280, 900, scheme);
                offenders().forEach(line -> found.add(what + ", " + view + ", " + scheme + ": " + line));
            }
        }
        assertTrue(found.isEmpty(), () -> found.size() + " texts are hard to read:\n" + String.join("\n", found));
    }

    /** Of the view that is shown. */
    private List<String> offenders() {
        List<?> found = (List<?>) browser.executeAsyncScript(MEASURE);
        assertTrue(((Number) found.get(0)).intValue() > 30, "texts: " + found.get(0));
        return found.stream().skip(1).map(Object::toString).toList();
    }
}
