package fewsh.jinja;

import java.time.LocalDateTime;
import java.time.format.TextStyle;
import java.time.temporal.IsoFields;
import java.util.Locale;

/// `datetime.strftime`, as the C library on Linux does it in its own locale.
final class Strftime {
    private Strftime() {}

    static String format(LocalDateTime time, String format) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < format.length(); i++) {
            char c = format.charAt(i);
            if (c != '%' || i + 1 >= format.length()) {
                out.append(c);
                continue;
            }
            int start = i++;
            char flag = 0;
            while (i < format.length() && "-_0^#".indexOf(format.charAt(i)) >= 0) flag = format.charAt(i++);
            int width = 0;
            while (i < format.length() && Character.isDigit(format.charAt(i)) && width < 1000)
                width = width * 10 + format.charAt(i++) - '0';
            String text = i < format.length() ? directive(time, format.charAt(i), flag, width) : null;
            out.append(text == null ? format.substring(start, Math.min(i + 1, format.length())) : text);
        }
        return out.toString();
    }

    /// Null for a letter that means nothing.
    private static String directive(LocalDateTime t, char letter, char flag, int width) {
        int weekday = t.getDayOfWeek().getValue() % 7;
        int hour12 = t.getHour() % 12 == 0 ? 12 : t.getHour() % 12;
        return switch (letter) {
            case 'a' -> text(t.getDayOfWeek().getDisplayName(TextStyle.FULL, Locale.ENGLISH).substring(0, 3), flag, width);
            case 'A' -> text(t.getDayOfWeek().getDisplayName(TextStyle.FULL, Locale.ENGLISH), flag, width);
            case 'b', 'h' -> text(t.getMonth().getDisplayName(TextStyle.FULL, Locale.ENGLISH).substring(0, 3), flag, width);
            case 'B' -> text(t.getMonth().getDisplayName(TextStyle.FULL, Locale.ENGLISH), flag, width);
            case 'c' -> format(t, "%a %b %e %H:%M:%S %Y");
            case 'C' -> number(t.getYear() / 100, 2, '0', flag, width);
            case 'd' -> number(t.getDayOfMonth(), 2, '0', flag, width);
            case 'D', 'x' -> format(t, "%m/%d/%y");
            case 'e' -> number(t.getDayOfMonth(), 2, ' ', flag, width);
            case 'f' -> number(t.getNano() / 1000, 6, '0', (char) 0, 0);
            case 'F' -> format(t, "%Y-%m-%d");
            case 'g' -> number(t.get(IsoFields.WEEK_BASED_YEAR) % 100, 2, '0', flag, width);
            case 'G' -> number(t.get(IsoFields.WEEK_BASED_YEAR), 1, '0', flag, width);
            case 'H' -> number(t.getHour(), 2, '0', flag, width);
            case 'I' -> number(hour12, 2, '0', flag, width);
            case 'j' -> number(t.getDayOfYear(), 3, '0', flag, width);
            case 'k' -> number(t.getHour(), 2, ' ', flag, width);
            case 'l' -> number(hour12, 2, ' ', flag, width);
            case 'm' -> number(t.getMonthValue(), 2, '0', flag, width);
            case 'M' -> number(t.getMinute(), 2, '0', flag, width);
            case 'n' -> "\n";
            case 'p' -> flag == '#' ? t.getHour() < 12 ? "am" : "pm" : t.getHour() < 12 ? "AM" : "PM";
            case 'P' -> t.getHour() < 12 ? "am" : "pm";
            case 'r' -> format(t, "%I:%M:%S %p");
            case 'R' -> format(t, "%H:%M");
            case 'S' -> number(t.getSecond(), 2, '0', flag, width);
            case 't' -> "\t";
            case 'T', 'X' -> format(t, "%H:%M:%S");
            case 'u' -> number(t.getDayOfWeek().getValue(), 1, '0', flag, width);
            case 'U' -> number((t.getDayOfYear() + 6 - weekday) / 7, 2, '0', flag, width);
            case 'V' -> number(t.get(IsoFields.WEEK_OF_WEEK_BASED_YEAR), 2, '0', flag, width);
            case 'w' -> number(weekday, 1, '0', flag, width);
            case 'W' -> number((t.getDayOfYear() + 6 - (weekday + 6) % 7) / 7, 2, '0', flag, width);
            case 'y' -> number(t.getYear() % 100, 2, '0', flag, width);
            case 'Y' -> number(t.getYear(), 1, '0', flag, width);
            case 'z', 'Z' -> "";
            case '%' -> "%";
            default -> null;
        };
    }

    private static String number(int value, int digits, char pad, char flag, int width) {
        char fill = flag == '_' ? ' ' : flag == '0' ? '0' : pad;
        String text = String.valueOf(value);
        int length = width > 0 ? width : flag == '-' ? 0 : digits;
        return String.valueOf(fill).repeat(Math.max(0, length - text.length())) + text;
    }

    private static String text(String name, char flag, int width) {
        String shown = flag == '^' || flag == '#' ? name.toUpperCase(Locale.ROOT) : name;
        return (flag == '0' ? "0" : " ").repeat(Math.max(0, width - shown.length())) + shown;
    }
}
