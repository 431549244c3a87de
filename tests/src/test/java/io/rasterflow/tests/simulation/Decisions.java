package io.rasterflow.tests.simulation;

import io.rasterflow.actors.exchange.DataAddress;
import io.rasterflow.actors.exchange.Liveness;
import io.rasterflow.actors.membership.Assignment;
import io.rasterflow.actors.membership.GenerationNumbers;
import io.rasterflow.actors.membership.Member;
import io.rasterflow.actors.membership.Membership;
import io.rasterflow.actors.membership.Order;
import io.rasterflow.actors.membership.Origin;
import io.rasterflow.actors.membership.RestorePoint;
import io.rasterflow.actors.membership.Rules;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** A coordinator's decisions and trainers that obey them: messages arrive at once; time goes by when a test says so. */
abstract class Decisions {

    static final int STEPS = 10;

    final Map<DataAddress, Member> members = new LinkedHashMap<>();
    final List<Order> log = new ArrayList<>();
    Membership membership;
    RestorePoint saved = new RestorePoint("", 0, "seed");
    boolean mayGoOn = true;
    /** Whether trainers reach those that they are to expect. */
    boolean connects = true;
    /** How many processes the electorate was last told to be gone. */
    int gone;

    long number;
    long now;

    void coordinator(int worldSize, int minNodes, int microBatches) {
        long inherited = number;
        GenerationNumbers numbers = new GenerationNumbers() {
            @Override
            public long highest() {
                return inherited;
            }

            @Override
            public long next(long known) {
                number = Math.max(number, known) + 1;
                return number;
            }
        };
        Rules rules = new Rules(worldSize, minNodes, microBatches, STEPS, 1_500);
        membership = new Membership(rules, this::mayGoOn, () -> Optional.of(saved), numbers);
    }

    private boolean mayGoOn(Set<String> heard, Set<String> ended) {
        gone = ended.size();
        return mayGoOn;
    }

    Member arrive(String node) {
        DataAddress address = new DataAddress(node + "#" + members.size(), node, 1, 0);
        Member member = new Member(address, node);
        members.put(address, member);
        tell(member);
        return member;
    }

    void tell(Member member) {
        obey(membership.heard(member.standing(), now));
    }

    void obey(List<Order> orders) {
        for (Order order : orders) {
            log.add(order);
            if (order instanceof Order.ToTrainer toTrainer) {
                obey(order, members.get(toTrainer.to()));
            }
        }
    }

    private void obey(Order order, Member member) {
        if (member == null) {
            return; // It has died.
        }
        if (order instanceof Order.Form form && member.prepare(form.place())) {
            if (member.needsWeights()) {
                member.discard();
                member.restored();
            }
            member.begin();
            tell(member);
        } else if (order instanceof Order.Expect expect && connects) {
            member.connectedAhead(expect.roster().number());
            tell(member);
        } else if (order instanceof Order.Halt halt) {
            member.end(halt.generation());
            tell(member);
        } else if (order instanceof Order.Pause) {
            member.halt();
            tell(member);
        } else if (order instanceof Order.Describe) {
            obey(membership.described(member.roster().orElseThrow(), now));
        } else if (order instanceof Order.Save) {
            saved = new RestorePoint("saved", member.step(), member.digest());
            obey(membership.saved(now));
        } else if (order instanceof Order.Retire) {
            members.values().remove(member);
        }
    }

    /** Everybody is heard again, then the coordinator looks around. */
    void pass(long millis) {
        for (long left = millis; left > 1_000; left -= 1_000) {
            pass(1_000);
        }
        now += millis % 1_000 == 0 ? 1_000 : millis % 1_000;
        List.copyOf(members.values()).forEach(this::tell);
        obey(membership.tick(now));
    }

    void step(Member... ranks) {
        for (Member rank : ranks) {
            rank.applied(rank.step());
        }
    }

    void die(Member member) {
        members.values().remove(member);
        obey(membership.found(member.standing().address(), Liveness.GONE, now));
    }

    Assignment last(Member member) {
        return member.place();
    }

    boolean logged(Class<? extends Order> kind) {
        return log.stream().anyMatch(kind::isInstance);
    }

    static Origin.Kind origin(Member member) {
        return member.place().origin().kind();
    }
}
