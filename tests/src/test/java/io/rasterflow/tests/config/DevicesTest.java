package io.rasterflow.tests.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.launch.GpuShare;
import io.rasterflow.model.Compute;
import io.rasterflow.model.Precision;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Which replica trains where; no GPU is needed to decide it. */
class DevicesTest {

    private static String device(String setting, int replica, int gpus) {
        return new Compute(Precision.AUTO, setting, 0, 1)
                .forReplica(replica, gpus)
                .device();
    }

    @Test
    void everyGpuHasOneTrainer() {
        assertEquals("cuda:0", device("auto", 0, 2));
        assertEquals("cuda:1", device("auto", 1, 2));
        assertEquals("cuda:1", device("cuda", 3, 2));
        assertEquals("cuda:1", device("cuda:1", 0, 2));
        assertEquals("cpu", device("cpu", 1, 2));
        assertEquals("auto", device("auto", 1, 0));
    }

    @Test
    void processesShareTheGpusOfAMachine() {
        List<String> gpus = List.of("4", "5", "6", "7");
        assertEquals(gpus, GpuShare.of(gpus, 0, 1));
        assertEquals(List.of("4", "5"), GpuShare.of(gpus, 0, 2));
        assertEquals(List.of("6", "7"), GpuShare.of(gpus, 1, 2));
        assertEquals(List.of("7"), GpuShare.of(gpus, 3, 4));
        assertEquals(List.of("5"), GpuShare.of(gpus, 5, 8));
        assertEquals(List.of(), GpuShare.of(List.of(), 1, 2));
    }

    @Test
    void anUnknownDeviceIsNamed() {
        String message = assertThrows(IllegalArgumentException.class, () -> device("gpu", 0, 1))
                .getMessage();
        assertTrue(message.contains("cuda:N") && message.contains("gpu"), message);
    }
}
