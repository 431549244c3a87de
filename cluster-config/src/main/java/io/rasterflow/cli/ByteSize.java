package io.rasterflow.cli;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** A number of bytes as an option: {@code 500000}, {@code 300M} (2^20 bytes each), {@code 2G}. */
final class ByteSize implements ITypeConverter<Long> {

    private static final String UNITS = "KMGT";
    private static final Pattern SIZE = Pattern.compile("(\\d{1,9})([" + UNITS + "])|\\d{1,18}");

    @Override
    public Long convert(String text) {
        Matcher matcher = SIZE.matcher(text.toUpperCase(Locale.ROOT));
        if (!matcher.matches()) {
            throw new TypeConversionException(text + " is no size such as 500000, 300M or 2G");
        }
        if (matcher.group(2) == null) {
            return Long.parseLong(text);
        }
        int thousands = 1 + UNITS.indexOf(matcher.group(2));
        try {
            return Math.multiplyExact(Long.parseLong(matcher.group(1)), 1L << (10 * thousands));
        } catch (ArithmeticException e) {
            throw new TypeConversionException(text + " is more bytes than there are");
        }
    }
}
