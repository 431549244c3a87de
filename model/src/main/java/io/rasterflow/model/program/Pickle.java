package io.rasterflow.model.program;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/**
 * Writes the pickles of a TorchScript archive: a module whose attributes are numbers, words, lists of them, tensors and
 * further modules; and that of a state dict. Nothing is ever read back from a pickle here.
 *
 * <pre>
 * 80 02 | c module \n class \n | ) 81 | } ( key value ... u | b | .
 * proto   class reference       new    dictionary          set  end
 * </pre>
 */
final class Pickle {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    private Pickle() {
        opcode(0x80).opcode(2);
    }

    /**
     * A module as an attribute of another.
     *
     * @param module where its class is found, such as {@code __torch__.exported}
     * @param type name of the class
     */
    record Submodule(String module, String type, Map<String, Object> attributes) {}

    /**
     * A float32 tensor whose values lie in the entry {@code data/KEY} of the archive, row-major.
     *
     * @param leaf whether it is a parameter, which gathers gradients
     */
    record StoredTensor(String key, List<Integer> shape, boolean leaf) {}

    /** {@code data.pkl} of a state dict: an ordered dictionary of tensors. */
    static byte[] stateDict(Map<String, StoredTensor> tensors) {
        Pickle pickle = new Pickle();
        pickle.global("collections", "OrderedDict").opcode(')').opcode('R').opcode('(');
        tensors.forEach((name, tensor) -> pickle.word(name).tensor(tensor));
        return pickle.opcode('u').opcode('.').out.toByteArray();
    }

    /** {@code data.pkl}: an instance of {@code module.type} with the given attributes. */
    static byte[] module(String module, String type, Map<String, Object> attributes) {
        return new Pickle()
                .object(new Submodule(module, type, attributes))
                .opcode('.')
                .out
                .toByteArray();
    }

    private Pickle object(Submodule object) {
        global(object.module(), object.type())
                .opcode(')')
                .opcode(0x81)
                .opcode('}')
                .opcode('(');
        word("training").value(true);
        object.attributes().forEach((name, value) -> word(name).value(value));
        return opcode('u').opcode('b');
    }

    /** {@code _rebuild_tensor_v2(storage, offset, shape, strides, requires_grad, hooks)}. */
    private Pickle tensor(StoredTensor tensor) {
        List<Integer> shape = tensor.shape();
        Integer[] strides = new Integer[shape.size()];
        int values = 1;
        for (int i = strides.length - 1; i >= 0; i--) {
            strides[i] = values;
            values = Math.multiplyExact(values, shape.get(i));
        }
        global("torch._utils", "_rebuild_tensor_v2").opcode('(');
        opcode('(').word("storage").global("torch", "FloatStorage").word(tensor.key());
        word("cpu").value(values).opcode('t').opcode('Q');
        return value(0).tuple(shape)
                .tuple(List.of(strides))
                .value(tensor.leaf())
                .global("collections", "OrderedDict")
                .opcode(')')
                .opcode('R')
                .opcode('t')
                .opcode('R');
    }

    private Pickle tuple(List<Integer> values) {
        opcode('(');
        values.forEach(this::value);
        return opcode('t');
    }

    /** {@code constants.pkl}: the empty tuple, since programs carry no tensor constants. */
    static byte[] emptyTuple() {
        return new Pickle().opcode(')').opcode('.').out.toByteArray();
    }

    private Pickle value(Object value) {
        if (value instanceof Boolean flag) {
            return opcode(flag ? 0x88 : 0x89);
        } else if (value instanceof Integer number) {
            return opcode('J').bytes(little(4).putInt(number));
        } else if (value instanceof Double number) {
            return opcode('G').bytes(ByteBuffer.allocate(8).putDouble(number));
        } else if (value instanceof String text) {
            return word(text);
        } else if (value instanceof List<?> list) {
            return list(list);
        } else if (value instanceof EmptyContainer empty) {
            return empty(empty);
        } else if (value instanceof Submodule object) {
            return object(object);
        } else if (value instanceof StoredTensor tensor) {
            return tensor(tensor);
        }
        throw new IllegalArgumentException("a program attribute cannot be " + value);
    }

    /** Lists carry their type in a call, since an untyped pickle list would not fit a typed attribute. */
    private Pickle list(List<?> values) {
        Object first = values.isEmpty() ? "" : values.get(0);
        if (first instanceof Integer) {
            return global("torch.jit._pickle", "build_intlist")
                    .elements(values)
                    .opcode(0x85)
                    .opcode('R');
        }
        String type = first instanceof List<?> ? "List[List[int]]" : "List[str]";
        return global("torch.jit._pickle", "restore_type_tag")
                .opcode('(')
                .elements(values)
                .word(type)
                .opcode('t')
                .opcode('R');
    }

    private Pickle empty(EmptyContainer container) {
        return global("torch.jit._pickle", "restore_type_tag")
                .opcode('(')
                .opcode(container.type().startsWith("Dict") ? '}' : ']')
                .word(container.type())
                .opcode('t')
                .opcode('R');
    }

    private Pickle elements(List<?> values) {
        opcode(']').opcode('(');
        values.forEach(this::value);
        return opcode('e');
    }

    private Pickle global(String module, String name) {
        return opcode('c').bytes(ByteBuffer.wrap((module + "\n" + name + "\n").getBytes(StandardCharsets.UTF_8)));
    }

    private Pickle word(String text) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        return opcode('X').bytes(little(4).putInt(utf8.length)).bytes(ByteBuffer.wrap(utf8));
    }

    private Pickle opcode(int value) {
        out.write(value);
        return this;
    }

    private Pickle bytes(ByteBuffer buffer) {
        out.writeBytes(buffer.array());
        return this;
    }

    private static ByteBuffer little(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}
