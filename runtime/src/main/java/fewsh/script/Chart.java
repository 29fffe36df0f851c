package fewsh.script;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Numbers as a picture made of characters.
public sealed interface Chart {
    /// The picture, at most `width` columns wide.
    ///
    /// @param height rows of a line chart's plot; bars take a row each
    /// @param unicode false for ASCII apart from what the labels hold
    List<String> lines(int width, int height, boolean unicode);

    /// Points that belong together, joined in the order of their x. A point whose x or y is not finite is left out, and the
    /// line with it.
    record Series(String name, double[] x, double[] y) {
        public Series {
            if (x.length != y.length) throw new IllegalArgumentException(x.length + " x, " + y.length + " y");
            x = x.clone();
            y = y.clone();
        }
    }

    /// Lines over a plane.
    ///
    /// @param x what goes to the right; empty for no label
    /// @param y what goes up
    record Line(String title, String x, String y, List<Series> series) implements Chart {
        public Line {
            series = List.copyOf(series);
        }

        @Override
        public List<String> lines(int width, int height, boolean unicode) {
            return new Plane(this, width, height, unicode).lines();
        }
    }

    /// A bar for each value, from zero, to the left if it is negative.
    record Bars(String title, List<String> labels, double[] values) implements Chart {
        public Bars {
            labels = List.copyOf(labels);
            values = values.clone();
            if (labels.size() != values.length)
                throw new IllegalArgumentException(labels.size() + " labels, " + values.length + " values");
        }

        @Override
        public List<String> lines(int width, int height, boolean unicode) {
            List<String> lines = new ArrayList<>();
            if (!title.isEmpty()) lines.add(Table.shown(title, unicode));
            List<String> names = labels.stream().map(label -> Table.shown(label, unicode)).toList();
            List<String> numbers = Arrays.stream(values).mapToObj(Chart::number).toList();
            int nameWidth = Math.min(names.stream().mapToInt(Width::of).max().orElse(0), Math.max(4, width / 3));
            int numberWidth = numbers.stream().mapToInt(Width::of).max().orElse(0);
            int room = Math.max(4, width - nameWidth - numberWidth - 3);
            double least = Math.min(0, Arrays.stream(values).filter(Double::isFinite).min().orElse(0));
            double most = Math.max(0, Arrays.stream(values).filter(Double::isFinite).max().orElse(0));
            int left = most - least == 0 ? 0 : (int) Math.round(room * (-least / (most - least)));
            for (int i = 0; i < values.length; i++) {
                String name = Width.pad(Width.cut(names.get(i), nameWidth, unicode ? "…" : "~"), nameWidth, true);
                double share = !Double.isFinite(values[i]) || most - least == 0 ? 0 : values[i] / (most - least) * room;
                String bar = share >= 0 ? " ".repeat(left) + (unicode ? "│" : "|") + blocks(Math.min(share, room - left), unicode)
                        : " ".repeat(Math.max(0, left - (int) Math.round(-share)))
                                + (unicode ? "█" : "#").repeat(Math.min(left, (int) Math.round(-share))) + (unicode ? "│" : "|");
                lines.add(name + " " + bar + " " + numbers.get(i));
            }
            return lines;
        }
    }

    /// How many values lie in each of some ranges of equal width; the last one holds its end too.
    ///
    /// @param bins how many ranges; 0 for as many as Sturges' rule says, with round limits
    static Bars histogram(String title, double[] values, int bins) {
        double[] finite = Arrays.stream(values).filter(Double::isFinite).toArray();
        double least = Arrays.stream(finite).min().orElse(0);
        double most = Arrays.stream(finite).max().orElse(0);
        if (least == most) return new Bars(title, finite.length == 0 ? List.of() : List.of(number(least)),
                finite.length == 0 ? new double[0] : new double[] {finite.length});
        double step = bins > 0 ? (most - least) / bins
                : Ticks.step((most - least) / Math.max(1, Math.ceil(Math.log(finite.length) / Math.log(2) + 1)));
        double from = bins > 0 ? least : Math.floor(least / step) * step;
        int n = bins > 0 ? bins : (int) Math.max(1, Math.ceil((most - from) / step - 1e-9));
        double[] counts = new double[n];
        for (double value : finite) counts[Math.clamp((int) Math.floor((value - from) / step + 1e-9), 0, n - 1)]++;
        List<String> labels = new ArrayList<>();
        for (int i = 0; i < n; i++)
            labels.add(number(from + i * step) + " – " + number(from + (i + 1) * step));
        return new Bars(title, labels, counts);
    }

    /// Four digits that count, without needless zeros: `0.7125`, `12`, `1.5e-7`.
    static String number(double value) {
        if (!Double.isFinite(value)) return Double.isNaN(value) ? "–" : value > 0 ? "∞" : "-∞";
        if (value == Math.rint(value) && Math.abs(value) < 1e15) return Long.toString((long) value);
        BigDecimal rounded = new BigDecimal(value).round(new MathContext(Math.abs(value) >= 1000 ? 7 : 4)).stripTrailingZeros();
        double size = Math.abs(value);
        return size >= 1e-4 && size < 1e15 ? rounded.toPlainString() : rounded.toString().replace("E", "e");
    }

    /// `length` columns of a bar, to an eighth.
    private static String blocks(double length, boolean unicode) {
        if (!unicode) return "#".repeat((int) Math.round(length));
        int eighths = (int) Math.round(length * 8);
        return "█".repeat(eighths / 8) + (eighths % 8 == 0 ? "" : String.valueOf(" ▏▎▍▌▋▊▉".charAt(eighths % 8)));
    }

    /// `████████░░░░  45 %  90 of 200`.
    static String bar(double done, double total, int columns, boolean unicode) {
        double share = total <= 0 ? 1 : Math.clamp(done / total, 0, 1);
        int full = (int) Math.round(columns * share);
        return (unicode ? "█" : "#").repeat(full) + (unicode ? "░" : ".").repeat(columns - full) + "  " + (int) (100 * share)
                + " %  " + number(done) + " of " + number(total);
    }
}
