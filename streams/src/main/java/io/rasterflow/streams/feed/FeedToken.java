package io.rasterflow.streams.feed;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** The secret that senders show as {@code Authorization: Bearer TOKEN}. It is kept as a hash and never printed. */
public final class FeedToken {

    private static final String SCHEME = "Bearer ";
    private static final int MIN_LENGTH = 16;

    private final byte[] hash;

    private FeedToken(byte[] hash) {
        this.hash = hash;
    }

    /**
     * @param source where the token was found, for the message
     * @throws IllegalArgumentException if it is too short or holds other characters than tokens do
     */
    public static FeedToken of(String token, String source) {
        if (token.length() < MIN_LENGTH || !token.matches("[A-Za-z0-9._~+/=-]+")) {
            throw new IllegalArgumentException("the feed's token in " + source + " must be at least " + MIN_LENGTH
                    + " of the characters A-Z a-z 0-9 . _ ~ + / = -; make one with: openssl rand -hex 32");
        }
        return new FeedToken(hash(token));
    }

    /** Reads a file that holds the token alone. */
    public static FeedToken read(Path file) throws IOException {
        try {
            return of(Files.readString(file).strip(), file.toString());
        } catch (IOException e) {
            throw new IOException("cannot read the feed's token in " + file + " (" + e + "); check --token-file", e);
        }
    }

    /** Whether a request may pass; takes as long for a token that is nearly right as for any other. */
    boolean allows(String authorization) {
        return authorization.regionMatches(true, 0, SCHEME, 0, SCHEME.length())
                && MessageDigest.isEqual(
                        hash, hash(authorization.substring(SCHEME.length()).strip()));
    }

    private static byte[] hash(String token) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    @Override
    public String toString() {
        return "(token)";
    }
}
