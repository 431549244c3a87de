package io.rasterflow.monitoring.top;

import io.rasterflow.monitoring.monitor.RunUpdate;
import io.rasterflow.monitoring.page.PageClient;
import java.io.IOException;
import java.net.URI;

/** The page of a run, on this host or another. */
public final class PageSource implements Source {

    private final PageClient client;

    /** @throws IOException with one line, if no page answers there */
    public PageSource(URI page) throws IOException {
        client = new PageClient(page);
    }

    @Override
    public RunUpdate run() {
        return client.run();
    }

    @Override
    public String note() {
        return client.trouble();
    }

    @Override
    public boolean behind() {
        return false;
    }

    @Override
    public void close() {
        client.close();
    }
}
