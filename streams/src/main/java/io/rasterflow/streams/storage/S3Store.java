package io.rasterflow.streams.storage;

import io.rasterflow.streams.storage.Checksum.Algorithm;
import io.rasterflow.streams.storage.StorageException.Kind;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;
import org.reactivestreams.FlowAdapters;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.awscore.retry.AwsRetryStrategy;
import software.amazon.awssdk.core.async.AsyncResponseTransformer;
import software.amazon.awssdk.core.async.SdkPublisher;
import software.amazon.awssdk.core.checksums.ResponseChecksumValidation;
import software.amazon.awssdk.core.client.config.SdkAdvancedAsyncClientOption;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.http.nio.netty.NettyNioAsyncHttpClient;
import software.amazon.awssdk.http.nio.netty.SdkEventLoopGroup;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.regions.providers.DefaultAwsRegionProviderChain;
import software.amazon.awssdk.services.s3.S3AsyncClient;
import software.amazon.awssdk.services.s3.S3AsyncClientBuilder;
import software.amazon.awssdk.services.s3.model.ChecksumMode;
import software.amazon.awssdk.services.s3.model.ChecksumType;
import software.amazon.awssdk.services.s3.model.GetObjectRequest;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Response;
import software.amazon.awssdk.services.s3.model.ServerSideEncryption;

/**
 * S3 and services that speak its protocol. The SDK signs, renews credentials and keeps connections; retries, deadlines and
 * checksums are ours, so that they are the same for every store and hold for resumed objects too.
 */
final class S3Store implements ObjectStore {

    private static final int NETWORK_THREADS = 2;
    private static final int MAX_CONNECTIONS = 256;

    private final StorageConfig config;
    private final Lifetime lifetime;
    private final DefaultCredentialsProvider credentials;
    private final S3AsyncClient client;

    S3Store(StorageConfig config, Lifetime lifetime) {
        this.config = config;
        this.lifetime = lifetime;
        this.credentials = DefaultCredentialsProvider.builder().build();
        Duration stall = Duration.ofMillis(config.stallMillis());
        S3AsyncClientBuilder builder = S3AsyncClient.builder()
                .credentialsProvider(credentials)
                .region(region(config.s3()))
                .forcePathStyle(config.s3().pathStyle())
                .responseChecksumValidation(ResponseChecksumValidation.WHEN_REQUIRED)
                .overrideConfiguration(override -> override.retryStrategy(AwsRetryStrategy.doNotRetry()))
                // Our callbacks only hand things over, so the network's threads may run them.
                .asyncConfiguration(async ->
                        async.advancedOption(SdkAdvancedAsyncClientOption.FUTURE_COMPLETION_EXECUTOR, Runnable::run))
                .httpClientBuilder(NettyNioAsyncHttpClient.builder()
                        .maxConcurrency(MAX_CONNECTIONS)
                        .connectionTimeout(stall)
                        .connectionAcquisitionTimeout(stall)
                        // A reader that is held back by the rate limit is no stall; we watch for those.
                        .readTimeout(Duration.ofMillis(config.requestMillis()))
                        .eventLoopGroupBuilder(SdkEventLoopGroup.builder().numberOfThreads(NETWORK_THREADS)));
        if (!config.s3().endpoint().isEmpty()) {
            builder.endpointOverride(URI.create(config.s3().endpoint()));
        }
        this.client = builder.build();
    }

    private static Region region(StorageConfig.S3 s3) {
        if (!s3.region().isEmpty()) {
            return Region.of(s3.region());
        }
        if (s3.endpoint().isEmpty()) {
            try {
                return DefaultAwsRegionProviderChain.builder().build().getRegion();
            } catch (SdkClientException e) {
                // Nobody has set one; a bucket that is elsewhere answers with its region.
            }
        }
        return Region.US_EAST_1;
    }

    @Override
    public ObjectInfo stat(URI uri) throws IOException {
        String bucket = bucket(uri);
        String key = key(uri);
        try {
            HeadObjectResponse head = lifetime.await(
                    client.headObject(request -> request.bucket(bucket).key(key).checksumMode(ChecksumMode.ENABLED)),
                    config.stallMillis(),
                    uri,
                    this);
            return new ObjectInfo(
                    uri,
                    Optional.ofNullable(head.contentLength()).orElse(ObjectInfo.UNKNOWN_SIZE),
                    Optional.ofNullable(head.eTag()).orElse(""),
                    checksum(head));
        } catch (StorageException e) {
            if (e.kind() == Kind.TEMPORARY || lifetime.isClosed()) {
                throw e;
            }
            throw reason(ObjectInfo.at(uri), e);
        }
    }

    /** The answer to HEAD has no body that could say what is wrong, such as an expired token; the answer to GET has. */
    private StorageException reason(ObjectInfo object, StorageException head) throws IOException {
        try {
            ObjectPart part = lifetime.await(open(object, 0), config.stallMillis(), object.uri(), this);
            part.body().subscribe(Discard.cancelling());
            return head;
        } catch (StorageException e) {
            return e;
        }
    }

