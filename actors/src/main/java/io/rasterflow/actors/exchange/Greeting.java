package io.rasterflow.actors.exchange;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * With what a connection opens, and how both sides prove that they know the shared secret:
 *
 * <pre>
 *   connector                                   acceptor
 *   greeting (nonce c, ...)                  --&gt;
 *                                            &lt;--  CHALLENGE (nonce a)
 *   PROOF  HMAC("connector", greeting, a)    --&gt;  wrong: REFUSE and one line in the log
 *                                            &lt;--  WELCOME HMAC("acceptor", greeting, a), once it is ready
 * </pre>
 *
 * <p>Both proofs are HMAC-SHA256 under the secret. They cover the purpose, the whole greeting and both nonces, so neither
 * side can be impersonated by a replay, by reflecting the other's proof or by using one from another kind of connection.
 */
sealed interface Greeting permits Hello, Visit {

    int NONCE_BYTES = 32;
    int PROOF_BYTES = 32;
    String CONNECTOR = "connector";
    String ACCEPTOR = "acceptor";

    /** Longest frame before the peer is known. */
    int MAX_FRAME_BYTES = 1024;

    SecureRandom RANDOM = new SecureRandom();

    /** The frame that carries the greeting. */
    FrameType type();

    /** Payload of that frame, which begins with the connector's nonce. */
    byte[] encode();

    /** Generation that the handshake's frames name; 0 if none is concerned. */
    long generation();

    static byte[] newNonce() {
        byte[] nonce = new byte[NONCE_BYTES];
        RANDOM.nextBytes(nonce);
        return nonce;
    }

    /** Proof of {@code role} that it knows the secret. */
    default byte[] proof(String role, byte[] acceptorNonce, String secret) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(secret.getBytes(UTF_8), "HmacSHA256"));
            mac.update((type() + " " + role).getBytes(UTF_8));
            mac.update(encode());
            mac.update(acceptorNonce);
            return mac.doFinal();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has HmacSHA256", e);
        }
    }
}
