package io.rasterflow.streams.pack;

import io.rasterflow.streams.shard.Manifest;
import java.nio.file.Path;
import java.util.Locale;

/**
 * What lies in a folder of shards. The files of the prefix {@code train} have no prefix in front, so that the one manifest
 * of a folder is its {@code manifest.json}.
 *
 * <pre>
 * train-00000.tar         a shard             .train-00001.tar.part   the next one, growing; always an uncompressed tar
 * manifest.json           the shards          .train-00001.tar.ready  the same when it has been compressed
 * classes.txt             names of classes    .train.pack.jsonl       the journal
 * failures.jsonl          what failed         .train.hashes           of the images so far, with --dedup
 *                                             .train.retry.jsonl      what failed before and is tried again
 * </pre>
 */
record PackFiles(Path folder, PackConfig config) {

    Path shard(int number) {
        return folder.resolve(shardName(number));
    }

    String shardName(int number) {
        return String.format(
                Locale.ROOT,
                "%s-%0" + config.digits() + "d%s",
                config.prefix(),
                number,
                config.compression().extension());
    }

    Path part(int number) {
        return folder.resolve("." + shardName(number) + ".part");
    }

    Path ready(int number) {
        return folder.resolve("." + shardName(number) + ".ready");
    }

    Path journal() {
        return folder.resolve("." + config.prefix() + ".pack.jsonl");
    }

    Path hashes() {
        return folder.resolve("." + config.prefix() + ".hashes");
    }

    Path retry() {
        return folder.resolve("." + config.prefix() + ".retry.jsonl");
    }

    Path manifest() {
        return folder.resolve(prefixed(Manifest.FILE_NAME));
    }

    Path failures() {
        return folder.resolve(prefixed("failures.jsonl"));
    }

    Path classes() {
        return folder.resolve("classes.txt");
    }

    private String prefixed(String name) {
        return config.prefix().equals(PackConfig.DEFAULT_PREFIX) ? name : config.prefix() + "-" + name;
    }
}
