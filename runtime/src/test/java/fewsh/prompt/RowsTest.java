package fewsh.prompt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fewsh.UserError;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RowsTest {
    @TempDir Path folder;

    private Path file(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text);
    }

    private List<Row> read(String name, String text) throws IOException {
        return Rows.read(file(name, text));
    }

    private UserError refused(String name, String text) throws IOException {
        Path file = file(name, text);
        return assertThrows(UserError.class, () -> Rows.read(file));
    }

    private String place(Row row) {
        return row.where().substring(folder.toString().length() + 1);
    }

    @Test
    void jsonLinesKeepTheirTypesAndOrder() throws IOException {
        List<Row> rows = read("a.jsonl", "{\"z\": 1, \"a\": -2.5, \"t\": \"é\\n\", \"l\": [true, null, {\"x\": 1e2}]}\r\n\n"
                + "{\"big\": 123456789012345678901234567890}");
        assertEquals(2, rows.size());
        assertEquals(List.of("z", "a", "t", "l"), List.copyOf(rows.get(0).keySet()));
        assertEquals(1L, rows.get(0).get("z"));
        assertEquals(-2.5, rows.get(0).get("a"));
        assertEquals("é\n", rows.get(0).get("t"));
        assertEquals("[true, null, {x=100.0}]", rows.get(0).get("l").toString());
        assertEquals(new BigInteger("123456789012345678901234567890"), rows.get(1).get("big"));
        assertEquals("a.jsonl:3", place(rows.get(1)));
    }

    @Test
    void csvIsRfc4180WithAHeader() throws IOException {
        List<Row> rows = read("a.csv", "text,label\r\n\"a \"\"joy\"\", truly\",positive\r\n\"two\nlines\",5\r\n,\r\n");
        assertEquals(List.of(Map.of("text", "a \"joy\", truly", "label", "positive"), Map.of("text", "two\nlines", "label", "5"),
                Map.of("text", "", "label", "")), rows);
        assertEquals(List.of("a.csv:2", "a.csv:3", "a.csv:5"), rows.stream().map(this::place).toList());
    }

    @Test
    void tsvIsSplitAtTabs() throws IOException {
        assertEquals(List.of(Map.of("a b", "1, 2", "c", "x")), read("a.TSV", "a b\tc\n1, 2\tx\n"));
    }

    @Test
    void aByteOrderMarkIsNoText() throws IOException {
        assertEquals(List.of(Map.of("a", "1")), read("a.csv", "\ufeffa\n1\n"));
        assertEquals(List.of(Map.of("a", 1L)), read("a.jsonl", "\ufeff{\"a\": 1}"));
        assertEquals(List.of(), read("empty.jsonl", ""));
        assertEquals(List.of(), read("header.csv", "a,b"));
    }

    @Test
    void badRowsAreNamedByLine() throws IOException {
        record Case(String name, String text, int line, String says) {}
        for (Case c : List.of(
                new Case("a.jsonl", "{}\n{\"a\": 1,}\n", 2, "is not JSON"),
                new Case("a.jsonl", "{'a': 1}", 1, "is not JSON"),
                new Case("a.jsonl", "{}\n\n{\"a\": ", 3, "breaks off"),
                new Case("a.jsonl", "{\"a\": NaN}", 1, "is not JSON"),
                new Case("a.jsonl", "{} {}", 1, "JSON"),
                new Case("a.jsonl", "[1]", 1, "not a JSON object"),
                new Case("a.jsonl", "{\"a\": 1, \"a\": 2}", 1, "\"a\" twice"),
                new Case("a.jsonl", "{\"a\": " + "9".repeat(1010) + "}", 1, "1010 digits"),
                new Case("a.jsonl", "{\"a\": " + "[".repeat(100_000) + "}", 1, "is not JSON"),
                new Case("a.csv", "a,b\n1,2\n1\n", 3, "has 1 fields, the header 2"),
                new Case("a.csv", "a,b\n1,2,3\n", 2, "has 3 fields, the header 2"),
                new Case("a.csv", "a,b,a\n", 1, "two fields are named \"a\""),
                new Case("a.csv", "a,\n", 1, "no name"),
                new Case("a.csv", "a\n\"x\"y\n", 2, "cannot be read as CSV"))) {
            UserError e = refused(c.name, c.text);
            assertEquals(folder.resolve(c.name) + ":" + c.line, e.where(), e.getMessage());
            assertTrue(e.what().contains(c.says), e.getMessage());
        }
        assertTrue(refused("a.csv", "").what().contains("is empty"));
    }

    @Test
    void otherEncodingsAreRefused() throws IOException {
        for (String name : List.of("a.csv", "a.jsonl")) {
            Path file = folder.resolve(name);
            Files.write(file, "{\"a\": \"é\"}\n".getBytes(StandardCharsets.ISO_8859_1));
            UserError e = assertThrows(UserError.class, () -> Rows.read(file));
            assertTrue(e.what().contains("UTF-8") && e.where().endsWith(":1"), e.getMessage());
        }
    }

    @Test
    void otherFilesAreRefused() throws IOException {
        assertTrue(refused("a.xlsx", "").fix().contains(".jsonl, .csv or .tsv"));
        assertEquals("is not there", assertThrows(UserError.class, () -> Rows.open(folder.resolve("none.csv"))).what());
        Files.createDirectory(folder.resolve("d.csv"));
        assertThrows(UserError.class, () -> Rows.open(folder.resolve("d.csv")));
    }

    @Test
    void rowsAfterABrokenOneCanBeRead() throws IOException {
        Path file = file("a.jsonl", "{\"a\": 1}\noops\n{\"a\": 3}\n");
        List<Object> got = new ArrayList<>();
        try (Rows rows = Rows.open(file)) {
            got.add(rows.next());
            assertThrows(UserError.class, rows::next);
            got.add(rows.next());
            assertFalse(rows.hasNext());
        }
        assertEquals(List.of(Map.of("a", 1L), Map.of("a", 3L)), got);
    }

    @Test
    void aRowThatNeverEndsIsRefused() throws IOException {
        assertTrue(refused("a.jsonl", "{\"a\": \"" + "x".repeat(Rows.LONGEST_ROW) + "\"}").what().contains("is longer than"));
        assertTrue(refused("a.csv", "a\n\"" + "x".repeat(Rows.LONGEST_ROW + 9)).what().contains("cannot be read as CSV"));
    }
}
