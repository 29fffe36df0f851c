package fewsh.script;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/// A line chart being drawn: lines in braille dots (2 × 4 a cell) with a mark at each point, axes and labels around.
final class Plane {
    private static final String MARKS = "●○▲△■□◆◇";
    private static final String ASCII_MARKS = "*o+x#@%&";
    private static final int[][] DOTS = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};

    private final Chart.Line chart;
    private final boolean unicode;
    private final int height;
    private final Ticks up;
    private final Ticks along;
    private final int gutter;
    private final int columns;
    private final int[][] dots;
    private final char[][] marks;

    Plane(Chart.Line chart, int width, int height, boolean unicode) {
        this.chart = chart;
        this.unicode = unicode;
        double[] xs = finite(true);
        double[] ys = finite(false);
        up = ticks(ys, Math.clamp((height + 1) / 2, 2, 7));
        this.height = Math.max(1, Math.round((height - 1f) / (up.count() - 1))) * (up.count() - 1) + 1;  // numbers evenly apart
        gutter = IntStream.range(0, up.count()).map(i -> Width.of(up.label(i))).max().orElse(1) + 1;
        columns = Math.max(8, width - gutter - 1);
        along = ticks(xs, Math.max(2, columns / 9));
        dots = new int[this.height][columns];
        marks = new char[this.height][columns];
    }

    private static Ticks ticks(double[] values, int most) {
        return values.length == 0 ? Ticks.of(0, 1, most)
                : Ticks.of(Arrays.stream(values).min().orElse(0), Arrays.stream(values).max().orElse(1), most);
    }

    /// The x or y of all points that are drawn.
    private double[] finite(boolean x) {
        return chart.series().stream().flatMapToDouble(s -> IntStream.range(0, s.x().length).filter(i -> drawn(s, i))
                .mapToDouble(i -> x ? s.x()[i] : s.y()[i])).toArray();
    }

    private static boolean drawn(Chart.Series s, int i) {
        return Double.isFinite(s.x()[i]) && Double.isFinite(s.y()[i]);
    }

    List<String> lines() {
        for (int s = 0; s < chart.series().size(); s++) draw(chart.series().get(s), s);
        List<String> lines = new ArrayList<>();
        if (!chart.title().isEmpty()) lines.add(Table.shown(chart.title(), unicode));
        if (!chart.y().isEmpty()) lines.add(Table.shown(chart.y(), unicode));
        String[] labels = new String[height];
        for (int i = 0; i < up.count(); i++) labels[row(up.values()[i])] = up.label(i);
        for (int r = 0; r < height; r++) {
            StringBuilder line = new StringBuilder(Width.pad(labels[r] == null ? "" : labels[r], gutter - 1, true)).append(' ');
            line.append(labels[r] == null ? unicode ? '│' : '|' : unicode ? '┤' : '+');
            for (int c = 0; c < columns; c++)
                line.append(marks[r][c] != 0 ? marks[r][c] : dots[r][c] == 0 ? ' '
                        : unicode ? (char) (0x2800 + dots[r][c]) : '.');
            lines.add(line.toString().stripTrailing());
        }
        lines.addAll(bottom());
        List<String> legend = new ArrayList<>();
        for (int s = 0; s < chart.series().size(); s++) {
            String name = chart.series().get(s).name();
            if (!name.isEmpty()) legend.add(mark(s) + " " + Table.shown(name, unicode));
        }
        if (!legend.isEmpty()) lines.add(" ".repeat(gutter + 1) + String.join("   ", legend));
        return lines;
    }

    /// The x axis, its numbers, its label.
    private List<String> bottom() {
        StringBuilder axis = new StringBuilder((unicode ? "─" : "-").repeat(columns));
        StringBuilder numbers = new StringBuilder(" ".repeat(gutter + 1 + columns + gutter));
        int free = 0;
        for (int i = 0; i < along.count(); i++) {
            int c = column(along.values()[i]);
            axis.setCharAt(c, unicode ? '┬' : '+');
            String label = along.label(i);
            int at = Math.max(0, Math.min(gutter + 1 + c - label.length() / 2, gutter + 1 + columns - label.length()));
            if (at < free) continue;
            numbers.replace(at, at + label.length(), label);
            free = at + label.length() + 1;
        }
        List<String> lines = new ArrayList<>();
        lines.add(" ".repeat(gutter) + (unicode ? "└" : "+") + axis);
        lines.add(numbers.toString().stripTrailing());
        if (!chart.x().isEmpty()) {
            String label = Table.shown(chart.x(), unicode);
            lines.add(" ".repeat(gutter + 1 + Math.max(0, (columns - Width.of(label)) / 2)) + label);
        }
        return lines;
    }

    private char mark(int series) {
        String all = unicode ? MARKS : ASCII_MARKS;
        return all.charAt(series % all.length());
    }

    private void draw(Chart.Series s, int index) {
        Integer[] order = IntStream.range(0, s.x().length).boxed().filter(i -> Double.isFinite(s.x()[i]))
                .sorted(Comparator.comparingDouble(i -> s.x()[i])).toArray(Integer[]::new);
        long points = Arrays.stream(order).filter(i -> drawn(s, i)).count();
        for (int i = 1; i < order.length; i++)
            if (drawn(s, order[i - 1]) && drawn(s, order[i])) join(s, order[i - 1], order[i]);
        boolean crowded = points > columns / 2 && chart.series().size() == 1;
        for (int i : order) {
            if (!drawn(s, i)) continue;
            if (crowded) dot(2 * columns * across(s.x()[i]), 4 * height * (1 - upward(s.y()[i])));
            else marks[row(s.y()[i])][column(s.x()[i])] = mark(index);
        }
    }

    private void join(Chart.Series s, int from, int to) {
        double x0 = (2 * columns - 1) * across(s.x()[from]);
        double y0 = (4 * height - 1) * (1 - upward(s.y()[from]));
        double x1 = (2 * columns - 1) * across(s.x()[to]);
        double y1 = (4 * height - 1) * (1 - upward(s.y()[to]));
        int steps = (int) Math.ceil(Math.max(1, Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0))));
        for (int i = 0; i <= steps; i++) dot(x0 + (x1 - x0) * i / steps, y0 + (y1 - y0) * i / steps);
    }

    private void dot(double x, double y) {
        int dx = Math.clamp(Math.round(x), 0, 2 * columns - 1);
        int dy = Math.clamp(Math.round(y), 0, 4 * height - 1);
        dots[dy / 4][dx / 2] |= DOTS[dy % 4][dx % 2];
    }

    private double across(double x) {
        return (x - along.from()) / (along.last() - along.from());
    }

    private double upward(double y) {
        return (y - up.from()) / (up.last() - up.from());
    }

    /// The cell of the dot that stands for it.
    private int column(double x) {
        return Math.clamp(Math.round((2 * columns - 1) * across(x)), 0, 2 * columns - 1) / 2;
    }

    private int row(double y) {
        return Math.clamp(Math.round((4 * height - 1) * (1 - upward(y))), 0, 4 * height - 1) / 4;
    }
}
