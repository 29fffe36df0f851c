package fewsh.tensor;

/// One axis of a shape: a size, or the name of a size that is known only when the graph runs (`batch`, `sequence`).
public sealed interface Dim {
    record Fixed(long size) implements Dim {
        public Fixed {
            if (size < 0) throw new IllegalArgumentException("a size must not be negative, was " + size);
        }

        @Override
        public String toString() {
            return Long.toString(size);
        }
    }

    record Symbol(String name) implements Dim {
        public Symbol {
            if (name.isEmpty()) throw new IllegalArgumentException("a symbolic size needs a name");
        }

        @Override
        public String toString() {
            return name;
        }
    }

    static Dim of(long size) {
        return new Fixed(size);
    }

    static Dim of(String name) {
        return new Symbol(name);
    }
}
