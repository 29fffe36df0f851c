package fewsh.jinja;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/// The names of a block while it is rendered, and the frame around it.
final class Frame {
    /// The caller's variables, and those that the template's top level has set.
    record Context(Map<String, Value> given, Map<String, Value> set) {
        Value resolve(String name) {
            Value value = set.get(name);
            return value != null ? value : given.get(name);
        }
    }

    final Context context;
    final boolean toplevel;
    private final Scope scope;
    private final Frame parent;
    private final Map<String, Value> values = new HashMap<>();

    /// The frame of a template or of a block.
    Frame(Scope scope, Context context, boolean toplevel) {
        this.scope = scope;
        this.parent = null;
        this.context = context;
        this.toplevel = toplevel;
    }

    /// A frame inside another.
    Frame(Scope scope, Frame parent) {
        this.scope = scope;
        this.parent = parent;
        this.context = parent.context;
        this.toplevel = false;
    }

    /// Fetches what the frame's names stand for at this moment; what was given as a parameter stays.
    Frame enter() {
        scope.loads.forEach((name, load) -> {
            switch (load) {
                case PARAMETER -> { }
                case RESOLVE -> put(name, context.resolve(name));
                case ALIAS -> put(name, parent.get(name));
                case UNDEFINED -> values.remove(name);
            }
        });
        return this;
    }

    void leave() {
        values.clear();
    }

    /// The value of a name, null if it is missing.
    Value get(String name) {
        for (Frame frame = this; frame != null; frame = frame.parent)
            if (frame.scope.loads.containsKey(name)) return frame.values.get(name);
        return context.resolve(name);
    }

    /// A parameter, or missing if null.
    void put(String name, Value value) {
        if (value == null) values.remove(name);
        else values.put(name, value);
    }

    void assign(String name, Value value) {
        values.put(name, value);
        if (toplevel) context.set.put(name, value);
    }

    /// A context that also holds what this frame and those around it have set.
    Context derived() {
        Map<String, Value> all = new LinkedHashMap<>(context.given);
        all.putAll(context.set);
        for (Frame frame = this; frame != null; frame = frame.parent) {
            for (String name : frame.scope.stores()) {
                Value value = get(name);
                if (value != null) all.put(name, value);
            }
        }
        return new Context(all, new HashMap<>());
    }
}
