package io.rasterflow.tests.actors;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.rasterflow.actors.membership.Addresses;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.zip.DeflaterOutputStream;
import org.junit.jupiter.api.Test;

/** Addresses as a message carries them: a few bytes that would fill the memory are refused, with one line. */
class AddressesTest {

    private final ObjectMapper json = new ObjectMapper();

    /** One run of one rank. */
    private byte[] packed(int count, String processId, String host) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataOutputStream out = new DataOutputStream(new DeflaterOutputStream(bytes))) {
            out.writeInt(count);
            out.writeUTF(processId);
            out.writeUTF(host);
            out.writeShort(7355);
            out.writeShort(1);
            out.writeShort(0);
        }
        return json.writeValueAsBytes(bytes.toByteArray());
    }

    private void refused(String why, byte[] packed) {
        assertTrue(packed.length < 1_000, packed.length + " bytes");
        JsonMappingException refusal =
                assertThrows(JsonMappingException.class, () -> json.readValue(packed, Addresses.class));
        String line = refusal.getCause().getMessage();
        assertTrue(line.startsWith("addresses of ranks cannot be read: " + why), line);
    }

    @Test
    void theLongestNamesAreRead() throws IOException {
        byte[] packed = packed(1, "p".repeat(64), "h".repeat(255));
        Addresses read = json.readValue(packed, Addresses.class);
        assertEquals(read, json.readValue(json.writeValueAsBytes(read), Addresses.class));
        assertTrue(read.toString().contains("h".repeat(255)), read.toString());
    }

    @Test
    void longerNamesAndMoreRanksAreRefused() throws IOException {
        refused("a text of 60000 characters, at most 64", packed(65_535, "p".repeat(60_000), "host"));
        refused("a text of 60000 characters, at most 255", packed(65_535, "process", "h".repeat(60_000)));
        refused("65536 of them, at most 65535", packed(65_536, "process", "host"));
        refused("-1 of them", packed(-1, "process", "host"));
    }
}
