package io.rasterflow.model.program;

import ai.djl.Device;
import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;

/**
 * A loaded TorchScript module without parameters of its own: tensors go in, tensors come out, and a method may write
 * into the tensors that it is given. Confined to one thread.
 */
public final class Program implements AutoCloseable {
    private static final Shape SCALAR = new Shape();

    private final Model model;

    private Program(Model model) {
        this.model = model;
    }

    /** Loads an archive; see {@link ProgramArchive#write} for the arguments. */
    public static Program load(
            String library, String type, Map<String, String> sources, Map<String, Object> attributes) {
        return load(library, type, sources, attributes, Device.cpu());
    }

    /** The same for a module whose tensors are on the given device. */
    public static Program load(
            String library, String type, Map<String, String> sources, Map<String, Object> attributes, Device device) {
        Engines.applyDefaults();
        byte[] archive = ProgramArchive.write(library, type, sources, attributes);
        Model model = Model.newInstance(library, device, Engines.NAME);
        try {
            model.load(new ByteArrayInputStream(archive));
            // DJL makes an empty directory for every stream that it loads and would keep it until the process ends.
            Files.deleteIfExists(model.getModelPath());
            return new Program(model);
        } catch (IOException e) {
            model.close();
            throw new UncheckedIOException("program " + library + " could not be loaded: " + e.getMessage(), e);
        } catch (MalformedModelException e) {
            model.close();
            throw new IllegalStateException("program " + library + " could not be loaded: " + e.getMessage(), e);
        }
    }

    /**
     * Calls a method of the module.
     *
     * @param scope owns the results
     * @param arguments tensors in the order of the method's parameters
     * @return the results, tuples and lists flattened
     */
    public NDList call(NDManager scope, String method, NDArray... arguments) {
        for (NDArray argument : arguments) {
            argument.setName(null);
        }
        return call(scope, method, List.of(arguments));
    }

    /** A list of tensors as one argument among those of the next call. */
    public static List<NDArray> list(String name, List<NDArray> tensors) {
        tensors.forEach(tensor -> tensor.setName(name + "[]"));
        return tensors;
    }

    /** The same for arguments of which some are members of a {@link #list}, the others without a name. */
    public NDList call(NDManager scope, String method, List<NDArray> arguments) {
        NDArray selector = scope.zeros(SCALAR);
        selector.setName("module_method:" + method);
        NDList list = new NDList(arguments.size() + 1);
        list.add(selector);
        list.addAll(arguments);
        // "training" only tells DJL not to switch autograd off around the call; the programs do that themselves.
        return model.getBlock().forward(new ParameterStore(scope, false), list, true);
    }

    @Override
    public void close() {
        model.close();
    }
}
