package fewsh.jinja;

import java.util.Arrays;
import java.util.Locale;

/// Strings as Python sees them: sequences of code points, with Python's idea of white space, words, digits and case.
final class CodePoints {
    private CodePoints() {}

    static boolean isSpace(int c) {
        return c >= 9 && c <= 13 || c >= 0x1c && c <= 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680 || c >= 0x2000 && c <= 0x200a
                || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
    }

    /// What `\w` matches, and combining marks, which identifiers may hold.
    static boolean isWord(int c) {
        return c == '_' || isAlnum(c) || c > 127 && Character.isUnicodeIdentifierPart(c) && !Character.isIdentifierIgnorable(c);
    }

    static boolean isIdentifier(String text) {
        if (text.isEmpty()) return false;
        int first = text.codePointAt(0);
        return (first == '_' || Character.isUnicodeIdentifierStart(first)) && text.codePoints().allMatch(c ->
                c == '_' || Character.isUnicodeIdentifierPart(c) && !Character.isIdentifierIgnorable(c));
    }

    static boolean isAlnum(int c) {
        return Character.isLetter(c) || isNumeric(c);
    }

    static boolean isDecimal(int c) {
        return Character.getType(c) == Character.DECIMAL_DIGIT_NUMBER;
    }

    /// Decimals, and what is a digit in another dress: superscripts, circled digits.
    static boolean isDigit(int c) {
        return isDecimal(c) || inRanges(DIGITS, c);
    }

    static boolean isNumeric(int c) {
        int type = Character.getType(c);
        return type == Character.DECIMAL_DIGIT_NUMBER || type == Character.LETTER_NUMBER || type == Character.OTHER_NUMBER
                || Arrays.binarySearch(NUMERIC_LETTERS, c) >= 0;
    }

    static boolean isPrintable(int c) {
        if (c == ' ') return true;
        return switch (Character.getType(c)) {
            case Character.CONTROL, Character.FORMAT, Character.SURROGATE, Character.PRIVATE_USE, Character.UNASSIGNED,
                 Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR, Character.SPACE_SEPARATOR -> false;
            default -> true;
        };
    }

    static int length(String s) {
        return s.codePointCount(0, s.length());
    }

    /// The text of code points [start, end).
    static String sub(String s, int start, int end) {
        int from = s.offsetByCodePoints(0, start);
        return s.substring(from, s.offsetByCodePoints(from, end - start));
    }

    static String of(int codePoint) {
        return Character.toString(codePoint);
    }

    static String title(int c) {
        int title = Character.toTitleCase(c);
        if (title != c) return of(title);
        String upper = of(c).toUpperCase(Locale.ROOT);
        int first = upper.codePointAt(0);
        if (c == 0x149 || upper.length() == Character.charCount(first)) return upper;
        return of(first) + upper.substring(Character.charCount(first)).toLowerCase(Locale.ROOT);
    }

    static String lower(String s) {
        return s.toLowerCase(Locale.ROOT);
    }

    static String upper(String s) {
        return s.toUpperCase(Locale.ROOT);
    }

    private static boolean inRanges(int[] ranges, int c) {
        for (int i = 0; i < ranges.length; i += 2) if (c >= ranges[i] && c <= ranges[i + 1]) return true;
        return false;
    }

    // Python 3.11, `[c for c in range(0x110000) if chr(c).isdigit() and not chr(c).isdecimal()]`, as ranges.
    private static final int[] DIGITS = {
        0xb2, 0xb3, 0xb9, 0xb9, 0x1369, 0x1371, 0x19da, 0x19da, 0x2070, 0x2070, 0x2074, 0x2079, 0x2080, 0x2089,
        0x2460, 0x2468, 0x2474, 0x247c, 0x2488, 0x2490, 0x24ea, 0x24ea, 0x24f5, 0x24fd, 0x24ff, 0x24ff, 0x2776,
        0x277e, 0x2780, 0x2788, 0x278a, 0x2792, 0x10a40, 0x10a43, 0x10e60, 0x10e68, 0x11052, 0x1105a, 0x1f100, 0x1f10a};

    // Python 3.11, letters with `isnumeric()`.
    private static final int[] NUMERIC_LETTERS = {
        0x3405, 0x3483, 0x382a, 0x3b4d, 0x4e00, 0x4e03, 0x4e07, 0x4e09, 0x4e5d, 0x4e8c, 0x4e94, 0x4e96, 0x4ebf,
        0x4ec0, 0x4edf, 0x4ee8, 0x4f0d, 0x4f70, 0x5104, 0x5146, 0x5169, 0x516b, 0x516d, 0x5341, 0x5343, 0x5344,
        0x5345, 0x534c, 0x53c1, 0x53c2, 0x53c3, 0x53c4, 0x56db, 0x58f1, 0x58f9, 0x5e7a, 0x5efe, 0x5eff, 0x5f0c,
        0x5f0d, 0x5f0e, 0x5f10, 0x62fe, 0x634c, 0x67d2, 0x6f06, 0x7396, 0x767e, 0x8086, 0x842c, 0x8cae, 0x8cb3,
        0x8d30, 0x9621, 0x9646, 0x964c, 0x9678, 0x96f6, 0xf96b, 0xf973, 0xf978, 0xf9b2, 0xf9d1, 0xf9d3, 0xf9fd,
        0x20001, 0x20064, 0x200e2, 0x20121, 0x2092a, 0x20983, 0x2098c, 0x2099c, 0x20aea, 0x20afd, 0x20b19, 0x22390,
        0x22998, 0x23b1b, 0x2626d, 0x2f890};
}
