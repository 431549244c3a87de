package io.rasterflow.tests.actors;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import io.rasterflow.actors.WireMessage;
import io.rasterflow.actors.coordinator.Coordinator;
import io.rasterflow.actors.exchange.DataAddress;
import io.rasterflow.actors.exchange.Generation;
import io.rasterflow.actors.membership.GenerationNumbers;
import io.rasterflow.actors.membership.Member;
import io.rasterflow.actors.membership.Membership;
import io.rasterflow.actors.membership.Order;
import io.rasterflow.actors.membership.RestorePoint;
import io.rasterflow.actors.membership.Roster;
import io.rasterflow.actors.membership.Rules;
import io.rasterflow.actors.trainer.Trainer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.serialization.Serialization;
import org.apache.pekko.serialization.SerializationExtension;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** 4,096 ranks, each a process of its own on a host with a long name: what the coordinator and they say to each other. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class LargeWorldTest {

    private static final int RANKS = 4_096;
    /** What Artery adds to a message: header, references, manifest. */
    private static final int ENVELOPE = 4_096;

    private static final Config CONFIG = ConfigFactory.parseString("pekko.actor.provider = local")
            .withFallback(ConfigFactory.parseResources("rasterflow-pekko.conf"))
            .withFallback(ConfigFactory.load());

    private final ActorTestKit kit = ActorTestKit.create("large", CONFIG);
    private final Serialization serialization =
            SerializationExtension.get(kit.system().classicSystem());
    private final TestProbe<Trainer.Command> trainer = kit.createTestProbe();
    private final Map<DataAddress, Member> members = new HashMap<>();
    private final List<Order> said = new ArrayList<>();
    private final Membership membership = new Membership(
            new Rules(RANKS, 1, RANKS, 10, 1_500),
            (heard, gone) -> true,
            () -> Optional.of(new RestorePoint("", 0, "seed")),
            new GenerationNumbers() {
                @Override
                public long highest() {
                    return 0;
                }

                @Override
                public long next(long known) {
                    return known + 1;
                }
            });
    private long now;

    @AfterAll
    void stop() {
        kit.shutdownTestKit();
    }

    private int bytes(WireMessage message) {
        byte[] bytes = serialization.serialize(message).get();
        WireMessage back = serialization.deserialize(bytes, message.getClass()).get();
        assertEquals(message, back);
        return bytes.length;
    }

    private Member member(int index, Random random) {
        String host = "worker-" + index + ".training.eu-central-1.compute.internal";
        String process = new UUID(random.nextLong(), random.nextLong()).toString();
        Member member = new Member(new DataAddress(process, host, 30_000 + random.nextInt(30_000), 0), host);
        members.put(member.standing().address(), member);
        return member;
    }

    private void obey(List<Order> orders) {
        for (Order order : orders) {
            said.add(order);
            if (order instanceof Order.ToTrainer toTrainer && members.containsKey(toTrainer.to())) {
                obey(order, members.get(toTrainer.to()));
            }
        }
    }

    private void obey(Order order, Member member) {
        if (order instanceof Order.Form form && member.prepare(form.place())) {
            if (member.needsWeights()) {
                member.discard();
                member.restored();
            }
            member.begin();
        } else if (order instanceof Order.Expect expect) {
            member.connectedAhead(expect.roster().number());
        } else if (order instanceof Order.Halt halt) {
            member.end(halt.generation());
        } else if (order instanceof Order.Pause) {
            member.halt();
        }
    }

    /** Everybody is heard, then the coordinator looks around; twice, so that what it said is answered. */
    private void pass() {
        for (int i = 0; i < 2; i++) {
            now += 500;
            members.values().forEach(member -> obey(membership.heard(member.standing(), now)));
            obey(membership.tick(now));
        }
    }

    private long forms() {
        return said.stream().filter(Order.Form.class::isInstance).count();
    }

    private int largestForm() {
        return said.stream()
                .filter(Order.Form.class::isInstance)
                .map(order -> ((Order.Form) order).place())
                .collect(java.util.stream.Collectors.toMap(
                        place -> place.roster().base(), place -> place, (one, other) -> one))
                .values()
                .stream()
                .mapToInt(place -> bytes(new Trainer.Form(place)))
                .max()
                .orElseThrow();
    }

    @Test
    void everyMessageFitsIntoAFrameAndWhoWasThereIsToldOnlyWhatChanged() {
        long limit = CONFIG.getBytes("pekko.remote.artery.advanced.maximum-frame-size") - ENVELOPE;
        Random random = new Random(1);
        for (int i = 0; i < RANKS; i++) {
            member(i, random);
        }
        pass();
        Generation first = membership.generation().orElseThrow();
        assertEquals(RANKS, first.worldSize());
        assertEquals(RANKS, forms(), "a place is said once where it is taken at once");
        int whole = largestForm();
        assertTrue(whole < limit, whole + " bytes");
        Member rank = members.get(first.members().get(100));
        int described = bytes(new Coordinator.Described(rank.roster().orElseThrow()));
        assertTrue(described < limit, described + " bytes");
        int announcement = bytes(new Coordinator.Announce(rank.standing(), "the images", trainer.getRef()));
        assertTrue(announcement < 1_000, announcement + " bytes");

        said.clear();
        DataAddress lost = first.members().get(2_000);
        members.remove(lost);
        obey(membership.gone(lost.processId(), "its process is gone", now));
        pass();
        Generation second = membership.generation().orElseThrow();
        assertEquals(RANKS - 1, second.worldSize());
        assertEquals(second, rank.place().generation());
        assertTrue(largestForm() < 1_000, largestForm() + " bytes");
        said.stream()
                .filter(Order.Formed.class::isInstance)
                .forEach(formed -> assertTrue(((Order.Formed) formed).ranks().length() < 10_000));

        said.clear();
        Member joiner = member(RANKS, random);
        pass();
        int expected = said.stream()
                .filter(order -> order instanceof Order.Expect expect
                        && expect.to().equals(rank.standing().address()))
                .mapToInt(order ->
                        bytes(new Trainer.Expect(((Order.Expect) order).roster(), ((Order.Expect) order).rank())))
                .findFirst()
                .orElseThrow();
        assertTrue(expected < 1_000, expected + " bytes");
        pass();
        assertEquals(RANKS, membership.generation().orElseThrow().worldSize());
        assertEquals(joiner.place().generation(), rank.place().generation());
        assertFalse(said.isEmpty());
        int joined = bytes(new Trainer.Form(said.stream()
                .filter(order -> order instanceof Order.Form form
                        && form.to().equals(rank.standing().address()))
                .map(order -> ((Order.Form) order).place())
                .findFirst()
                .orElseThrow()));
        assertTrue(joined < 1_000, joined + " bytes");
        Roster everybody = rank.roster().orElseThrow();
        assertEquals(everybody, joiner.roster().orElseThrow());
    }
}
