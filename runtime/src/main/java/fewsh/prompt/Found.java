package fewsh.prompt;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.DateTimeException;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A number or date in a text.
///
/// @param start where it stands
/// @param answer how it is written to be compared
record Found(int start, String answer) {
    private static final int MOST_DIGITS = 1000;

    /// A sign that does not follow a letter, digit or bracket, where it is a hyphen or an operator; signs of currency; digits,
    /// in groups of three or not.
    private static final Pattern NUMBER = Pattern.compile("(?<minus>(?<![\\p{L}\\p{N})\\]])[-−])?"
            + "[$€£¥]?(?<inner>(?<=[$€£¥])[-−])?"
            + "(?:(?<whole>\\d{1,9}) (?=\\d{1,9}/\\d))?"
            + "(?<number>(?:\\d{1,3}(?:,\\d{3})++(?!\\d)|\\d++)(?:\\.\\d++)?|(?<!\\d)\\.\\d++)"
            + "(?:[eE](?<power>[+-]?\\d{1,2})(?![\\p{L}\\p{N}])|(?<!/\\d{1,9})/(?<below>\\d{1,9})(?![/\\d]))?");

    private static final String MONTHS = "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
            + "|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?";
    private static final Pattern DATE = Pattern.compile("(?<!\\d)(?:"
            + "(?<y1>\\d{4})(?<s1>[-/.])(?<m1>\\d{1,2})\\k<s1>(?<d1>\\d{1,2})"
            + "|(?<a>\\d{1,2})(?<s2>[-/.])(?<b>\\d{1,2})\\k<s2>(?<y2>\\d{4})"
            + "|(?<![\\p{L}])(?<m3>" + MONTHS + ")\\.?\\s{1,9}(?<d3>\\d{1,2})(?:st|nd|rd|th)?,?\\s{1,9}(?<y3>\\d{4})"
            + "|(?<d4>\\d{1,2})(?:st|nd|rd|th)?\\s{1,9}(?:of\\s{1,9})?(?<m4>" + MONTHS + ")\\.?,?\\s{1,9}(?<y4>\\d{4})"
            + ")(?!\\d)", Pattern.CASE_INSENSITIVE);

    /// `1,234.50`, `-3`, `$18`, `18%`, `.5`, `1e3`, `1/2`, `1 1/2`; number words are none.
    static List<Found> numbers(String text) {
        List<Found> found = new ArrayList<>();
        for (Matcher m = NUMBER.matcher(text); m.find(); ) found.add(new Found(m.start(), number(m)));
        return found;
    }

    private static String number(Matcher m) {
        String digits = m.group("number").replace(",", "");
        boolean negative = m.group("minus") != null || m.group("inner") != null;
        if (digits.length() > MOST_DIGITS) return (negative ? "-" : "") + digits;
        BigDecimal number = new BigDecimal(digits);
        if (m.group("power") != null) number = number.scaleByPowerOfTen(Integer.parseInt(m.group("power")));
        if (m.group("below") != null) return fraction(number, m.group("whole"), new BigDecimal(m.group("below")), negative);
        return plain(negative ? number.negate() : number);
    }

    private static String fraction(BigDecimal above, String whole, BigDecimal below, boolean negative) {
        if (below.signum() == 0 || above.scale() > 0) return plain(negative ? above.negate() : above);
        BigDecimal top = whole == null ? above : new BigDecimal(whole).multiply(below).add(above);
        if (negative) top = top.negate();
        try {
            return plain(top.divide(below));
        } catch (ArithmeticException e) { // a decimal expansion without end
            BigInteger divisor = top.toBigInteger().gcd(below.toBigInteger());
            return top.toBigInteger().divide(divisor) + "/" + below.toBigInteger().divide(divisor);
        }
    }

    private static String plain(BigDecimal number) {
        return number.signum() == 0 ? "0" : number.stripTrailingZeros().toPlainString();
    }

    /// `2021-03-05`, `March 5, 2021`, `5 Mar 2021`, `03/05/2021`. Of two numbers before the year the first is the month, as in
    /// BIG-bench's date understanding, unless that is no date or dots are between them: then it is the day. What no calendar
    /// has is no date.
    static List<Found> dates(String text) {
        List<Found> found = new ArrayList<>();
        for (Matcher m = DATE.matcher(text); m.find(); ) {
            String date;
            if (m.group("y1") != null) date = date(m.group("y1"), number(m.group("m1")), m.group("d1"));
            else if (m.group("m3") != null) date = date(m.group("y3"), month(m.group("m3")), m.group("d3"));
            else if (m.group("m4") != null) date = date(m.group("y4"), month(m.group("m4")), m.group("d4"));
            else {
                String us = date(m.group("y2"), number(m.group("a")), m.group("b"));
                String other = date(m.group("y2"), number(m.group("b")), m.group("a"));
                boolean dayFirst = us.isEmpty() || m.group("s2").equals(".") && !other.isEmpty();
                date = dayFirst ? other : us;
            }
            if (!date.isEmpty()) found.add(new Found(m.start(), date));
        }
        return found;
    }

    private static int number(String digits) {
        return Integer.parseInt(digits);
    }

    private static int month(String name) {
        return 1 + List.of("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
                .indexOf(name.substring(0, 3).toLowerCase(Locale.ROOT));
    }

    /// Empty if there is no such day.
    private static String date(String year, int month, String day) {
        try {
            return LocalDate.of(number(year), month, number(day)).toString();
        } catch (DateTimeException e) {
            return "";
        }
    }
}
