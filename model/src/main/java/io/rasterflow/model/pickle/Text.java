package io.rasterflow.model.pickle;

/** Words from a file as they may stand in a message. */
final class Text {
    private static final int LONGEST = 120;

    private Text() {}

    /** One line, not endless. */
    static String shown(String text) {
        String part = text.length() > LONGEST ? text.substring(0, LONGEST) + "..." : text;
        return part.replaceAll("\\p{Cntrl}", "?");
    }
}
