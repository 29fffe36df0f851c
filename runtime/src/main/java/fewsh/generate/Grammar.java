package fewsh.generate;

import fewsh.UserError;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.IntConsumer;

/// A language of byte strings: states, edges that take a byte, and edges that call a rule and go on where it ends.
///
/// Fragments are written between two states: they add edges that leave `from` and edges that reach `to`, and none that enter
/// `from` or leave `to`, so that they may be put beside and behind each other. All rules end in [#END].
final class Grammar {
    /// Where every rule ends.
    static final int END = 0;
    static final int UNBOUNDED = -1;
    /// Every code point; half surrogate pairs are none.
    static final List<Range> ANY = List.of(new Range(0, 0xD7FF), new Range(0xE000, 0x10FFFF));
    private static final int MOST_STATES = 200_000;
    private static final int MOST_EDGES = 1_000_000;

    /// Code points, both included.
    record Range(int from, int to) {}

    sealed interface Edge {
        int to();

        record Bytes(int low, int high, int to) implements Edge {}

        record Empty(int to) implements Edge {}

        /// The rule that begins at `entry`, and behind its end `to`.
        record Call(int entry, int to) implements Edge {}
    }

    /// Something to be written between two states.
    interface Fragment {
        void between(int from, int to);
    }

    private final List<List<Edge>> edges = new ArrayList<>();
    private final Map<Object, Integer> rules = new HashMap<>();
    private int edgeCount;

    Grammar() {
        state();
    }

    /// @throws UserError when there are too many: a repetition or a list that is too large
    int state() {
        if (edges.size() == MOST_STATES) throw tooLarge();
        edges.add(new ArrayList<>(2));
        return edges.size() - 1;
    }

    int states() {
        return edges.size();
    }

    List<Edge> edges(int state) {
        return edges.get(state);
    }

    private void add(int from, Edge edge) {
        if (++edgeCount > MOST_EDGES) throw tooLarge();
        edges.get(from).add(edge);
    }

    private static UserError tooLarge() {
        return new UserError("format", "it is too large: more than %,d states or %,d edges".formatted(MOST_STATES, MOST_EDGES),
                "ask for less: smaller repetitions, shorter lists, fewer properties");
    }

    void empty(int from, int to) {
        if (from != to) add(from, new Edge.Empty(to));
    }

    void bytes(int from, int low, int high, int to) {
        add(from, new Edge.Bytes(low, high, to));
    }

    void call(int from, int entry, int to) {
        add(from, new Edge.Call(entry, to));
    }

    /// The rule that `key` names, written by `body` from its entry to [#END] when it is first asked for. It may call itself.
    int rule(Object key, IntConsumer body) {
        Integer known = rules.get(key);
        if (known != null) return known;
        int entry = state();
        rules.put(key, entry);
        body.accept(entry);
        return entry;
    }

    void text(String text, int from, int to) {
        texts(List.of(text), from, to);
    }

    /// One of these texts; common beginnings share their states.
    void texts(Collection<String> texts, int from, int to) {
        TreeSet<byte[]> sorted = new TreeSet<>(Arrays::compareUnsigned);
        for (String text : texts) sorted.add(text.getBytes(StandardCharsets.UTF_8));
        List<Integer> path = new ArrayList<>(List.of(from));
        byte[] before = {};
        for (byte[] text : sorted) {
            int common = Math.max(0, Arrays.mismatch(before, text));
            path.subList(common + 1, path.size()).clear();
            for (int i = common; i < text.length; i++) {
                int next = state();
                bytes(path.getLast(), text[i] & 0xFF, text[i] & 0xFF, next);
                path.add(next);
            }
            empty(path.getLast(), to);
            before = text;
        }
    }

    /// `min` to `max` times, [#UNBOUNDED] for no end.
    void repeat(Fragment part, int min, int max, int from, int to) {
        int at = from;
        for (int i = 0; i < min; i++) {
            int next = state();
            part.between(at, next);
            at = next;
        }
        if (max == UNBOUNDED) {
            int loop = state();
            empty(at, loop);
            part.between(loop, loop);
            at = loop;
        }
        for (int i = min; i < max; i++) {
            empty(at, to);
            int next = state();
            part.between(at, next);
            at = next;
        }
        empty(at, to);
    }

    /// One of these characters, in UTF-8.
    void chars(List<Range> ranges, int from, int to) {
        if (ranges.stream().allMatch(r -> r.to() < 0x80)) for (Range r : ranges) bytes(from, r.from(), r.to(), to);
        else call(from, rule(ranges, entry -> ranges.forEach(r -> utf8(r.from(), r.to(), entry, END))), to);
    }

    /// Code points of a range as ranges of bytes, one behind the other.
    /// Source: the splitting of rust-lang's utf8-ranges, after RE2's `compile.cc`.
    private void utf8(int low, int high, int from, int to) {
        if (low > high) return;
        if (low <= 0xDFFF && high >= 0xD800) {
            utf8(low, 0xD7FF, from, to);
            utf8(0xE000, high, from, to);
            return;
        }
        for (int last : new int[] {0x7F, 0x7FF, 0xFFFF})
            if (low <= last && high > last) {
                utf8(low, last, from, to);
                utf8(last + 1, high, from, to);
                return;
            }
        int length = low < 0x80 ? 1 : low < 0x800 ? 2 : low < 0x10000 ? 3 : 4;
        for (int i = 1; i < length; i++) {
            int mask = (1 << 6 * i) - 1;
            if ((low & ~mask) == (high & ~mask)) continue;
            int cut = (low & mask) != 0 ? low | mask : (high & mask) != mask ? (high & ~mask) - 1 : high;
            if (cut == high) continue;
            utf8(low, cut, from, to);
            utf8(cut + 1, high, from, to);
            return;
        }
        byte[] first = Character.toString(low).getBytes(StandardCharsets.UTF_8);
        byte[] last = Character.toString(high).getBytes(StandardCharsets.UTF_8);
        int at = from;
        for (int i = 0; i < length; i++) {
            int next = i == length - 1 ? to : state();
            bytes(at, first[i] & 0xFF, last[i] & 0xFF, next);
            at = next;
        }
    }

    /// `from` without `without`, both sorted and without overlap, as is the result.
    static List<Range> minus(List<Range> from, List<Range> without) {
        List<Range> left = new ArrayList<>();
        for (Range r : from) {
            int at = r.from();
            for (Range hole : without) {
                if (hole.to() < at || hole.from() > r.to()) continue;
                if (hole.from() > at) left.add(new Range(at, hole.from() - 1));
                at = Math.max(at, hole.to() + 1);
            }
            if (at <= r.to()) left.add(new Range(at, r.to()));
        }
        return List.copyOf(left);
    }

    /// All of these, sorted and without overlap.
    static List<Range> union(List<Range> ranges) {
        List<Range> sorted = new ArrayList<>();
        for (Range r : ranges.stream().sorted((a, b) -> Integer.compare(a.from(), b.from())).toList()) {
            Range last = sorted.isEmpty() ? null : sorted.getLast();
            if (last != null && r.from() <= last.to() + 1)
                sorted.set(sorted.size() - 1, new Range(last.from(), Math.max(last.to(), r.to())));
            else sorted.add(r);
        }
        return List.copyOf(sorted);
    }
}
