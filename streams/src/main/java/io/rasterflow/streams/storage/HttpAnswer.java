package io.rasterflow.streams.storage;

import io.rasterflow.streams.storage.Checksum.Algorithm;
import io.rasterflow.streams.storage.StorageException.Kind;
import java.net.URI;
import java.net.http.HttpHeaders;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** What the head of an HTTP response says of an object. */
final class HttpAnswer {

    /** Names that Digest, Repr-Digest and x-goog-hash give to algorithms. */
    private static final Map<String, Algorithm> NAMES = Map.of(
            "sha-256", Algorithm.SHA256,
            "sha", Algorithm.SHA1,
            "md5", Algorithm.MD5,
            "crc32c", Algorithm.CRC32C);

    private final URI uri;
    private final int status;
    private final HttpHeaders headers;

    HttpAnswer(URI uri, HttpCall call) {
        this.uri = uri;
        this.status = call.status();
        this.headers = call.headers();
    }

    /**
     * @throws StorageException for any status but 200 and 206, and for a range that cannot be read
     */
    void requireSuccess() throws StorageException {
        if (status == 206) {
            requireRange();
        } else if (status != 200) {
            throw failure();
        }
    }

    private void requireRange() throws StorageException {
        if (range().isEmpty()) {
            throw StorageException.temporary(
                    uri,
                    "the server sends a part with the Content-Range '"
                            + headers.firstValue("Content-Range").orElse("") + "'");
        }
    }

    /** Offset of the first byte of the body. */
    long from() {
        return range().map(ContentRange::from).orElse(0L);
    }

    /** Size of the whole object; {@link ObjectInfo#UNKNOWN_SIZE} if the server does not tell. */
    long total() {
        return range().map(ContentRange::total)
                .or(() -> headers.firstValue("Content-Length")
                        .filter(length -> length.matches("\\d{1,18}"))
                        .map(Long::parseLong))
                .orElse(ObjectInfo.UNKNOWN_SIZE);
    }

    private Optional<ContentRange> range() {
        return status == 206 ? headers.firstValue("Content-Range").flatMap(ContentRange::parse) : Optional.empty();
    }

    /** A strong ETag, or the time of the last change, verbatim as If-Range wants it. */
    String version() {
        return headers.firstValue("ETag")
                .filter(tag -> tag.startsWith("\""))
                .or(() -> headers.firstValue("Last-Modified"))
                .orElse("");
    }

    /** The best checksum of the whole object that stands in the head. */
    Optional<Checksum> checksum() {
        boolean whole = status == 200;
        Stream<Optional<Checksum>> named = Stream.of("Repr-Digest", "Digest", "x-goog-hash")
                .filter(header -> !header.equals("x-goog-hash") || isStoredAsSent())
                .flatMap(header -> headers.allValues(header).stream())
                .flatMap(value -> Arrays.stream(value.split(",")))
                .map(HttpAnswer::named);
        Stream<Optional<Checksum>> amazon = Arrays.stream(Algorithm.values())
                .filter(algorithm -> whole)
                .map(algorithm -> headers.firstValue(
                                "x-amz-checksum-" + algorithm.name().toLowerCase(Locale.ROOT))
                        .flatMap(value -> Checksum.ofBase64(algorithm, value)));
        Stream<Optional<Checksum>> md5 = Stream.of(headers.firstValue("Content-MD5")
                .filter(value -> whole)
                .flatMap(value -> Checksum.ofBase64(Algorithm.MD5, value)));
        return Stream.of(named, amazon, md5)
                .flatMap(checksums -> checksums)
                .flatMap(Optional::stream)
                .min((one, other) -> one.algorithm().compareTo(other.algorithm()));
    }

    /** Google's store can expand a gzip object on its way; the hash is that of the gzip. */
    private boolean isStoredAsSent() {
        return headers.firstValue("x-goog-stored-content-encoding")
                .filter(encoding -> !encoding.equals("identity"))
                .isEmpty();
    }

    /** Reads {@code NAME=BASE64}, the latter between colons in Repr-Digest. */
    private static Optional<Checksum> named(String value) {
        int equals = value.indexOf('=');
        Algorithm algorithm =
                equals < 0 ? null : NAMES.get(value.substring(0, equals).strip().toLowerCase(Locale.ROOT));
        return algorithm == null
                ? Optional.empty()
                : Checksum.ofBase64(algorithm, value.substring(equals + 1).replace(":", ""));
    }

    private StorageException failure() {
        return switch (status) {
            case 401 ->
                new StorageException(
                        Kind.DENIED,
                        uri,
                        "the server wants a login (401)",
                        "put user and password into the URL as https://user:password@host/path, or use a signed URL");
            case 403 ->
                new StorageException(
                        Kind.DENIED,
                        uri,
                        "access denied (403)",
                        "check the permissions of the object; a signed URL may have expired: make a new one");
            case 404, 410 ->
                new StorageException(
                        Kind.MISSING,
                        uri,
                        "there is no such object (" + status + ")",
                        "check the URL, or remove it from the list of shards");
            case 412 -> Download.changed(uri, "the server no longer has that version (412)");
            case 416 ->
                new StorageException(
                        Kind.DAMAGED,
                        uri,
                        "the server has fewer bytes than have arrived before (416)",
                        "the server or a proxy is broken; check it");
            default -> other();
        };
    }

    private StorageException other() {
        boolean temporary = status == 408 || status == 425 || status == 429 || status >= 500 && status != 501;
        return temporary
                ? StorageException.temporary(uri, "the server answers " + status)
                        .withRetryAfter(retryAfterMillis(headers.firstValue("Retry-After")))
                : new StorageException(
                        Kind.OTHER, uri, "the server answers " + status, "check the URL with the server's operator");
    }

    /** Seconds or a date; 0 for anything else. */
    static long retryAfterMillis(Optional<String> header) {
        String value = header.orElse("").strip();
        if (value.matches("\\d{1,9}")) {
            return Long.parseLong(value) * 1000;
        }
        try {
            Instant then = ZonedDateTime.parse(value, DateTimeFormatter.RFC_1123_DATE_TIME)
                    .toInstant();
            return Math.max(0, Duration.between(Instant.now(), then).toMillis());
        } catch (DateTimeException e) {
            return 0;
        }
    }
}
