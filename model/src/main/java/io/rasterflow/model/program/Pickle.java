package io.rasterflow.model.program;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/**
 * Writes the two pickles of a TorchScript archive: a module whose attributes are numbers, words and lists of them.
 * Nothing is ever read back from a pickle.
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

    /** {@code data.pkl}: an instance of {@code module.type} with the given attributes. */
    static byte[] module(String module, String type, Map<String, Object> attributes) {
        Pickle pickle = new Pickle();
        pickle.global(module, type).opcode(')').opcode(0x81).opcode('}').opcode('(');
        pickle.word("training").value(true);
        attributes.forEach((name, value) -> pickle.word(name).value(value));
        return pickle.opcode('u').opcode('b').opcode('.').out.toByteArray();
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
