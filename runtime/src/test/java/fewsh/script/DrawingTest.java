package fewsh.script;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.stream.DoubleStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

/// Tables and charts as text.
class DrawingTest {
    private static String lines(List<String> lines) {
        return String.join("\n", lines);
    }

    // ---- width

    @Test
    void widthIsWhatATerminalShows() {
        assertEquals(3, Width.of("abc"));
        assertEquals(6, Width.of("日本語"));
        assertEquals(2, Width.of("🐱"));
        assertEquals(1, Width.of("e\u0301"), "a mark stands on its letter");
        assertEquals(4, Width.of("한글"));
        assertEquals(5, Width.of("─│█⠿●"), "what charts are made of takes one column");
        assertEquals("日…", Width.cut("日本語", 4, "…"));
        assertEquals("日本", Width.cut("日本", 4, "…"));
    }

    // ---- tables

    @Test
    void columnsLineUpBehindWideCharacters() {
        assertEquals("""
                name   n
                ────  ──
                日本   1
                abc   20""", lines(new Table("", List.of("name", "n"), List.of(List.of("日本", "1"), List.of("abc", "20")),
                new boolean[] {false, true}).lines(80, true)));
    }

    @Test
    void aTableFitsTheWidthByCuttingItsWidestColumns() {
        Table table = new Table("", List.of("id", "text"), List.of(List.of("1", "a long sentence that goes on")),
                new boolean[] {true, false});
        assertEquals("""
                id  text
                --  ----------------
                 1  a long sentence~""", lines(table.lines(20, false)));
        assertEquals(3 + 2 + 3, Width.of(new Table("", List.of("abcdef", "ghijkl"), List.of(), new boolean[2]).lines(1,
                true).getFirst()));
    }

    @Test
    void aCellIsOneLineWhateverItHolds() {
        assertEquals("a↵b ␛[2J", Table.shown("a\nb\t\u001b[2J", true));
        assertEquals("a b ?[2J", Table.shown("a\nb\t\u001b[2J", false));
    }

    // ---- charts

    @Test
    void barsBeginAtZero() {
        List<String> lines = new Chart.Bars("", List.of("plus", "minus"), new double[] {10, -10}).lines(31, 1, false);
        assertEquals("""
                 plus           |########## 10
                minus ##########| -10""", lines(lines));
        assertEquals("a │█▏ 1\nb │██▎ 2\nc │████████ 7", lines(new Chart.Bars("", List.of("a", "b", "c"), new double[] {1, 2, 7})
                .lines(13, 1, true)));
    }

    @Test
    void aHistogramCountsEveryValueOnce() {
        Chart.Bars bars = Chart.histogram("", new double[] {1, 2, 2, 3, 3, 3, 4, 4, 5, 9}, 0);
        assertEquals(List.of("0 – 2", "2 – 4", "4 – 6", "6 – 8", "8 – 10"), bars.labels());
        assertEquals(List.of(1.0, 5.0, 3.0, 0.0, 1.0), DoubleStream.of(bars.values()).boxed().toList());
        assertEquals(List.of(2.0, 2.0), DoubleStream.of(Chart.histogram("", new double[] {0, 1, 2, 4},
                2).values()).boxed().toList());
    }

    @Property(tries = 200)
    void everyHistogramHoldsAllItsValues(@ForAll @Size(min = 1, max = 60) List<@DoubleRange(min = -1e6, max = 1e6) Double> values,
            @ForAll @IntRange(min = 0, max = 20) int bins) {
        double[] all = values.stream().mapToDouble(d -> d).toArray();
        assertEquals(all.length, Arrays.stream(Chart.histogram("", all, bins).values()).sum());
    }

    @Test
    void aLineChartHasAxesAndLabels() {
        Chart chart = new Chart.Line("accuracy", "k", "acc", List.of(new Chart.Series("zero-shot", new double[] {0, 10},
                new double[] {0, 1})));
        assertEquals("""
                accuracy
                acc
                1.0 +                       .....*
                    |                 .......
                0.5 +           .......
                    |     .......
                0.0 +*.....
                    ++-------------+-------------+
                     0             5            10
                                   k
                     * zero-shot""", lines(chart.lines(34, 5, false)));
    }

    @Test
    void seriesAreToldApartByTheirMarks() {
        double[] x = {0, 1};
        List<String> lines = new Chart.Line("", "", "", List.of(new Chart.Series("a", x, new double[] {0, 0}),
                new Chart.Series("b", x, new double[] {1, 1}))).lines(40, 8, true);
        assertTrue(lines.getFirst().contains("○") && !lines.getFirst().contains("●"), lines(lines));
        assertTrue(lines.getLast().endsWith("● a   ○ b"), lines(lines));
    }

    @Test
    void aGapIsLeftOpen() {
        List<String> lines = new Chart.Line("", "", "", List.of(new Chart.Series("", new double[] {0, 1, 2, 3},
                new double[] {1, Double.NaN, 1, 1}))).lines(40, 3, false);
        String row = lines.stream().filter(line -> line.contains("*")).findFirst().orElseThrow();
        assertTrue(row.matches(".*\\* {15,}\\*\\.+\\*"), row);
    }

    @Property(tries = 300)
    void noChartIsWiderThanItsWidth(@ForAll @Size(max = 30) List<@DoubleRange(min = -1e9, max = 1e9) Double> values,
            @ForAll @IntRange(min = 30, max = 120) int width, @ForAll @IntRange(min = 4, max = 30) int height,
                    @ForAll boolean unicode) {
        double[] y = values.stream().mapToDouble(d -> d).toArray();
        double[] x = new double[y.length];
        Arrays.setAll(x, i -> i);
        List<String> labels = values.stream().map(value -> "label 日本 of " + value).toList();
        for (Chart chart : List.of(new Chart.Line("", "x", "y", List.of(new Chart.Series("", x, y))), new Chart.Bars("", labels,
                y)))
            for (String line : chart.lines(width, height, unicode)) assertTrue(Width.of(line) <= width, line);
    }

    @Property(tries = 500)
    void ticksEncloseTheValuesWithRoundNumbers(@ForAll @DoubleRange(min = -1e6, max = 1e6) double a,
            @ForAll @DoubleRange(min = -1e6, max = 1e6) double b, @ForAll @IntRange(min = 2, max = 12) int most) {
        double low = Math.min(a, b);
        double high = Math.max(a, b);
        Ticks ticks = Ticks.of(low, high, most);
        double slack = 1e-6 * ticks.step();
        assertTrue(ticks.from() <= low + slack && ticks.last() >= high - slack, ticks + " of " + low + " to " + high);
        assertTrue(ticks.count() >= 2 && ticks.count() <= Math.max(3, most), "" + ticks);
        double mantissa = ticks.step() / Math.pow(10, Math.floor(Math.log10(ticks.step()) + 1e-9));
        assertTrue(DoubleStream.of(1, 2, 5).anyMatch(nice -> Math.abs(nice - mantissa) < 1e-6), "" + ticks);
    }

    @Test
    void numbersHaveFourDigitsThatCount() {
        assertEquals(List.of("0", "12", "0.7125", "0.3333", "-1.5", "1234.568", "1.235e-7", "–", "∞"),
                DoubleStream.of(0, 12, 0.7125, 1.0 / 3, -1.5, 1234.5678, 1.2345e-7, Double.NaN, Double.POSITIVE_INFINITY)
                        .mapToObj(Chart::number).toList());
    }
}
