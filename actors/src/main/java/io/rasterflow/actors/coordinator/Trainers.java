package io.rasterflow.actors.coordinator;

import io.rasterflow.actors.exchange.DataAddress;
import io.rasterflow.actors.membership.Order;
import io.rasterflow.actors.trainer.Trainer;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorRef;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The trainers' actors by address, and what is said to them. All train on the same images: whoever has others is refused. */
final class Trainers {

    private static final Logger LOG = LoggerFactory.getLogger(Trainers.class);

    private final Map<DataAddress, ActorRef<Trainer.Command>> trainers = new HashMap<>();
    private Optional<String> identity = Optional.empty();

    /** Tells a trainer that does not belong to this run to retire. Returns whether it did so. */
    boolean refuses(Coordinator.Announce message) {
        if (identity.isEmpty() || identity.get().equals(message.identity())) {
            identity = Optional.of(message.identity());
            return false;
        }
        DataAddress address = message.standing().address();
        if (trainers.put(address, message.trainer()) == null) {
            LOG.warn(
                    "refused: trainer {} on {} has \"{}\", this run \"{}\"",
                    address.replica(),
                    message.standing().node(),
                    message.identity(),
                    identity.get());
        }
        message.trainer()
                .tell(new Trainer.Retire("it would train on \"" + message.identity() + "\", this run has \""
                        + identity.get() + "\"; use the same data on all nodes"));
        return true;
    }

    /** @return whether it is new */
    boolean add(DataAddress address, ActorRef<Trainer.Command> trainer) {
        return trainers.put(address, trainer) == null;
    }

    void remove(DataAddress address) {
        trainers.remove(address);
    }

    void tellAll(Trainer.Command message) {
        trainers.values().forEach(trainer -> trainer.tell(message));
    }

    /** Nothing where the trainer has not announced itself to this coordinator. */
    void tell(Order.ToTrainer order) {
        ActorRef<Trainer.Command> trainer = trainers.get(order.to());
        if (trainer != null) {
            trainer.tell(message(order));
        }
    }

    private static Trainer.Command message(Order.ToTrainer order) {
        if (order instanceof Order.Form form) {
            return new Trainer.Form(form.place());
        } else if (order instanceof Order.Expect expect) {
            return new Trainer.Expect(expect.roster(), expect.rank());
        } else if (order instanceof Order.Halt halt) {
            return new Trainer.Halt(halt.generation());
        } else if (order instanceof Order.Pause pause) {
            return new Trainer.Pause(pause.generation());
        } else if (order instanceof Order.Confirm confirm) {
            return new Trainer.Confirm(confirm.suspect());
        } else if (order instanceof Order.Describe) {
            return new Trainer.Describe();
        } else if (order instanceof Order.Retire retire) {
            return new Trainer.Retire(retire.reason());
        }
        return new Trainer.Save();
    }
}
