package fewsh.script;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Rows under each other, as lines of text.
///
/// @param title above it; empty for none
/// @param rows each with a cell for every column
/// @param numeric which columns stand to the right
public record Table(String title, List<String> columns, List<List<String>> rows, boolean[] numeric) {
    private static final int NARROWEST = 3;
    private static final String GAP = "  ";

    public Table {
        columns = List.copyOf(columns);
        rows = rows.stream().map(List::copyOf).toList();
        numeric = numeric.clone();
        int n = columns.size();
        if (numeric.length != n || rows.stream().anyMatch(row -> row.size() != n))
            throw new IllegalArgumentException("every row needs " + n + " cells");
    }

    /// The table in at most `width` columns, if they are enough for three of each; long cells are cut.
    ///
    /// @param unicode false for ASCII apart from what the cells hold
    public List<String> lines(int width, boolean unicode) {
        List<String> lines = new ArrayList<>();
        if (!title.isEmpty()) lines.add(shown(title, unicode));
        if (columns.isEmpty()) return lines;
        List<String> head = columns.stream().map(cell -> shown(cell, unicode)).toList();
        List<List<String>> body = rows.stream().map(row -> row.stream().map(cell -> shown(cell, unicode)).toList()).toList();
        int[] widths = new int[columns.size()];
        for (int c = 0; c < widths.length; c++) {
            widths[c] = Math.max(1, Width.of(head.get(c)));
            for (List<String> row : body) widths[c] = Math.max(widths[c], Width.of(row.get(c)));
        }
        fit(widths, width - GAP.length() * (widths.length - 1));
        lines.add(line(head, widths, unicode));
        lines.add(String.join(GAP, Arrays.stream(widths).mapToObj((unicode ? "─" : "-")::repeat).toList()));
        body.forEach(row -> lines.add(line(row, widths, unicode)));
        return lines;
    }

    /// Takes columns from the widest until `room` is enough.
    private static void fit(int[] widths, int room) {
        for (int over = Arrays.stream(widths).sum() - room; over > 0; over--) {
            int widest = 0;
            for (int c = 1; c < widths.length; c++) if (widths[c] > widths[widest]) widest = c;
            if (widths[widest] <= NARROWEST) return;
            widths[widest]--;
        }
    }

    private String line(List<String> cells, int[] widths, boolean unicode) {
        List<String> padded = new ArrayList<>();
        for (int c = 0; c < widths.length; c++)
            padded.add(Width.pad(Width.cut(cells.get(c), widths[c], unicode ? "…" : "~"), widths[c], numeric[c]));
        return String.join(GAP, padded).stripTrailing();
    }

    /// A cell on one line: line ends, tabs and control characters as their pictures.
    static String shown(String cell, boolean unicode) {
        if (cell.chars().noneMatch(Character::isISOControl)) return cell;
        StringBuilder shown = new StringBuilder();
        cell.replace("\r\n", "\n").codePoints().forEach(c -> {
            if (!Character.isISOControl(c)) shown.appendCodePoint(c);
            else if (c == '\n') shown.append(unicode ? "↵" : " ");
            else if (c == '\t') shown.append(' ');
            else shown.append(unicode && c < ' ' ? (char) ('\u2400' + c) : '?');
        });
        return shown.toString();
    }
}
