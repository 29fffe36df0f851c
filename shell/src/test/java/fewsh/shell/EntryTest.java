package fewsh.shell;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class EntryTest {
    @Test
    void whatIsToBeTypedForATextIsThatText() {
        for (String text : List.of("hello", "/help", " /help", "two\nlines", "ends in \\", "a \\\nb", "C:\\new", "\n\nx\n"))
            assertEquals(new Entry(text, false, 0), Entry.of(Entry.typed(text).orElseThrow()), text);
        assertTrue(Entry.typed("/a \"\"\" b").isEmpty());
    }

    private static List<Entry> entries(String script) {
        var lines = script.lines().iterator();
        Entry.Lines source = new Entry.Lines(() -> lines.hasNext() ? lines.next() : null);
        List<Entry> entries = new ArrayList<>();
        for (Optional<Entry> e = Entry.next(source, Entry::isWhole); e.isPresent(); e = Entry.next(source, Entry::isWhole))
            entries.add(e.get());
        return entries;
    }

    @Test
    void aBlockOrABackslashAtTheEndWantsMore() {
        assertTrue(Entry.isWhole("one line"));
        assertTrue(Entry.isWhole("\"\"\"all of it\"\"\""));
        assertFalse(Entry.isWhole("\"\"\""));
        assertFalse(Entry.isWhole("say \"\"\"this\nand that"));
        assertFalse(Entry.isWhole("one \\"));
        assertTrue(Entry.isWhole("one \\\ntwo"));
    }

    @Test
    void marksAreNotPartOfTheTextAndLinesStayApart() {
        assertEquals("a\n\nb", Entry.of("\"\"\"\na\n\nb\n\"\"\"").text());
        assertEquals("say this\nand that", Entry.of("say \"\"\"this\nand that\"\"\"").text());
        assertEquals("one \ntwo", Entry.of("one \\\ntwo").text());
        assertEquals("a\\\nb", Entry.of("\"\"\"a\\\nb\"\"\"").text());
        assertEquals("pasted\nin\ntwo", Entry.of("pasted\nin\ntwo").text());
    }

    @Test
    void aSlashInFrontMakesACommandButNotInABlock() {
        assertTrue(Entry.of("/help").command());
        assertFalse(Entry.of("\"\"\"\n/help\n\"\"\"").command());
        assertFalse(Entry.of("and/or").command());
    }

    @Test
    void aScriptIsEntriesWithTheLinesTheyBeginAt() {
        assertEquals(List.of(new Entry("/set seed 1", true, 2), new Entry("a\nb", false, 4), new Entry("c", false, 7)),
                entries("#!/usr/bin/env fewsh\n/set seed 1\n\n\"\"\"\na\nb\"\"\"\nc\n"));
    }

    @Test
    void aBlockThatTheScriptDoesNotCloseEndsWithIt() {
        assertEquals(List.of(new Entry("a", false, 1)), entries("\"\"\"a"));
        assertEquals(List.of(new Entry("a", false, 1)), entries("a\\"));
    }
}
