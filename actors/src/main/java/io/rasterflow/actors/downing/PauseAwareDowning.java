package io.rasterflow.actors.downing;

import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.actor.Props;
import org.apache.pekko.cluster.Cluster;
import org.apache.pekko.cluster.DowningProvider;
import org.apache.pekko.cluster.sbr.SplitBrainResolverSettings;
import scala.Option;
import scala.Some;
import scala.concurrent.duration.FiniteDuration;

/**
 * Pekko's split-brain resolver with keep-majority, as {@link PauseAwareResolver} runs it. Named by {@code
 * pekko.cluster.downing-provider-class}; of {@code split-brain-resolver} it reads what keep-majority does.
 */
public final class PauseAwareDowning extends DowningProvider {

    private final ActorSystem system;
    private final SplitBrainResolverSettings settings;

    /** Called by the cluster. */
    public PauseAwareDowning(ActorSystem system) {
        this.system = system;
        this.settings = new SplitBrainResolverSettings(system.settings().config());
    }

    @Override
    public FiniteDuration downRemovalMargin() {
        return settings.DowningStableAfter();
    }

    @Override
    public Option<Props> downingActorProps() {
        Cluster cluster = Cluster.get(system);
        return Some.apply(Props.create(
                PauseAwareResolver.class,
                () -> new PauseAwareResolver(
                        settings.DowningStableAfter(),
                        settings.keepMajorityRole(),
                        cluster,
                        System::nanoTime,
                        node -> cluster.down(node.address()))));
    }
}
