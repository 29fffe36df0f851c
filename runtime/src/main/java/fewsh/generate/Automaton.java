package fewsh.generate;

import fewsh.UserError;
import fewsh.generate.Grammar.Edge;
import fewsh.prompt.Format;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Reads a language byte by byte: the deterministic automaton of a [Grammar], whose states are made as they are met.
///
/// A state is the set of places where the text so far may stand, each with the rules it will return to. Every state can be
/// brought to an end, and knows in how few bytes. Not thread-safe: [Pieces] locks.
final class Automaton {
    /// So many rules within each other, and what follows only takes the shortest way out: parsers stop at some depth.
    private static final int DEEPEST = 64;
    private static final int MOST_STATES = 20_000;
    private static final int MOST_MASKS = 1_000;
    /// Places looked at in one step; less than half a second.
    private static final int MOST_WORK = 1_000_000;
    /// No shortest text is as long as this.
    private static final int NEVER = 1 << 17;

    /// The states behind the calls that are under way.
    private static final class Stack {
        final Stack under;
        final int state;
        /// The fewest bytes from here to the end, once the rule on top has ended.
        final int distance;
        final int depth;
        private final int hash;

        Stack(Stack under, int state, int distance) {
            this.under = under;
            this.state = state;
            this.distance = Math.min(NEVER, distance);
            this.depth = under == null ? 0 : under.depth + 1;
            this.hash = 31 * (under == null ? 1 : under.hash) + state;
        }

        @Override
        public boolean equals(Object o) {
            return o == this || o instanceof Stack s && s.hash == hash && s.state == state && s.depth == depth
                    && (under == null || under.equals(s.under));
        }

        @Override
        public int hashCode() {
            return hash;
        }
    }

    private record Place(int state, Stack stack) {}

    /// Where a text can stand.
    final class State {
        private final Set<Place> places;
        private final State[] next = new State[classes];
        /// Whether the text is complete.
        final boolean complete;
        /// The fewest bytes that complete it.
        final int distance;
        /// The tokens that may follow, and the most bytes that a text is from its end after one of them; null if not known.
        private BitSet mask;
        private int farthest;
        /// How many tokens its shortest completion takes; −1 if not known. [Pieces] counts.
        int tokens = -1;

        private State(Set<Place> places) {
            this.places = places;
            this.distance = places.stream().mapToInt(Automaton.this::distance).min().orElse(NEVER);
            this.complete = distance == 0;
        }

        /// The state after one more byte, null if that may not follow.
        State next(int b) {
            int c = classOf[b];
            if (c < 0) return null;
            if (next[c] == null) next[c] = after(this, b);
            return next[c] == dead ? null : next[c];
        }

        BitSet mask() {
            return mask;
        }

        int farthest() {
            return farthest;
        }

        void mask(BitSet tokens, int farthest) {
            this.mask = tokens;
            this.farthest = farthest;
            masks++;
        }

        /// The first byte of the shortest completion; of several the one whose first bytes are least.
        int shortest() {
            for (int b = 0; b < 256; b++) {
                State after = next(b);
                if (after != null && after.distance == distance - 1) return b;
            }
            throw new IllegalStateException("a text that cannot be completed");
        }
    }

    private final Grammar grammar;
    /// The fewest bytes from each state to the end of its rule.
    private final int[] distances;
    /// Bytes that no edge tells apart are one class; −1 for those that no token spells alone.
    private final int[] classOf = new int[256];
    private final int classes;
    private final Map<Set<Place>, State> states = new HashMap<>();
    private final State dead;
    private final Set<Place> start = new HashSet<>();
    private final boolean spaceFirst;
    private int work;
    private int masks;

    /// @param alphabet the bytes that a text may have: those that are tokens, so that a completion can always be spelt
    /// @throws UserError if no text, in these bytes, is in the language
    Automaton(Grammar grammar, int entry, BitSet alphabet) {
        int space = grammar.state();
        grammar.bytes(space, ' ', ' ', entry);
        this.grammar = grammar;
        this.distances = distances(grammar, alphabet);
        this.classes = classes(alphabet);
        this.dead = new State(Set.of());
        Stack bottom = new Stack(null, Grammar.END, 0);
        add(entry, bottom, NEVER, start);
        if (distances[entry] >= NEVER)
            throw new UserError("format", "no text of reasonable length satisfies it, or none that the model's tokens can spell",
                    "look for what contradicts itself");
        this.spaceFirst = new State(start).next(' ') == null;
        if (spaceFirst) add(space, bottom, NEVER, start);
    }

    /// @throws UserError if the format is wrong, asks for what is not supported, is too large, or allows no text
    static Automaton of(Format format, BitSet alphabet) {
        Grammar grammar = new Grammar();
        int entry = grammar.state();
        switch (format) {
            case Format.Free() -> throw new IllegalArgumentException("nothing to hold an answer to");
            case Format.Regex(var pattern) -> {
                for (Regex.Whole whole : Regex.parse(pattern)) whole.regex().write(grammar, grammar::chars, entry, Grammar.END);
            }
            case Format.Options(var options) -> {
                if (options.isEmpty()) throw new UserError("format", "there is no option to choose from", "list some texts");
                grammar.texts(options, entry, Grammar.END);
            }
            case Format.Json(var schema) -> new JsonGrammar(grammar).write(schema, entry);
        }
        return new Automaton(grammar, entry, alphabet);
    }

