package io.rasterflow.actors.coordinator;

import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.MemberStatus;
import org.apache.pekko.cluster.UniqueAddress;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.Down;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The members of a Pekko cluster. Nodes say once a second that they are there, so the two sides of a partition are known
 * before the failure detector has noticed it; who may go on is decided as the split-brain resolver (keep-majority) will.
 */
public final class PekkoClusterView implements ClusterView {

    private static final Logger LOG = LoggerFactory.getLogger(PekkoClusterView.class);
    /** Two heartbeats, and less than a trainer must be silent to be given up. */
    private static final long FRESH_NANOS = 2_000_000_000L;

    private final Cluster cluster;
    /** Which incarnation of a node runs that process: another may come to the same address. */
    private final Map<String, UniqueAddress> trainers = new HashMap<>();

    private final Map<Address, Long> heard = new HashMap<>();

    public PekkoClusterView(ActorSystem<?> system) {
        this.cluster = Cluster.get(system);
    }

    @Override
    public void heardNode(ActorRef<?> from) {
        heard.put(address(from), System.nanoTime());
    }

    @Override
    public void heardTrainer(String processId, ActorRef<?> from) {
        if (!trainers.containsKey(processId)) {
            Address address = address(from);
            members().filter(node -> node.address().equals(address)).forEach(node -> trainers.put(processId, node));
        }
    }

    private Address address(ActorRef<?> from) {
        Address sender = from.path().address();
        return sender.hasLocalScope() ? cluster.selfMember().address() : sender;
    }

    private Stream<UniqueAddress> members() {
        return StreamSupport.stream(cluster.state().getMembers().spliterator(), false)
                .filter(member -> member.status() != MemberStatus.down() && member.status() != MemberStatus.removed())
                .map(Member::uniqueAddress);
    }

    @Override
    public void gone(String processId) {
        UniqueAddress node = trainers.remove(processId);
        if (node != null
                && !node.equals(cluster.selfMember().uniqueAddress())
                && members().anyMatch(node::equals)) {
            heard.remove(node.address());
            LOG.info("node {} is gone", node.address());
            cluster.manager().tell(new Down(node.address()));
        }
    }

    @Override
    public boolean mayGoOn(Set<String> heardTrainers, Set<String> goneProcesses) {
        Set<UniqueAddress> members = members().collect(Collectors.toSet());
        goneProcesses.forEach(process -> members.remove(trainers.get(process)));
        Set<UniqueAddress> training = Set.copyOf(trainers.values());
        Set<UniqueAddress> here = new HashSet<>(Set.of(cluster.selfMember().uniqueAddress()));
        heardTrainers.forEach(process -> here.add(trainers.get(process)));
        members.stream()
                .filter(member -> !training.contains(member) && isFresh(member.address()))
                .forEach(here::add);
        here.retainAll(members);
        if (2 * here.size() != members.size()) {
            return 2 * here.size() > members.size();
        }
        return members.stream()
                .min(Comparator.comparing(UniqueAddress::address, Member.addressOrdering()))
                .filter(here::contains)
                .isPresent();
    }

    private boolean isFresh(Address node) {
        return System.nanoTime() - heard.getOrDefault(node, Long.MIN_VALUE / 2) < FRESH_NANOS;
    }
}
