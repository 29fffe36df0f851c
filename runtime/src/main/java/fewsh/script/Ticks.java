package fewsh.script;

import java.util.Locale;
import java.util.stream.IntStream;

/// Round numbers along an axis: multiples of 1, 2 or 5 times a power of ten, which enclose the values.
///
/// Source: P. S. Heckbert, "Nice numbers for graph labels", Graphics Gems, 1990.
record Ticks(double from, double step, int count) {
    /// @param most how many there may be, at least 2
    static Ticks of(double least, double most, int atMost) {
        double low = least;
        double high = most;
        if (low == high) {
            double around = low == 0 ? 1 : Math.abs(low) / 2;
            low -= around;
            high += around;
        }
        double step = step((high - low) / Math.max(1, atMost - 1));
        while (true) {
            double from = Math.floor(low / step + 1e-9) * step;
            int count = (int) Math.round(Math.ceil(high / step - 1e-9) - Math.floor(low / step + 1e-9)) + 1;
            if (count <= Math.max(2, atMost)) return new Ticks(from, step, Math.max(2, count));
            step = step(step * 1.5);
        }
    }

    /// The least of 1, 2, 5 times a power of ten that is not less than `rough`.
    static double step(double rough) {
        double power = Math.pow(10, Math.floor(Math.log10(rough)));
        for (double nice : new double[] {1, 2, 5})
            if (nice * power >= rough * (1 - 1e-9)) return nice * power;
        return 10 * power;
    }

    double last() {
        return from + (count - 1) * step;
    }

    double[] values() {
        return IntStream.range(0, count).mapToDouble(i -> from + i * step).toArray();
    }

    /// With as many decimals as the step needs.
    String label(int i) {
        double value = from + i * step;
        if (Math.abs(value) < step * 1e-9) value = 0;
        int decimals = Math.max(0, (int) -Math.floor(Math.log10(step) + 1e-9));
        double size = Math.max(Math.abs(from), Math.abs(last()));
        if (decimals > 6 || size >= 1e9) return Chart.number(value);
        return String.format(Locale.ROOT, "%." + decimals + "f", value);
    }
}
