package io.rasterflow.streams.storage;

import io.rasterflow.streams.storage.StorageException.Kind;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.channels.UnresolvedAddressException;
import java.security.cert.CertificateException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.SSLException;

/** What the failures of sockets, TLS and name services mean, whatever library reports them. */
final class NetworkFailures {

    private static final int MAX_DEPTH = 16;

    private NetworkFailures() {}

    static StorageException explain(URI uri, Throwable failure) {
        List<Throwable> chain = chain(failure);
        Optional<StorageException> known = find(chain, StorageException.class);
        if (known.isPresent()) {
            return known.get();
        }
        Optional<CertificateException> certificate = find(chain, CertificateException.class);
        if (certificate.isPresent()) {
            return new StorageException(
                    Kind.OTHER,
                    uri,
                    "the certificate of the server is not trusted (" + reason(certificate.get()) + ")",
                    "check the host name and the clock, or add its authority to a trust store and name that by "
                            + "RASTERFLOW_JAVA_OPTS=-Djavax.net.ssl.trustStore=FILE");
        }
        if (find(chain, UnknownHostException.class).isPresent()
                || find(chain, UnresolvedAddressException.class).isPresent()) {
            return new StorageException(
                    Kind.TEMPORARY, uri, "unknown host", "check the host name and the name service (DNS)");
        }
        if (find(chain, ConnectException.class).isPresent()) {
            return new StorageException(
                    Kind.TEMPORARY,
                    uri,
                    "no connection (" + reason(chain.get(chain.size() - 1)) + ")",
                    "check host and port, the network and proxies");
        }
        Optional<SSLException> tls = find(chain, SSLException.class);
        if (tls.isPresent()) {
            return new StorageException(
                    Kind.TEMPORARY,
                    uri,
                    "TLS failed (" + reason(tls.get()) + ")",
                    "check that the port speaks TLS, or use http: if the server has none");
        }
        Optional<IOException> io = find(chain, IOException.class);
        if (io.isPresent()) {
            return StorageException.temporary(uri, "the connection broke (" + reason(io.get()) + ")");
        }
        Optional<IllegalArgumentException> nonsense = find(chain, IllegalArgumentException.class);
        if (nonsense.isPresent()) { // the JDK's parser: a Content-Length that is no number
            return StorageException.temporary(uri, "the response makes no sense (" + reason(nonsense.get()) + ")");
        }
        return new StorageException(
                Kind.OTHER,
                uri,
                reason(chain.get(chain.size() - 1)),
                "this is unexpected; please report it with this line");
    }

    /** From the outermost to the root. */
    private static List<Throwable> chain(Throwable failure) {
        List<Throwable> chain = new ArrayList<>();
        for (Throwable e = failure; e != null && chain.size() < MAX_DEPTH; e = e.getCause()) {
            chain.add(e);
        }
        return chain;
    }

    private static <T extends Throwable> Optional<T> find(List<Throwable> chain, Class<T> type) {
        return chain.stream().filter(type::isInstance).map(type::cast).findFirst();
    }

    private static String reason(Throwable failure) {
        String name = failure.getClass().getSimpleName();
        String message = failure.getMessage();
        return message == null
                ? name
                : name + ": " + message.lines().findFirst().orElse("");
    }
}
