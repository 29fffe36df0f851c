package fewsh.jinja;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The arguments of a call: by position, and by name in the order written.
record Args(List<Value> positional, Map<String, Value> named) {
    static final Args NONE = new Args(List.of(), Map.of());

    static Args of(Value... values) {
        return new Args(List.of(values), Map.of());
    }

    int count() {
        return positional.size();
    }

    Value at(int i) {
        return positional.get(i);
    }

    /// The argument at `i`, null if there are fewer.
    Value orNull(int i) {
        return i < positional.size() ? positional.get(i) : null;
    }

    Args withFirst(Value first) {
        java.util.ArrayList<Value> all = new java.util.ArrayList<>();
        all.add(first);
        all.addAll(positional);
        return new Args(all, named);
    }

    Args without(int positions) {
        return new Args(positional.subList(positions, positional.size()), named);
    }

    Args withoutNamed(String... names) {
        Map<String, Value> rest = new LinkedHashMap<>(named);
        for (String name : names) rest.remove(name);
        return new Args(positional, rest);
    }

    /// Arguments for a Python function with named parameters: in their order, null where one with `?` is not given.
    ///
    /// @param parameters as `s old new count?`
    /// @throws TemplateError TypeError when they do not fit
    Value[] bind(String function, String parameters) {
        String[] names = parameters.isEmpty() ? new String[0] : parameters.split(" ");
        if (positional.size() > names.length)
            throw TemplateError.type(function + "() takes " + names.length + " positional argument"
                    + (names.length == 1 ? "" : "s") + " but " + positional.size() + " were given");
        Value[] values = new Value[names.length];
        Map<String, Value> rest = new LinkedHashMap<>(named);
        for (int i = 0; i < names.length; i++) {
            boolean optional = names[i].endsWith("?");
            String name = optional ? names[i].substring(0, names[i].length() - 1) : names[i];
            Value byName = rest.remove(name);
            if (i < positional.size()) {
                if (byName != null) throw TemplateError.type(function + "() got multiple values for argument '" + name + "'");
                values[i] = positional.get(i);
            } else {
                values[i] = byName;
            }
            if (values[i] == null && !optional)
                throw TemplateError.type(function + "() missing 1 required positional argument: '" + name + "'");
        }
        for (String name : rest.keySet())
            throw TemplateError.type(function + "() got an unexpected keyword argument '" + name + "'");
        return values;
    }

    /// Checks the arguments of a built-in method that takes none by name.
    Args only(String function, int least, int most) {
        if (!named.isEmpty()) throw TemplateError.type(function + "() takes no keyword arguments");
        if (count() < least)
            throw TemplateError.type(function + " expected at least " + least + " argument" + (least == 1 ? "" : "s") + ", got "
                    + count());
        if (count() > most)
            throw TemplateError.type(function + " expected at most " + most + " argument" + (most == 1 ? "" : "s") + ", got "
                    + count());
        return this;
    }
}
