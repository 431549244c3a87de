package io.rasterflow.tests.streams.storage;

import io.rasterflow.streams.storage.StorageConfig;
import io.rasterflow.streams.storage.StorageException;
import java.util.Random;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.function.Executable;

/** Settings and data of the storage tests. */
final class Storages {

    static final StorageConfig.S3 AWS = new StorageConfig.S3("", "", false);

    private Storages() {}

    /** Short waits, so that what retries does so at once. */
    static StorageConfig quick(int attempts) {
        return new StorageConfig(attempts, 1, 20, 20_000, 60_000, 0, 0, 5, AWS);
    }

    /** As {@link #quick}, with short deadlines. */
    static StorageConfig impatient(int attempts, long stallMillis, long requestMillis) {
        return new StorageConfig(attempts, 1, 20, stallMillis, requestMillis, 0, 0, 5, AWS);
    }

    static StorageConfig hedging(long hedgeMillis) {
        return new StorageConfig(1, 1, 20, 20_000, 60_000, hedgeMillis, 0, 5, AWS);
    }

    static StorageConfig limited(long bytesPerSecond) {
        return new StorageConfig(1, 1, 20, 20_000, 60_000, 0, bytesPerSecond, 5, AWS);
    }

    static byte[] bytes(int count, int seed) {
        byte[] bytes = new byte[count];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    /** The failure of a call, which has to be of a kind and one line. */
    static StorageException fails(StorageException.Kind kind, Executable call) {
        StorageException failure = Assertions.assertThrows(StorageException.class, call);
        Assertions.assertEquals(kind, failure.kind(), failure.getMessage());
        Assertions.assertEquals(1, failure.getMessage().lines().count(), failure.getMessage());
        return failure;
    }

    static void assertSays(Exception failure, String... parts) {
        for (String part : parts) {
            Assertions.assertTrue(
                    failure.getMessage().contains(part), "'" + failure.getMessage() + "' lacks '" + part + "'");
        }
    }
}
