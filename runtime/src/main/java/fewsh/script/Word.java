package fewsh.script;

import java.util.Arrays;
import java.util.List;

/// A function that scripts can call.
///
/// @param parameters as scripts name them; those that end in `?` may be left out, one that begins with `...` takes the rest
/// @param call what it does with them: the answer as a [com.google.gson.JsonElement], null for none, or a [Stream]
record Word(String name, List<String> parameters, Call call) {
    interface Call {
        Object with(Given given);
    }

    /// What is pulled piece by piece; null at the end.
    interface Stream extends AutoCloseable {
        String next();

        @Override
        void close();
    }

    Word {
        parameters = List.copyOf(parameters);
    }

    static Word of(String name, String parameters, Call call) {
        return new Word(name, parameters.isEmpty() ? List.of() : Arrays.asList(parameters.split(", ")), call);
    }

    /// How many cannot be left out.
    int required() {
        return (int) parameters.stream().filter(p -> !p.endsWith("?") && !p.startsWith("...")).count();
    }

    /// `score(context, continuation)`.
    String signature() {
        return name + "(" + String.join(", ", parameters) + ")";
    }
}
