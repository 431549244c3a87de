package io.rasterflow.monitoring.alarm;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.event.EventJson;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells others of alarms: a URL by POST, a program on its standard input; each gets one JSON object:
 *
 * <pre>
 *   {"run":"aim-fashion","v":1,"type":"alarm","timeMillis":1767225600000,"node":"main","alarm":"loss-spike","subject":"",
 *    "raised":true,"step":812,"value":0.91,"threshold":0.55,"text":"the loss of step 812 ...","advice":"look at ..."}
 * </pre>
 *
 * <p>They are called one after the other on a thread of their own. One that fails, or takes too long and is ended, costs a
 * line in the log that names the host or the program only: the rest of a URL, and arguments, may be secrets.
 */
public final class AlarmHooks implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(AlarmHooks.class);
    /** Alarms that may wait; more are dropped with a line in the log. */
    private static final int QUEUE = 64;
    /** The end of a run waits so long for its last alarms. */
    private static final long GOODBYE_MILLIS = 3_000;

    private final String run;
    private final URI webhook;
    private final List<String> command;
    private final long millis;
    private final HttpClient client;
    private final ThreadPoolExecutor executor;
    /** Whether it was said that alarms are dropped, since one was not. */
    private final AtomicBoolean dropping = new AtomicBoolean();

    /**
     * @param run its name
     * @throws IllegalArgumentException with one line when the environment lacks the URL that is to be in it
     */
    public AlarmHooks(AlarmConfig config, String run) {
        this.run = run;
        this.webhook = config.webhookAddress();
        this.command = config.command();
        this.millis = config.hookMillis();
        // A redirection could lead anywhere, with what the alarm says.
        this.client = webhook == null
                ? null
                : HttpClient.newBuilder()
                        .connectTimeout(Duration.ofMillis(millis))
                        .followRedirects(HttpClient.Redirect.NEVER)
                        .build();
        this.executor =
                new ThreadPoolExecutor(1, 1, 10, TimeUnit.SECONDS, new ArrayBlockingQueue<>(QUEUE), AlarmHooks::thread);
        executor.allowCoreThreadTimeOut(true);
    }

    private static Thread thread(Runnable work) {
        Thread thread = new Thread(work, "alarm-hooks");
        thread.setDaemon(true);
        return thread;
    }

    /** Returns at once, and never throws. */
    public void tell(Event.Alarm alarm) {
        if (webhook == null && command.isEmpty()) {
            return;
        }
        try {
            executor.execute(() -> deliver(alarm));
            dropping.set(false);
        } catch (RejectedExecutionException e) {
            if (!dropping.getAndSet(true)) {
                log.warn(
                        "the alarm {}, and perhaps more, is told to no hook: {} wait already, or the node ends",
                        alarm.alarm(),
                        QUEUE);
            }
        }
    }

    private void deliver(Event.Alarm alarm) {
        try {
            ObjectNode json = EventJson.tree(alarm).put("run", run);
            byte[] body = json.toString().getBytes(StandardCharsets.UTF_8);
            if (webhook != null) {
                post(alarm, body);
            }
            if (!command.isEmpty()) {
                execute(alarm, body);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException e) {
            log.warn(
                    "the alarm {} was not told to its hooks: {}",
                    alarm.alarm(),
                    e.getClass().getSimpleName());
        }
    }

    private void post(Event.Alarm alarm, byte[] body) throws InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(webhook)
                .timeout(Duration.ofMillis(millis))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofByteArray(body))
                .build();
        CompletableFuture<HttpResponse<Void>> answer =
                client.sendAsync(request, HttpResponse.BodyHandlers.discarding());
        try {
            int status = answer.get(millis, TimeUnit.MILLISECONDS).statusCode();
            if (status / 100 != 2) {
                failed(alarm, "the webhook at " + webhook.getHost(), "it answered " + status);
            }
        } catch (ExecutionException e) {
            // The kind alone: messages of the client may hold the URL.
            failed(
                    alarm,
                    "the webhook at " + webhook.getHost(),
                    e.getCause().getClass().getSimpleName());
        } catch (TimeoutException e) {
            failed(alarm, "the webhook at " + webhook.getHost(), "no answer within " + millis + " ms");
        } finally {
            answer.cancel(true);
        }
    }

    private void execute(Event.Alarm alarm, byte[] body) throws InterruptedException {
        String program = "the command " + command.get(0);
        Process process;
        try {
            process = new ProcessBuilder(command)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
        } catch (IOException e) {
            failed(alarm, program, "it cannot be started; check its path and that it may be executed");
            return;
        }
        try {
            write(process, body);
            if (!process.waitFor(millis, TimeUnit.MILLISECONDS)) {
                failed(alarm, program, "it was ended after " + millis + " ms");
            } else if (process.exitValue() != 0) {
                failed(alarm, program, "exit code " + process.exitValue());
            }
        } finally {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
    }

    /** An alarm fits into a pipe, so this does not wait for a program that does not read. */
    private static void write(Process process, byte[] body) {
        try (OutputStream in = process.getOutputStream()) {
            in.write(body);
        } catch (IOException e) {
            log.debug("a program for alarms does not read its input", e);
        }
    }

    private static void failed(Event.Alarm alarm, String hook, String why) {
        log.warn("{} was not told of the alarm {}: {}", hook, alarm.alarm(), why);
    }

    /** Waits for what is on its way, but not for long. */
    @Override
    public void close() {
        executor.shutdown();
        try {
            if (!executor.awaitTermination(GOODBYE_MILLIS, TimeUnit.MILLISECONDS)) {
                executor.shutdownNow();
            }
        } catch (InterruptedException e) {
            executor.shutdownNow();
            Thread.currentThread().interrupt();
        }
    }
}