    State start() {
        return known(start);
    }

    /// Whether a text may have one space in front that is not part of it, because none begins with a space of its own.
    boolean spaceFirst() {
        return spaceFirst;
    }

    /// Begins a step at `state`: forgets all others where there are too many, and allows a step's work.
    State at(State state) {
        work = 0;
        if (states.size() > MOST_STATES || masks > MOST_MASKS) {
            states.clear();
            masks = 0;
        }
        return known(state.places);
    }

    private State known(Set<Place> places) {
        return states.computeIfAbsent(places, State::new);
    }

    private int distance(Place place) {
        return Math.min(NEVER, distances[place.state] + place.stack.distance);
    }

    private State after(State state, int b) {
        Set<Place> places = new HashSet<>();
        for (Place place : state.places)
            for (Edge edge : grammar.edges(place.state))
                if (edge instanceof Edge.Bytes(int low, int high, int to) && low <= b && b <= high)
                    add(to, place.stack, distance(place), places);
        return places.isEmpty() ? dead : known(places);
    }

    /// Adds what can be reached without a byte, as far as it leads to the end and, where it is deep, nearer than `before`.
    private void add(int state, Stack stack, int before, Set<Place> to) {
        Deque<Place> open = new ArrayDeque<>(List.of(new Place(state, stack)));
        Set<Place> seen = new HashSet<>(open);
        while (!open.isEmpty()) {
            Place place = open.pop();
            if (++work > MOST_WORK)
                throw new UserError("format", "it is too ambiguous: the places where an answer may stand are too many",
                        "write it with fewer repetitions of the same characters");
            int distance = distance(place);
            if (distance >= (place.stack.depth > DEEPEST ? before : NEVER)) continue;
            boolean stays = place.state == Grammar.END && place.stack.under == null;
            for (Edge edge : grammar.edges(place.state))
                switch (edge) {
                    case Edge.Bytes _ -> stays = true;
                    case Edge.Empty(int next) -> open(new Place(next, place.stack), seen, open);
                    case Edge.Call(int entry, int next) -> open(new Place(entry, next == Grammar.END ? place.stack
                            : new Stack(place.stack, next, distances[next] + place.stack.distance)), seen, open);
                }
            if (place.state == Grammar.END && place.stack.under != null)
                open(new Place(place.stack.state, place.stack.under), seen, open);
            if (stays) to.add(place);
        }
    }

    private static void open(Place place, Set<Place> seen, Deque<Place> open) {
        if (seen.add(place)) open.push(place);
    }

    /// By labels that are corrected until none changes. Source: Knuth 1977, a generalisation of Dijkstra's algorithm.
    private static int[] distances(Grammar grammar, BitSet alphabet) {
        int n = grammar.states();
        record Way(int from, Edge edge) {}
        List<List<Way>> ways = new ArrayList<>(n);      // those that need to know a state's distance
        for (int i = 0; i < n; i++) ways.add(new ArrayList<>(2));
        for (int i = 0; i < n; i++)
            for (Edge edge : grammar.edges(i)) {
                ways.get(edge.to()).add(new Way(i, edge));
                if (edge instanceof Edge.Call(int entry, _)) ways.get(entry).add(new Way(i, edge));
            }
        int[] distances = new int[n];
        Arrays.fill(distances, NEVER);
        distances[Grammar.END] = 0;
        Deque<Integer> changed = new ArrayDeque<>(List.of(Grammar.END));
        while (!changed.isEmpty())
            for (Way way : ways.get(changed.remove())) {
                int distance = distances[way.edge.to()] + switch (way.edge) {
                    case Edge.Bytes(int low, int high, _) -> {
                        int b = alphabet.nextSetBit(low);
                        yield b >= 0 && b <= high ? 1 : NEVER;
                    }
                    case Edge.Empty _ -> 0;
                    case Edge.Call(int entry, _) -> distances[entry];
                };
                if (distance >= distances[way.from]) continue;
                distances[way.from] = distance;
                changed.add(way.from);
            }
        return distances;
    }

    private int classes(BitSet alphabet) {
        BitSet begins = new BitSet(257);
        for (int i = 0; i < grammar.states(); i++)
            for (Edge edge : grammar.edges(i))
                if (edge instanceof Edge.Bytes(int low, int high, _)) {
                    begins.set(low);
                    begins.set(high + 1);
                }
        int n = 0;
        boolean open = false;
        for (int b = 0; b < 256; b++) {
            if (begins.get(b)) open = false;
            if (alphabet.get(b) && !open) {
                n++;
                open = true;
            }
            classOf[b] = alphabet.get(b) ? n - 1 : -1;
        }
        return n;
    }
}
