package io.rasterflow.streams.storage;

import io.rasterflow.streams.storage.StorageException.Kind;
import java.net.URI;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionException;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.services.s3.model.S3Exception;

/** What the error codes of S3 mean for a user. */
final class S3Failures {

    private static final Set<String> EXPIRED = Set.of("ExpiredToken", "TokenRefreshRequired", "InvalidToken");
    private static final Set<String> BUSY =
            Set.of("SlowDown", "RequestTimeout", "ServiceUnavailable", "InternalError", "Throttling");

    private S3Failures() {}

    static StorageException explain(URI uri, Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        if (cause instanceof S3Exception service) {
            return service(uri, service);
        }
        String message = String.valueOf(cause.getMessage());
        if (cause instanceof SdkClientException && message.contains("Unable to load credentials")) {
            return new StorageException(
                    Kind.DENIED,
                    uri,
                    "there are no AWS credentials",
                    "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the machine a role");
        }
        return NetworkFailures.explain(uri, cause);
    }

    private static StorageException service(URI uri, S3Exception failure) {
        int status = failure.statusCode();
        Optional<AwsErrorDetails> details = Optional.ofNullable(failure.awsErrorDetails());
        String code = details.map(AwsErrorDetails::errorCode).orElse("");
        String shown = " (" + status + (code == null || code.isEmpty() ? "" : " " + code) + ")";
        code = String.valueOf(code);
        if (EXPIRED.contains(code)) {
            return denied(
                    uri, "the credentials have expired" + shown, "renew them (aws sso login, a new session token)");
        }
        switch (code) {
            case "InvalidAccessKeyId", "SignatureDoesNotMatch":
                return denied(
                        uri,
                        "the access key or its secret is wrong" + shown,
                        "check AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
            case "RequestTimeTooSkewed":
                return denied(uri, "the clock of this machine is wrong" + shown, "set it, for instance by NTP");
            case "NoSuchBucket":
                return missing(uri, "there is no such bucket" + shown, "check its name and data.storage.s3.endpoint");
            default:
        }
        return switch (status) {
            case 401, 403 ->
                denied(
                        uri,
                        "access denied" + shown,
                        "check credentials (AWS_PROFILE, AWS_ACCESS_KEY_ID or an instance role) and the bucket policy");
            case 404 -> missing(uri, "there is no such object" + shown, "check the bucket and the key");
            case 412 -> Download.changed(uri, "the store no longer has that version" + shown);
            case 416 ->
                new StorageException(
                        Kind.DAMAGED, uri, "the object has fewer bytes than have arrived before" + shown, "check it");
            case 301, 307, 400 -> region(uri, shown, details, BUSY.contains(code));
            default -> other(uri, shown, details, status, BUSY.contains(code));
        };
    }

    /** A bucket of another region; 400 stands for other mistakes too. */
    private static StorageException region(URI uri, String shown, Optional<AwsErrorDetails> details, boolean busy) {
        Optional<String> region = header(details, "x-amz-bucket-region");
        if (region.isEmpty()) {
            return other(uri, shown, details, 400, busy);
        }
        return new StorageException(
                Kind.OTHER,
                uri,
                "the bucket is in another region" + shown,
                "set data.storage.s3.region to " + region.get());
    }

    private static StorageException other(
            URI uri, String shown, Optional<AwsErrorDetails> details, int status, boolean busy) {
        boolean temporary = busy || status == 408 || status == 425 || status == 429 || status >= 500 && status != 501;
        return temporary
                ? StorageException.temporary(uri, "the store is busy or broken" + shown)
                        .withRetryAfter(HttpAnswer.retryAfterMillis(header(details, "Retry-After")))
                : new StorageException(
                        Kind.OTHER,
                        uri,
                        "the store refuses the request" + shown,
                        "check data.storage.s3 (endpoint, region, pathStyle)");
    }

    private static Optional<String> header(Optional<AwsErrorDetails> details, String name) {
        return details.map(AwsErrorDetails::sdkHttpResponse).flatMap(response -> response.firstMatchingHeader(name));
    }

    private static StorageException denied(URI uri, String why, String advice) {
        return new StorageException(Kind.DENIED, uri, why, advice);
    }

    private static StorageException missing(URI uri, String why, String advice) {
        return new StorageException(Kind.MISSING, uri, why, advice);
    }
}