    /** The checksum of all bytes; those of objects that were uploaded in parts may be of another kind. */
    private static Optional<Checksum> checksum(HeadObjectResponse head) {
        if (head.checksumType() != ChecksumType.COMPOSITE) {
            Map<Algorithm, Optional<String>> offered = Map.of(
                    Algorithm.SHA256, Optional.ofNullable(head.checksumSHA256()),
                    Algorithm.SHA1, Optional.ofNullable(head.checksumSHA1()),
                    Algorithm.CRC64NVME, Optional.ofNullable(head.checksumCRC64NVME()),
                    Algorithm.CRC32C, Optional.ofNullable(head.checksumCRC32C()),
                    Algorithm.CRC32, Optional.ofNullable(head.checksumCRC32()));
            for (Algorithm algorithm : Algorithm.values()) {
                Optional<Checksum> checksum = offered.getOrDefault(algorithm, Optional.empty())
                        .flatMap(value -> Checksum.ofBase64(algorithm, value));
                if (checksum.isPresent()) {
                    return checksum;
                }
            }
        }
        boolean tagIsMd5 = head.sseCustomerAlgorithm() == null
                && (head.serverSideEncryption() == null || head.serverSideEncryption() == ServerSideEncryption.AES256);
        return Optional.ofNullable(head.eTag())
                .map(tag -> tag.replace("\"", ""))
                .filter(tag -> tagIsMd5 && tag.matches("[0-9a-fA-F]{32}"))
                .map(tag -> new Checksum(Algorithm.MD5, tag));
    }

    @Override
    public Page list(URI folder, String after) throws IOException {
        String bucket = bucket(folder);
        String path = folder.getPath().replaceFirst("^/", "");
        String prefix = path.isEmpty() || path.endsWith("/") ? path : path + "/";
        ListObjectsV2Response page = lifetime.await(
                client.listObjectsV2(request -> request.bucket(bucket)
                        .prefix(prefix)
                        .delimiter("/")
                        .continuationToken(after.isEmpty() ? null : after)),
                config.stallMillis(),
                folder,
                this);
        List<URI> objects = new ArrayList<>();
        for (var object : page.contents()) {
            if (!object.key().equals(prefix)) { // the folder itself, as some tools make it
                try {
                    objects.add(Locations.s3(bucket, object.key()));
                } catch (URISyntaxException e) {
                    throw new StorageException(
                            Kind.OTHER, folder, "the key '" + object.key() + "' makes no URL", "rename the object");
                }
            }
        }
        boolean more = Boolean.TRUE.equals(page.isTruncated()) && page.nextContinuationToken() != null;
        return new Page(objects, more ? page.nextContinuationToken() : "");
    }

    @Override
    public CompletableFuture<ObjectPart> open(ObjectInfo object, long from) {
        CompletableFuture<ObjectPart> opened = new CompletableFuture<>();
        try {
            GetObjectRequest.Builder request =
                    GetObjectRequest.builder().bucket(bucket(object.uri())).key(key(object.uri()));
            if (!object.version().isEmpty()) {
                request.ifMatch(object.version());
            }
            if (from > 0) {
                request.range("bytes=" + from + "-");
            }
            CompletableFuture<Void> call = client.getObject(request.build(), new HandOver(opened));
            var failed = call.whenComplete((done, failure) -> {
                if (failure != null) {
                    opened.completeExceptionally(failure);
                }
            });
            var cancelled = opened.whenComplete((part, failure) -> {
                if (failure != null) {
                    call.cancel(true);
                }
            });
        } catch (IOException e) {
            opened.completeExceptionally(e);
        }
        return opened;
    }

    /** Passes a response on as it begins; one that comes after a cancellation is ended at once, with its connection. */
    private static final class HandOver implements AsyncResponseTransformer<GetObjectResponse, Void> {
        private final CompletableFuture<ObjectPart> opened;
        private final CompletableFuture<Void> done = new CompletableFuture<>();
        private volatile GetObjectResponse response;

        private HandOver(CompletableFuture<ObjectPart> opened) {
            this.opened = opened;
        }

        @Override
        public CompletableFuture<Void> prepare() {
            return done;
        }

        @Override
        public void onResponse(GetObjectResponse newResponse) {
            response = newResponse;
        }

        @Override
        public void onStream(SdkPublisher<ByteBuffer> publisher) {
            Flow.Publisher<List<ByteBuffer>> body = FlowAdapters.toFlowPublisher(publisher.map(List::of));
            Optional<ContentRange> range =
                    Optional.ofNullable(response.contentRange()).flatMap(ContentRange::parse);
            long whole = Optional.ofNullable(response.contentLength()).orElse(ObjectInfo.UNKNOWN_SIZE);
            ObjectPart part = new ObjectPart(
                    range.map(ContentRange::from).orElse(0L),
                    range.map(ContentRange::total).orElse(whole),
                    Optional.ofNullable(response.eTag()).orElse(""),
                    body);
            done.complete(null);
            if (!opened.complete(part)) {
                body.subscribe(Discard.cancelling());
            }
        }

        @Override
        public void exceptionOccurred(Throwable failure) {
            done.completeExceptionally(failure);
        }
    }

    private static String bucket(URI uri) throws StorageException {
        if (uri.getRawAuthority() == null) {
            throw new StorageException(Kind.OTHER, uri, "it names no bucket", "write s3://bucket/path/of/object");
        }
        return uri.getRawAuthority();
    }

    private static String key(URI uri) throws StorageException {
        if (uri.getRawQuery() != null || uri.getRawFragment() != null) {
            throw new StorageException(
                    Kind.OTHER, uri, "its key holds a bare ? or #", "write them as %3F and %23 in the URL");
        }
        String path = uri.getPath();
        if (path == null || path.length() < 2) {
            throw new StorageException(Kind.OTHER, uri, "it names no object", "write s3://bucket/path/of/object");
        }
        return path.substring(1);
    }

    @Override
    public StorageException explain(URI uri, Throwable failure) {
        return S3Failures.explain(uri, failure);
    }

    @Override
    public void close() {
        client.close();
        credentials.close();
    }
}
