package io.rasterflow.monitoring.alarm;

import java.net.URI;
import java.util.List;

/**
 * When alarms are raised, and whom they are told. Shares and rises are fractions.
 *
 * @param enabled whether a run is watched at all
 * @param off names of {@linkplain AlarmKind alarms} that are not raised
 * @param warmupSteps steps after each start of which losses, gradients and times are not judged
 * @param spikeDeviations robust standard deviations (1.4826 MAD) by which a loss exceeds the median of those before
 * @param divergenceRise of the loss above its best
 * @param plateauSteps that are looked back on, or a tenth of the run where that is more
 * @param plateauFall of the loss, from the first half of them to the second, below which it does not fall
 * @param overFitRise of the validation loss above its best
 * @param overFitValidations so many in a row
 * @param deadGradientShare of the usual gradient norm, below which gradients are dead
 * @param stallShare of a rank's step that waits for images
 * @param silenceSeconds without a step, validation, probe or checkpoint
 * @param stragglerRatio time of a rank per micro-batch over that of the others
 * @param diskFreeBytes below which a disk is full; three checkpoints where that is more
 * @param clockSkewSeconds by which a node's clock differs from the monitor's
 * @param throughputFall of images per second below the usual
 * @param webhook URL that is sent each alarm as JSON by POST; {@code env:NAME} takes it from the environment; empty: none
 * @param command program and arguments, which gets the JSON on its standard input; empty: none. Only the node that begins
 *     the run starts it
 * @param hookMillis that a hook may take
 */
public record AlarmConfig(
        boolean enabled,
        List<String> off,
        int warmupSteps,
        double spikeDeviations,
        double divergenceRise,
        int plateauSteps,
        double plateauFall,
        double overFitRise,
        int overFitValidations,
        double deadGradientShare,
        double stallShare,
        double silenceSeconds,
        double stragglerRatio,
        long diskFreeBytes,
        double clockSkewSeconds,
        double throughputFall,
        String webhook,
        List<String> command,
        long hookMillis) {

    private static final String ENVIRONMENT = "env:";

    public AlarmConfig {
        off = List.copyOf(off);
        command = List.copyOf(command);
        for (String name : off) {
            if (AlarmKind.of(name).isEmpty()) {
                throw refused("off", name, "consist of names of alarms", "they are " + AlarmKind.names());
            }
        }
        require(warmupSteps >= 0, "warmupSteps", warmupSteps, "not be negative");
        require(spikeDeviations >= 3 && spikeDeviations <= 1000, "spikeDeviations", spikeDeviations, "be in 3 to 1000");
        require(divergenceRise > 0, "divergenceRise", divergenceRise, "be above 0");
        require(plateauSteps >= 100, "plateauSteps", plateauSteps, "be at least 100");
        share("plateauFall", plateauFall);
        require(overFitRise >= 0 && overFitRise < 10, "overFitRise", overFitRise, "be at least 0 and below 10");
        require(overFitValidations >= 1, "overFitValidations", overFitValidations, "be at least 1");
        share("deadGradientShare", deadGradientShare);
        share("stallShare", stallShare);
        require(silenceSeconds > 0, "silenceSeconds", silenceSeconds, "be above 0");
        require(stragglerRatio >= 1.2, "stragglerRatio", stragglerRatio, "be at least 1.2");
        require(diskFreeBytes >= 0, "diskFreeBytes", diskFreeBytes, "not be negative");
        require(clockSkewSeconds > 0, "clockSkewSeconds", clockSkewSeconds, "be above 0");
        share("throughputFall", throughputFall);
        require(hookMillis >= 1 && hookMillis <= 600_000, "hookMillis", hookMillis, "be between 1 and 600000");
        if (!webhook.isEmpty() && !webhook.startsWith(ENVIRONMENT)) {
            parse(webhook);
        }
        if (!command.isEmpty() && command.get(0).isBlank()) {
            throw refused("command", "", "begin with a program", "give a list such as [notify, \"--run\"]");
        }
    }

    /** For a node that has these values from another: what it is sent must not start programs. */
    public AlarmConfig withoutCommand() {
        return new AlarmConfig(
                enabled,
                off,
                warmupSteps,
                spikeDeviations,
                divergenceRise,
                plateauSteps,
                plateauFall,
                overFitRise,
                overFitValidations,
                deadGradientShare,
                stallShare,
                silenceSeconds,
                stragglerRatio,
                diskFreeBytes,
                clockSkewSeconds,
                throughputFall,
                webhook,
                List.of(),
                hookMillis);
    }

    /** Without the URL and the arguments, which may be secrets. */
    @Override
    public String toString() {
        return "AlarmConfig[enabled=" + enabled + ", off=" + off + ", webhook=" + !webhook.isEmpty() + ", command="
                + !command.isEmpty() + "]";
    }

    /**
     * Where alarms are posted, on this machine.
     *
     * @return null when nowhere
     * @throws IllegalArgumentException with one line that does not hold the address, which may be a secret
     */
    URI webhookAddress() {
        if (!webhook.startsWith(ENVIRONMENT)) {
            return webhook.isEmpty() ? null : parse(webhook);
        }
        String name = webhook.substring(ENVIRONMENT.length());
        String value = System.getenv(name);
        if (value == null || value.isBlank()) {
            throw new IllegalArgumentException("monitor.alarms.webhook is to be in the environment variable " + name
                    + ", which is not set on the monitor's node; set it, or give the URL");
        }
        return parse(value.strip());
    }

    /** A URL may hold a token, so no message shows it. */
    private static URI parse(String url) {
        try {
            URI uri = URI.create(url);
            if (List.of("http", "https").contains(String.valueOf(uri.getScheme())) && uri.getHost() != null) {
                return uri;
            }
        } catch (IllegalArgumentException notAUrl) {
            // Its message holds the text; said without below.
        }
        throw new IllegalArgumentException(
                "monitor.alarms.webhook must be an http:// or https:// URL, or env:NAME, but the " + url.length()
                        + " characters given are neither");
    }

    private static void share(String key, double value) {
        require(value > 0 && value < 1, key, value, "be between 0 and 1");
    }

    private static void require(boolean holds, String key, Number value, String must) {
        if (!holds) {
            throw new IllegalArgumentException("monitor.alarms." + key + " must " + must + " but is " + value);
        }
    }

    private static IllegalArgumentException refused(String key, String value, String must, String instead) {
        return new IllegalArgumentException(
                "monitor.alarms." + key + " must " + must + " but has '" + value + "'; " + instead);
    }
}
