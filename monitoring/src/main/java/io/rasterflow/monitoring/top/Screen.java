package io.rasterflow.monitoring.top;

import io.rasterflow.monitoring.monitor.RunUpdate;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jline.terminal.Attributes;
import org.jline.terminal.Attributes.LocalFlag;
import org.jline.terminal.Size;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;
import org.jline.utils.Display;
import org.jline.utils.InfoCmp.Capability;
import org.jline.utils.NonBlockingReader;

/**
 * The terminal while a run is watched: frames on its alternate screen, so that what was there before comes back. It is
 * restored whichever way the program ends, kill -9 excepted.
 */
public final class Screen implements AutoCloseable {

    private static final long REFRESH_MILLIS = 1_000;
    /** How often keys and the window's size are looked at. */
    private static final long GLANCE_MILLIS = 100;

    private static final int END = 3; // Ctrl-C
    private static final int END_OF_INPUT = 4; // Ctrl-D

    private final Terminal terminal;
    private final Attributes before;
    private final Thread atExit = new Thread(this::restore, "terminal-restore");
    private final AtomicBoolean restored = new AtomicBoolean();

    /** @throws IOException with one line, if there is no terminal */
    public Screen() throws IOException {
        try {
            terminal = TerminalBuilder.builder().system(true).dumb(false).build();
        } catch (IOException | IllegalStateException e) {
            throw new IOException("this is no terminal (" + e.getMessage() + "); --once prints one frame", e);
        }
        before = terminal.enterRawMode();
        // Ctrl-C is a key here like any other.
        Attributes raw = terminal.getAttributes();
        raw.setLocalFlag(LocalFlag.ISIG, false);
        terminal.setAttributes(raw);
        Runtime.getRuntime().addShutdownHook(atExit);
        terminal.puts(Capability.enter_ca_mode);
        terminal.puts(Capability.cursor_invisible);
        terminal.flush();
    }

    /** Shows a run until q or Ctrl-C is pressed, or the terminal is gone. */
    public void show(Source source) throws IOException {
        Display display = new Display(terminal, true);
        Size shown = new Size(0, 0);
        boolean pressed = false;
        while (!pressed && !restored.get()) {
            RunUpdate run = source.run();
            Size size = size();
            if (!size.equals(shown)) {
                display.resize(size.getRows(), size.getColumns());
                display.clear();
                terminal.puts(Capability.clear_screen);
                shown = size;
            }
            // The last column is left free: terminals differ in what they do after it.
            display.update(
                    Frame.of(run, source.note(), System.currentTimeMillis(), size.getColumns() - 1, size.getRows()), 0);
            pressed = endPressed(source.behind() ? 1 : REFRESH_MILLIS, shown);
        }
    }

    /** What a terminal says that does not know its size is 0. */
    private Size size() {
        Size size = terminal.getSize();
        return new Size(size.getColumns() > 1 ? size.getColumns() : 80, size.getRows() > 0 ? size.getRows() : 24);
    }

    /** Waits for a key, shorter when the window changes. */
    private boolean endPressed(long millis, Size shown) throws IOException {
        long end = System.nanoTime() + millis * 1_000_000;
        for (long left = millis; left > 0; left = (end - System.nanoTime()) / 1_000_000) {
            int key = terminal.reader().read(Math.min(left, GLANCE_MILLIS));
            if (key == 'q' || key == 'Q' || key == END || key == END_OF_INPUT || key == NonBlockingReader.EOF) {
                return true;
            }
            if (!size().equals(shown)) {
                return false;
            }
        }
        return false;
    }

    private void restore() {
        if (restored.compareAndSet(false, true)) {
            terminal.puts(Capability.exit_ca_mode);
            terminal.puts(Capability.cursor_normal);
            terminal.flush();
            terminal.setAttributes(before);
        }
    }

    @Override
    public void close() throws IOException {
        restore();
        try {
            Runtime.getRuntime().removeShutdownHook(atExit);
        } catch (IllegalStateException e) {
            return; // The program is ending, and the hook does the rest.
        }
        terminal.close();
    }
}
