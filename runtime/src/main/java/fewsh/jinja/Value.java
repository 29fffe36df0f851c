package fewsh.jinja;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Everything a template can hold: Python's types as far as templates meet them, and nothing of Java's.
///
/// Closed on purpose: printing, truth, equality, length and attributes are switches over it without a `default`.
sealed interface Value {
    Value NONE = new None();
    Value TRUE = new Bool(true);
    Value FALSE = new Bool(false);

    record None() implements Value {}

    record Bool(boolean value) implements Value {}

    record Int(BigInteger value) implements Value {}

    record Float(double value) implements Value {}

    /// @param safe whether it is markupsafe's `Markup`: text that counts as escaped and escapes what it is joined with
    record Str(String text, boolean safe) implements Value {}

    /// @param latin1 one character, 0 to 255, for each byte
    record Bytes(String latin1) implements Value {}

    /// A list.
    final class Array implements Value {
        final ArrayList<Value> items;

        Array(List<Value> items) {
            this.items = new ArrayList<>(items);
        }
    }

    /// @param names attributes by position (`groupby`'s `grouper` and `list`), empty for a plain tuple
    record Tuple(List<Value> items, List<String> names) implements Value {
        Tuple(List<Value> items) {
            this(items, List.of());
        }
    }

    /// A dict: insertion order, keys equal as Python's are (`1`, `1.0` and `true` are one key; the first spelling stays).
    final class Dict implements Value {
        private final LinkedHashMap<Object, Map.Entry<Value, Value>> entries = new LinkedHashMap<>();

        Value get(Value key) {
            Map.Entry<Value, Value> entry = entries.get(Python.key(key));
            return entry == null ? null : entry.getValue();
        }

        boolean has(Value key) {
            return entries.containsKey(Python.key(key));
        }

        void put(Value key, Value value) {
            Object hashed = Python.key(key);
            Map.Entry<Value, Value> old = entries.get(hashed);
            entries.put(hashed, Map.entry(old == null ? key : old.getKey(), value));
        }

        Value remove(Value key) {
            Map.Entry<Value, Value> entry = entries.remove(Python.key(key));
            return entry == null ? null : entry.getValue();
        }

        void clear() {
            entries.clear();
        }

        int size() {
            return entries.size();
        }

        List<Map.Entry<Value, Value>> entries() {
            return new ArrayList<>(entries.values());
        }
    }

    record Range(long start, long stop, long step) implements Value {
        long length() {
            if (step > 0) return start >= stop ? 0 : (stop - start - 1) / step + 1;
            return start <= stop ? 0 : (start - stop - 1) / -step + 1;
        }
    }

    enum Part { KEYS, VALUES, ITEMS }

    /// What `keys()`, `values()` and `items()` of a dict give.
    record View(Dict dict, Part part) implements Value {}

    /// What can be read once: a generator, or an iterator of another name.
    record Stream(String type, Iterator<Value> rest) implements Value {}

    /// What a missing variable or attribute gives.
    ///
    /// @param hint   the whole message, or empty to make it of the rest
    /// @param of     the value that lacks `name`; null for a variable
    /// @param error  raised when it is used
    /// @param strict raised even when it is printed, compared or asked for its truth
    record Undefined(String hint, Value of, Value name, TemplateError.Kind error, boolean strict) implements Value {
        TemplateError failure() {
            return new TemplateError(error, message());
        }

        private String message() {
            if (!hint.isEmpty()) return hint;
            if (of == null) return Python.repr(name) + " is undefined";
            if (!(name instanceof Str)) return Python.objectName(of) + " has no element " + Python.repr(name);
            return Python.quote(Python.objectName(of)) + " has no attribute " + Python.repr(name);
        }
    }

    /// Something to call: a method bound to its value, a global function.
    final class Function implements Value {
        interface Body {
            Value call(Run run, Args args);
        }

        final String type;
        final String shown;
        final Body body;

        /// @param shown what printing it gives
        Function(String type, String shown, Body body) {
            this.type = type;
            this.shown = shown;
            this.body = body;
        }
    }

    /// A macro, or the `caller` of a call block (whose name is null).
    final class Macro implements Value {
        final String name;
        final Tuple arguments;
        final boolean catchKwargs;
        final boolean catchVarargs;
        final boolean caller;
        final Function.Body body;

        Macro(String name, Tuple arguments, boolean catchKwargs, boolean catchVarargs, boolean caller, Function.Body body) {
            this.name = name;
            this.arguments = arguments;
            this.catchKwargs = catchKwargs;
            this.catchVarargs = catchVarargs;
            this.caller = caller;
            this.body = body;
        }
    }

    final class Namespace implements Value {
        final Dict attributes = new Dict();
    }

    final class Cycler implements Value {
        final List<Value> items;
        int position;

        Cycler(List<Value> items) {
            this.items = List.copyOf(items);
        }
    }

    final class Joiner implements Value {
        final String separator;
        boolean used;

        Joiner(String separator) {
            this.separator = separator;
        }
    }

    /// `loop` inside a for block.
    final class Loop implements Value {
        final Value iterable;
        private Iterator<Value> rest;
        private long length = -1;
        private Value after;
        private Value before;
        private Value current;
        private Value changed;
        final int depth0;
        final Function.Body recursion;
        long index0 = -1;

        /// @param recursion renders the loop's body over another iterable; null unless the loop says `recursive`
        Loop(Value iterable, Iterator<Value> rest, int depth0, Function.Body recursion) {
            this.iterable = iterable;
            this.rest = rest;
            this.depth0 = depth0;
            this.recursion = recursion;
        }

        boolean hasNext() {
            return after != null || rest.hasNext();
        }

        Value next() {
            Value item = after != null ? after : rest.next();
            after = null;
            index0++;
            before = current;
            current = item;
            return item;
        }

        /// The item to come, null at the end.
        Value peek() {
            if (after == null && rest.hasNext()) after = rest.next();
            return after;
        }

        Value previous() {
            return index0 == 0 ? null : before;
        }

        /// Items in all; one that has no length is read to its end.
        long length() {
            if (length < 0) length = Python.sizeOrMinus(iterable);
            if (length < 0) {
                List<Value> left = new ArrayList<>();
                rest.forEachRemaining(left::add);
                rest = left.iterator();
                length = left.size() + index0 + 1 + (after == null ? 0 : 1);
            }
            return length;
        }

        boolean changed(Run run, Value value) {
            if (changed != null && Python.equal(run, changed, value)) return false;
            changed = value;
            return true;
        }
    }

    /// A type as a value, as `x.__class__` gives it outside the sandbox.
    record Type(String name) implements Value {}

    /// `self`: the template's blocks by name.
    record Self(java.util.Map<String, Function> blocks) implements Value {}

    /// `a[start:stop:step]`'s argument; absent parts are none.
    record Slice(Value start, Value stop, Value step) implements Value {}

    static Value of(boolean value) {
        return value ? TRUE : FALSE;
    }

    static Value of(long value) {
        return new Int(BigInteger.valueOf(value));
    }

    static Value of(String text) {
        return new Str(text, false);
    }
}
