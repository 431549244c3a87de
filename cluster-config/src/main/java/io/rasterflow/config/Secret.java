package io.rasterflow.config;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Set;

/**
 * The secret that nodes prove to each other before they exchange gradients. It lives in a file that only its owner can
 * read and is made on first use; nodes on other hosts need a copy of it. It is never an argument and never logged.
 */
public final class Secret {

    private Secret() {}

    /** {@code RASTERFLOW_SECRET_FILE}, else {@code rasterflow/secret} in the user's configuration directory. */
    public static Path file() {
        String given = System.getenv("RASTERFLOW_SECRET_FILE");
        if (given != null && !given.isBlank()) {
            return Path.of(given);
        }
        String config = System.getenv().getOrDefault("XDG_CONFIG_HOME", System.getProperty("user.home") + "/.config");
        return Path.of(config, "rasterflow", "secret");
    }

    /** @throws ConfigException when it can neither be read nor made */
    public static String load() {
        Path file = file();
        try {
            if (!Files.exists(file)) {
                create(file);
            }
            String secret = Files.readString(file).strip();
            if (secret.length() < 32) {
                throw new ConfigException("the secret in " + file
                        + " is shorter than 32 characters; delete the file to have a new one made");
            }
            return secret;
        } catch (IOException e) {
            throw new ConfigException(
                    "the cluster secret " + file + " cannot be read or made (" + e.getMessage()
                            + "); set RASTERFLOW_SECRET_FILE to a readable file",
                    e);
        }
    }

    /** Appears whole or not at all, so that processes that start together agree on one. */
    private static void create(Path file) throws IOException {
        byte[] random = new byte[32];
        new SecureRandom().nextBytes(random);
        Path directory = file.toAbsolutePath().getParent();
        Files.createDirectories(directory);
        Path temporary = Files.createTempFile(
                directory,
                "secret",
                ".tmp",
                PosixFilePermissions.asFileAttribute(Set.copyOf(PosixFilePermissions.fromString("rw-------"))));
        try {
            Files.writeString(temporary, HexFormat.of().formatHex(random) + "\n", StandardOpenOption.WRITE);
            Files.createLink(file, temporary);
        } catch (FileAlreadyExistsException e) {
            // Another process was first: its secret counts.
            return;
        } finally {
            Files.deleteIfExists(temporary);
        }
    }
}
