package io.rasterflow.config;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException.BadValue;
import com.typesafe.config.ConfigException.WrongType;
import com.typesafe.config.ConfigUtil;
import com.typesafe.config.ConfigValueType;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.IntStream;

/**
 * Reads a configuration into records: one record per section, one component per key. The records' compact constructors
 * validate the values, so that a section is checked where it is used.
 */
final class RecordMapper {

    /** Stands for a name of the user's choice in a path. */
    private static final String ANY = "NAME";

    private RecordMapper() {}

    /** Every leaf path that a record type understands, such as {@code model.trunk.dim}. */
    static Set<String> paths(Class<?> type) {
        return known("", type);
    }

    private static void collect(String prefix, Class<?> type, Set<String> paths) {
        for (RecordComponent component : type.getRecordComponents()) {
            String path = prefix + component.getName();
            if (component.getType().isRecord()) {
                collect(path + ".", component.getType(), paths);
            } else if (component.getType() == Map.class) {
                collect(path + "." + ANY + ".", elementOf(component.getGenericType(), 1), paths);
            } else {
                if (isSections(component.getGenericType())) {
                    collect(path + "." + ANY + ".", elementOf(component.getGenericType(), 0), paths);
                }
                paths.add(path);
            }
        }
    }

    /** A list of sections, in which each has the place of its key in a path: {@code probe.sets.0.name}. */
    private static boolean isSections(Type type) {
        return type instanceof ParameterizedType list
                && list.getRawType() == List.class
                && elementOf(type, 0).isRecord();
    }

    /** @throws ConfigException naming the key, its value and what is wrong with it */
    static <T> T read(Config config, Class<T> type) {
        return type.cast(readRecord(config, "", type));
    }

