package io.rasterflow.model.pickle;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Reads the pickle of a saved state dict. A pickle is a program for a small stack machine, and what it may call is all
 * that matters: here the names that {@link #ALLOWED} lists become plain data and every other name, and every opcode that
 * PyTorch does not write for tensors, is an error. Nothing is looked up, loaded or called.
 *
 * <pre>
 * GLOBAL collections.OrderedDict             a dictionary
 * GLOBAL torch._utils._rebuild_tensor_v2     (storage, offset, shape, stride, ...) becomes a {@link PickledTensor}
 * GLOBAL torch.FloatStorage, ...             the element type in a persistent id
 * BINPERSID ('storage', type, key, ...)      becomes a {@link PickledTensor.Storage}
 * </pre>
 */
final class Unpickler {
    private static final String ORDERED_DICT = "collections.OrderedDict";
    private static final String REBUILD_TENSOR = "torch._utils._rebuild_tensor_v2";
    private static final String REBUILD_PARAMETER = "torch._utils._rebuild_parameter";
    private static final String SIZE = "torch.Size";
    private static final Set<String> ALLOWED = Set.of(ORDERED_DICT, REBUILD_TENSOR, REBUILD_PARAMETER, SIZE);

    /** Objects on the stack and made by opcodes; a state dict of 7 billion parameters needs a few thousand. */
    private static final int MOST_OBJECTS = 1_000_000;

    private static final Object MARK = new Object();
    private static final Object NONE = new Object();

    /** A name that a pickle may mention. */
    private record Global(String name) {}

    private final ByteBuffer in;
    private final List<Object> stack = new ArrayList<>();
    private final Map<Integer, Object> memo = new HashMap<>();
    private int made;

    private Unpickler(ByteBuffer in) {
        this.in = in.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    }

    /**
     * The object that a pickle describes: maps, lists, strings, numbers, booleans and {@link PickledTensor}s.
     *
     * @throws PickleException one line, at the first thing that is not allowed or does not fit
     */
    static Object read(ByteBuffer pickle) throws PickleException {
        Unpickler unpickler = new Unpickler(pickle);
        try {
            return unpickler.run();
        } catch (BufferUnderflowException e) {
            throw new PickleException("it ends before its last opcode; the file is cut off");
        }
    }

    private Object run() throws PickleException {
        while (true) {
            int at = in.position();
            int opcode = Byte.toUnsignedInt(in.get());
            if (opcode == '.') {
                return pop();
            }
            if (!constant(opcode) && !container(opcode) && !reference(opcode)) {
                throw new PickleException(String.format(
                        "opcode 0x%02x%s at byte %d is not one of those that PyTorch writes for tensors",
                        opcode, opcode > 32 && opcode < 127 ? " ('" + (char) opcode + "')" : "", at));
            }
        }
    }

    private boolean constant(int opcode) throws PickleException {
        switch (opcode) {
            case 0x80 -> requireProtocol(in.get()); // PROTO
            case 0x95 -> in.getLong(); // FRAME: only a hint for buffered readers
            case 'N' -> push(NONE);
            case 0x88 -> push(true);
            case 0x89 -> push(false);
            case 'K' -> push((long) Byte.toUnsignedInt(in.get())); // BININT1
            case 'M' -> push((long) Short.toUnsignedInt(in.getShort())); // BININT2
            case 'J' -> push((long) in.getInt()); // BININT
            case 0x8a -> push(long1()); // LONG1
            case 'G' -> push(Double.longBitsToDouble(Long.reverseBytes(in.getLong()))); // BINFLOAT
            case 'X' -> push(text(Integer.toUnsignedLong(in.getInt()))); // BINUNICODE
            case 0x8c -> push(text(Byte.toUnsignedLong(in.get()))); // SHORT_BINUNICODE
            default -> {
                return false;
            }
        }
        return true;
    }

    private boolean container(int opcode) throws PickleException {
        switch (opcode) {
            case '(' -> push(MARK);
            case ')' -> push(List.of());
            case ']' -> push(new ArrayList<>());
            case '}' -> push(new LinkedHashMap<>());
            case 't' -> push(toMark());
            case 0x85 -> push(last(1));
            case 0x86 -> push(last(2));
            case 0x87 -> push(last(3));
            case 'a' -> append(last(1)); // APPEND
            case 'e' -> append(toMark()); // APPENDS
            case 's' -> put(last(2)); // SETITEM
            case 'u' -> put(toMark()); // SETITEMS
            default -> {
                return false;
            }
        }
        return true;
    }

    private boolean reference(int opcode) throws PickleException {
        switch (opcode) {
            case 'q' -> remember(Byte.toUnsignedInt(in.get())); // BINPUT
            case 'r' -> remember(in.getInt()); // LONG_BINPUT
            case 0x94 -> remember(memo.size()); // MEMOIZE
            case 'h' -> push(remembered(Byte.toUnsignedInt(in.get()))); // BINGET
            case 'j' -> push(remembered(in.getInt())); // LONG_BINGET
            case 'c' -> push(global(line(), line())); // GLOBAL
            case 0x93 -> { // STACK_GLOBAL
                List<Object> names = last(2);
                push(global(string(names.get(0)), string(names.get(1))));
            }
            case 'Q' -> push(storage(pop())); // BINPERSID
            case 'R' -> { // REDUCE
                List<Object> call = last(2);
                push(reduce(call.get(0), call.get(1)));
            }
            case 'b' -> build(pop()); // BUILD
            default -> {
                return false;
            }
        }
        return true;
    }

    private static void requireProtocol(int protocol) throws PickleException {
        if (protocol < 2 || protocol > 5) {
            throw new PickleException("pickle protocol " + protocol + " is none of 2 to 5");
        }
    }

    private long long1() throws PickleException {
        int bytes = Byte.toUnsignedInt(in.get());
        if (bytes > Long.BYTES) {
            throw new PickleException("an integer has " + bytes + " bytes, more than the 8 that sizes need");
        }
        long value = 0;
        for (int i = 0; i < bytes; i++) {
            value |= Byte.toUnsignedLong(in.get()) << (8 * i);
        }
        int unused = Long.SIZE - 8 * bytes;
        return bytes == 0 ? 0 : value << unused >> unused;
    }

    private String text(long bytes) {
        if (bytes > in.remaining()) {
            throw new BufferUnderflowException();
        }
        byte[] utf8 = new byte[(int) bytes];
        in.get(utf8);
        return new String(utf8, StandardCharsets.UTF_8);
    }

    private String line() {
        int start = in.position();
        while (in.get() != '\n') {
            // The underflow at the end of the pickle ends an endless line.
        }
        byte[] bytes = new byte[in.position() - start - 1];
        in.get(start, bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private static Global global(String module, String name) throws PickleException {
        String full = module + "." + name;
        if (!ALLOWED.contains(full) && !PickledTensor.isStorageType(full)) {
            throw new PickleException("it wants to use " + Text.shown(full)
                    + ", which is not among the names that a file of tensors needs; nothing was executed");
        }
        return new Global(full);
    }

    private static Object reduce(Object function, Object arguments) throws PickleException {
        if (!(function instanceof Global global) || !(arguments instanceof List<?> list)) {
            throw new PickleException("it calls something that is not a function");
        }
        switch (global.name()) {
            case ORDERED_DICT -> {
                if (list.isEmpty()) {
                    return new LinkedHashMap<>();
                }
            }
            case SIZE -> {
                if (list.size() == 1 && list.get(0) instanceof List<?> sizes) {
                    return sizes;
                }
            }
            case REBUILD_TENSOR -> {
                return PickledTensor.rebuild(list);
            }
            case REBUILD_PARAMETER -> {
                if (!list.isEmpty() && list.get(0) instanceof PickledTensor tensor) {
                    return tensor;
                }
            }
            default -> {}
        }
        throw new PickleException("it calls " + global.name() + " with unexpected arguments");
    }

    private static Object storage(Object id) throws PickleException {
        if (id instanceof List<?> list
                && list.size() >= 5
                && "storage".equals(list.get(0))
                && list.get(1) instanceof Global type
                && list.get(2) instanceof String key
                && list.get(4) instanceof Long values) {
            return PickledTensor.storage(type.name(), key, values);
        }
        throw new PickleException("it has a persistent id that names no storage");
    }

    /** State of an object: PyTorch gives dictionaries a version table in this way, which is not needed. */
    private void build(Object state) throws PickleException {
        if (!(peek() instanceof Map) || !(state instanceof Map)) {
            throw new PickleException("it sets the state of something that is not a dictionary");
        }
    }

    @SuppressWarnings("unchecked") // lists on the stack are made here
    private void append(List<Object> values) throws PickleException {
        if (!(peek() instanceof ArrayList)) {
            throw new PickleException("it appends to something that is not a list");
        }
        ((List<Object>) peek()).addAll(values);
    }

    @SuppressWarnings("unchecked") // maps on the stack are made here
    private void put(List<Object> pairs) throws PickleException {
        if (!(peek() instanceof Map) || pairs.size() % 2 != 0) {
            throw new PickleException("it sets items of something that is not a dictionary");
        }
        Map<Object, Object> map = (Map<Object, Object>) peek();
        for (int i = 0; i < pairs.size(); i += 2) {
            Object key = pairs.get(i);
            if (!(key instanceof String || key instanceof Long)) {
                throw new PickleException("it has a dictionary key that is neither a string nor a number");
            }
            if (map.put(key, pairs.get(i + 1)) != null) {
                throw new PickleException("it has the key " + Text.shown(key.toString()) + " twice");
            }
        }
    }

    private void remember(int index) throws PickleException {
        memo.put(index, peek());
        if (memo.size() > MOST_OBJECTS) {
            throw new PickleException("it remembers more than " + MOST_OBJECTS + " objects");
        }
    }

    private Object remembered(int index) throws PickleException {
        Object value = memo.get(index);
        if (value == null) {
            throw new PickleException("it refers to object " + index + ", which it has not made");
        }
        return value;
    }

    private static String string(Object value) throws PickleException {
        if (value instanceof String text) {
            return text;
        }
        throw new PickleException("it names something by a value that is not a string");
    }

    private void push(Object value) throws PickleException {
        made++;
        if (made > MOST_OBJECTS) {
            throw new PickleException("it makes more than " + MOST_OBJECTS + " objects");
        }
        stack.add(value);
    }

    private Object peek() throws PickleException {
        if (stack.isEmpty() || stack.get(stack.size() - 1) == MARK) {
            throw new PickleException("it takes more from its stack than it has put there");
        }
        return stack.get(stack.size() - 1);
    }

    private Object pop() throws PickleException {
        Object value = peek();
        stack.remove(stack.size() - 1);
        return value;
    }

    /** Takes the last values off the stack, in the order in which they were pushed. */
    private List<Object> last(int count) throws PickleException {
        Object[] values = new Object[count];
        for (int i = count - 1; i >= 0; i--) {
            values[i] = pop();
        }
        return Arrays.asList(values);
    }

    private List<Object> toMark() throws PickleException {
        int mark = stack.lastIndexOf(MARK);
        if (mark < 0) {
            throw new PickleException("it closes a group that it has not opened");
        }
        List<Object> tail = stack.subList(mark + 1, stack.size());
        List<Object> values = Arrays.asList(tail.toArray());
        stack.subList(mark, stack.size()).clear();
        return values;
    }
}
