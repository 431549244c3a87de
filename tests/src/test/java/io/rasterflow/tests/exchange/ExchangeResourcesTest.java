package io.rasterflow.tests.exchange;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.util.ResourceLeakDetector;
import io.netty.util.internal.PlatformDependent;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** Nothing stays behind: buffers, memory, threads. */
class ExchangeResourcesTest {

    private static List<String> exchangeThreads() {
        return Thread.getAllStackTraces().keySet().stream()
                .map(Thread::getName)
                .filter(name -> name.startsWith("rasterflow-exchange"))
                .toList();
    }

    private static long directBytes() {
        long pools = ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                .filter(pool -> pool.getName().equals("direct"))
                .mapToLong(BufferPoolMXBean::getMemoryUsed)
                .sum();
        return pools + Math.max(0, PlatformDependent.usedDirectMemory());
    }

    @Test
    void noThreadsAreLeftAfterClose() throws Exception {
        List<String> before = exchangeThreads();
        // Many times, because the thread of a loop that Netty calls terminated may live a moment longer.
        for (int round = 0; round < 100; round++) {
            try (World world = new World(3, 1000, 256, 1, 2)) {
                world.run(0, 2, World.Pause.NONE);
                assertTrue(exchangeThreads().size() >= before.size() + 2);
            }
            assertEquals(before, exchangeThreads());
        }
    }

    @Test
    void directMemoryIsFlatOverSteps() throws Exception {
        try (World world = new World(8, 20_000, 4096, 1, 2)) {
            world.run(0, 100, World.Pause.NONE);
            long before = directBytes();
            world.run(100, 400, World.Pause.NONE);
            long growth = directBytes() - before;
            // Netty's allocator may add a chunk or two of 256 KiB; one gradient lost per step would be 24 MB.
            assertTrue(growth < 1 << 20, "grew by " + growth + " bytes");
        }
    }

    @Test
    void noBufferLeaks() throws Exception {
        assertEquals(ResourceLeakDetector.Level.PARANOID, ResourceLeakDetector.getLevel());
        Logger logger = (Logger) LoggerFactory.getLogger(ResourceLeakDetector.class);
        ListAppender<ILoggingEvent> leaks = new ListAppender<>();
        leaks.start();
        logger.addAppender(leaks);
        try {
            try (World world = new World(4, 5000, 256, 1, 1, 1)) {
                world.run(0, 50, World.Pause.NONE);
                world.exchanges.get(0).begin(50);
            }
            for (int i = 0; i < 3; i++) {
                System.gc();
                // Leaks are reported when the next buffer is allocated.
                assertTrue(PooledByteBufAllocator.DEFAULT.directBuffer(16).release());
            }
            assertEquals(List.of(), leaks.list);
        } finally {
            logger.detachAppender(leaks);
        }
    }
}