    private static Object readRecord(Config config, String prefix, Class<?> type) {
        RecordComponent[] components = type.getRecordComponents();
        Object[] values = new Object[components.length];
        for (int i = 0; i < components.length; i++) {
            String path = prefix + components[i].getName();
            if (components[i].getType().isRecord()) {
                values[i] = readRecord(config, path + ".", components[i].getType());
            } else if (components[i].getType() == Map.class) {
                values[i] = readMap(config, path, elementOf(components[i].getGenericType(), 1));
            } else if (isSections(components[i].getGenericType())) {
                values[i] = readSections(config, path, elementOf(components[i].getGenericType(), 0));
            } else {
                values[i] = readLeaf(config, path, components[i].getGenericType());
            }
        }
        Class<?>[] types =
                Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new);
        try {
            Constructor<?> constructor = type.getDeclaredConstructor(types);
            return constructor.newInstance(values);
        } catch (InvocationTargetException e) {
            throw new ConfigException(e.getCause().getMessage(), e.getCause());
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(type + " cannot be read from a configuration", e);
        }
    }

    /** Sections with names of the user's choice, in the order of their names: HOCON keeps none. */
    private static Map<String, Object> readMap(Config config, String path, Class<?> element) {
        Map<String, Object> sections = new TreeMap<>();
        if (config.hasPath(path)) {
            try {
                for (String name : config.getObject(path).keySet()) {
                    sections.put(name, readRecord(config, path + "." + ConfigUtil.quoteString(name) + ".", element));
                }
            } catch (WrongType e) {
                throw new ConfigException(
                        path + " must consist of named sections but is "
                                + config.getValue(path).render(),
                        e);
            }
        }
        return sections;
    }

    private static List<Object> readSections(Config config, String path, Class<?> element) {
        List<Object> sections = new ArrayList<>();
        try {
            for (Config section : config.getConfigList(path)) {
                String place = path + "." + sections.size();
                refuseUnknown(section.atPath(place), known(place + ".", element));
                sections.add(readRecord(section.atPath(place), place + ".", element));
            }
        } catch (WrongType e) {
            throw new ConfigException(
                    path + " must be a list of sections but is "
                            + config.getValue(path).render(),
                    e);
        }
        return sections;
    }

    private static Set<String> known(String prefix, Class<?> type) {
        Set<String> paths = new TreeSet<>();
        collect(prefix, type, paths);
        return paths;
    }

    /** The type V of a {@code Map<String, V>} or {@code List<V>}. */
    private static Class<?> elementOf(Type type, int argument) {
        return (Class<?>) ((ParameterizedType) type).getActualTypeArguments()[argument];
    }

    private static Object readLeaf(Config config, String path, Type type) {
        if (!config.hasPath(path)) {
            throw new ConfigException(path + " is missing; give it as " + path + "=VALUE or in the configuration file");
        }
        try {
            if (type == int.class) {
                return config.getInt(path);
            } else if (type == long.class) {
                return config.getLong(path);
            } else if (type == double.class) {
                return config.getDouble(path);
            } else if (type == boolean.class) {
                return config.getBoolean(path);
            } else if (type == String.class) {
                return config.getString(path);
            } else if (type instanceof Class<?> kind && kind.isEnum()) {
                return readEnum(config, path, kind);
            } else if (type instanceof ParameterizedType list && list.getRawType() == List.class) {
                return readList(config, path, list.getActualTypeArguments()[0]);
            }
        } catch (WrongType | BadValue e) {
            throw new ConfigException(
                    path + " must be " + describe(type) + " but is "
                            + config.getValue(path).render(),
                    e);
        }
        throw new IllegalStateException(path + " has a type that cannot be configured: " + type);
    }

    private static Object readEnum(Config config, String path, Class<?> kind) {
        String value = config.getString(path);
        return Arrays.stream(kind.getEnumConstants())
                .filter(constant -> constant.toString().equalsIgnoreCase(value.replace('-', '_')))
                .findFirst()
                .orElseThrow(() -> new ConfigException(path + " must be " + describe(kind) + " but is " + value));
    }

    private static Object readList(Config config, String path, Type element) {
        boolean single = config.getValue(path).valueType() != ConfigValueType.LIST;
        if (element == Double.class) {
            return single ? List.of(config.getDouble(path)) : config.getDoubleList(path);
        }
        return single ? List.of(config.getString(path)) : config.getStringList(path);
    }

    private static String describe(Type type) {
        if (type == int.class || type == long.class) {
            return "a whole number";
        } else if (type == double.class) {
            return "a number";
        } else if (type == boolean.class) {
            return "true or false";
        } else if (type instanceof Class<?> kind && kind.isEnum()) {
            return "one of "
                    + Arrays.stream(kind.getEnumConstants())
                            .map(constant -> constant.toString().toLowerCase(Locale.ROOT))
                            .toList();
        } else if (type instanceof ParameterizedType) {
            return "a list";
        }
        return "text";
    }

    /** Refuses keys that no record understands and names the one that was probably meant. */
    static void refuseUnknown(Config config, Set<String> known) {
        config.entrySet().forEach(entry -> {
            List<String> words = ConfigUtil.splitPath(entry.getKey());
            String path = String.join(".", words);
            if (!known.contains(path) && known.stream().noneMatch(pattern -> matches(pattern, words))) {
                throw new ConfigException("unknown key " + path + "; did you mean " + nearest(path, known) + "?");
            }
        });
    }

    private static boolean matches(String pattern, List<String> words) {
        String[] parts = pattern.split("\\.");
        return parts.length == words.size()
                && IntStream.range(0, parts.length)
                        .allMatch(i -> parts[i].equals(ANY) || parts[i].equals(words.get(i)));
    }

    private static String nearest(String path, Set<String> known) {
        String best = "";
        int least = Integer.MAX_VALUE;
        for (String candidate : known) {
            // The last word alone may have been given, or the right word in a wrong section.
            int whole = distance(path, candidate);
            int tail = distance(lastWord(path), lastWord(candidate)) + 1;
            int distance = Math.min(whole, tail);
            if (distance < least) {
                least = distance;
                best = candidate;
            }
        }
        return best;
    }

    private static String lastWord(String path) {
        return path.substring(path.lastIndexOf('.') + 1);
    }

    /** Levenshtein distance without regard to case. */
    private static int distance(String first, String second) {
        String a = first.toLowerCase(Locale.ROOT);
        String b = second.toLowerCase(Locale.ROOT);
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int substitute = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(substitute, Math.min(row[j], row[j - 1]) + 1);
            }
        }
        return row[b.length()];
    }
}
