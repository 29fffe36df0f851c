package fewsh.generate;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The numbers between two bounds, as decimal digits: whole, or with up to [#MOST_PLACES] digits behind the point.
final class Digits {
    static final BigDecimal MOST = BigDecimal.TEN.pow(15).subtract(BigDecimal.ONE);
    private static final int MOST_PLACES = 9;
    private static final int FEWEST_PLACES = 3;

    private final Optional<BigDecimal> minimum;
    private final Optional<BigDecimal> exclusiveMinimum;
    private final Optional<BigDecimal> maximum;
    private final Optional<BigDecimal> exclusiveMaximum;

    /// The bounds of JSON Schema.
    Digits(Optional<BigDecimal> minimum, Optional<BigDecimal> exclusiveMinimum, Optional<BigDecimal> maximum,
            Optional<BigDecimal> exclusiveMaximum) {
        this.minimum = minimum;
        this.exclusiveMinimum = exclusiveMinimum;
        this.maximum = maximum;
        this.exclusiveMaximum = exclusiveMaximum;
    }

    /// @param whole only whole numbers
    void write(Grammar grammar, boolean whole, int from, int to) {
        for (int places = 0; places <= (whole ? 0 : places()); places++) {
            BigInteger low = least(places);
            BigInteger high = most(places);
            int minus = grammar.state();
            grammar.bytes(from, '-', '-', minus);
            range(grammar, low.max(BigInteger.ZERO), high, places, from, to);
            range(grammar, high.negate().max(BigInteger.ONE), low.negate(), places, minus, to);
        }
    }

    /// One more than the bounds have: there are numbers between them.
    private int places() {
        int most = FEWEST_PLACES;
        for (var bound : List.of(minimum, exclusiveMinimum, maximum, exclusiveMaximum))
            most = Math.max(most, bound.map(b -> b.scale() + 1).orElse(0));
        return Math.min(most, MOST_PLACES);
    }

    private BigInteger least(int places) {
        BigInteger least = units(minimum.orElse(MOST.negate()).max(MOST.negate()), places, RoundingMode.CEILING);
        return exclusiveMinimum.map(b -> units(b, places, RoundingMode.FLOOR).add(BigInteger.ONE).max(least)).orElse(least);
    }

    private BigInteger most(int places) {
        BigInteger most = units(maximum.orElse(MOST).min(MOST), places, RoundingMode.FLOOR);
        return exclusiveMaximum.map(b -> units(b, places, RoundingMode.CEILING).subtract(BigInteger.ONE).min(most)).orElse(most);
    }

    private static BigInteger units(BigDecimal n, int places, RoundingMode rounding) {
        return n.movePointRight(places).setScale(0, rounding).toBigInteger();
    }

    /// From `low` to `high`, both 0 or more, in units of the last place.
    private static void range(Grammar grammar, BigInteger low, BigInteger high, int places, int from, int to) {
        if (low.compareTo(high) > 0) return;
        int shortest = places + 1;
        int longest = Math.max(high.toString().length(), shortest);
        for (int length = Math.max(low.toString().length(), shortest); length <= longest; length++) {
            BigInteger first = length == shortest ? low : low.max(BigInteger.TEN.pow(length - 1));
            BigInteger last = high.min(BigInteger.TEN.pow(length).subtract(BigInteger.ONE));
            if (first.compareTo(last) > 0) continue;
            Between between = new Between(grammar, padded(first, length), padded(last, length), length - places, to);
            grammar.empty(from, between.state(0, true, true));
        }
    }

    private static String padded(BigInteger n, int length) {
        return "0".repeat(length - n.toString().length()) + n;
    }

    /// Strings of digits between two of the same length, with a point before digit `point`.
    private record Between(Grammar grammar, String low, String high, int point, int to, Map<Integer, Integer> known) {
        Between(Grammar grammar, String low, String high, int point, int to) {
            this(grammar, low, high, point, to, new HashMap<>());
        }

        /// The state before digit `i`, whose digits so far are those of `low`, of `high`, of both or of neither.
        int state(int i, boolean asLow, boolean asHigh) {
            if (i == low.length()) return to;
            int key = 4 * i + (asLow ? 2 : 0) + (asHigh ? 1 : 0);
            if (known.containsKey(key)) return known.get(key);
            int state = grammar.state();
            known.put(key, state);
            int digit = state;
            if (i == point) grammar.bytes(state, '.', '.', digit = grammar.state());
            char first = asLow ? low.charAt(i) : '0';
            char last = asHigh ? high.charAt(i) : '9';
            for (char c = first; c <= last; c++)
                grammar.bytes(digit, c, c, state(i + 1, asLow && c == first, asHigh && c == last));
            return state;
        }
    }
}
