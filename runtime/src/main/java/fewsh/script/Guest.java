package fewsh.script;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import fewsh.UserError;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.graalvm.polyglot.Context;
import org.graalvm.polyglot.Engine;
import org.graalvm.polyglot.EnvironmentAccess;
import org.graalvm.polyglot.HostAccess;
import org.graalvm.polyglot.PolyglotAccess;
import org.graalvm.polyglot.ResourceLimits;
import org.graalvm.polyglot.Source;
import org.graalvm.polyglot.Value;
import org.graalvm.polyglot.io.IOAccess;
import org.graalvm.polyglot.proxy.ProxyExecutable;

/// A world for scripts: one JavaScript context in which the words of a vocabulary are functions, and nothing else is foreign.
final class Guest implements AutoCloseable {
    /// What there is of JavaScript's world: no Java, no other languages, no console, nothing that waits for another thread.
    private static final int LONGEST = 1 << 26;
    private static final Map<String, String> OPTIONS = options();
    private static final Source PRELUDE = prelude();

    private final Context context;
    private final Jail jail;
    private final Vocabulary vocabulary;
    private final Map<String, Word> words = new LinkedHashMap<>();
    /// What a prompt has.
    private final Map<String, Word> ofPrompts = new LinkedHashMap<>();
    private final Value raise;
    private final Value uncaught;
    private final Value begin;
    private final Value show;
    private final long heldBefore = held();

    private static Map<String, String> options() {
        Map<String, String> options = new LinkedHashMap<>();
        for (String none : List.of("graal-builtin", "polyglot-builtin", "polyglot-evalfile", "java-package-globals", "load",
                "print", "console", "shared-array-buffer", "atomics", "agent-can-block", "webassembly", "bigint",
                "global-arguments"))
            options.put("js." + none, "false");
        options.put("js.string-length-limit", Integer.toString(LONGEST));
        options.put("js.max-typed-array-length", Integer.toString(1 << 28));
        options.put("js.unhandled-rejections", "throw");
        return options;
    }

    private static Source prelude() {
        try (InputStream in = Guest.class.getResourceAsStream("prelude.js")) {
            String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            return Source.newBuilder("js", text, "prelude.js").internal(true).build();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// For all guests: they share its parsed code.
    static Engine engine() {
        return Engine.newBuilder("js").allowExperimentalOptions(true).option("engine.WarnInterpreterOnly", "false")
                .options(OPTIONS).out(OutputStream.nullOutputStream()).err(OutputStream.nullOutputStream()).build();
    }

    Guest(Engine engine, Stage stage, Jail jail, Limits limits) {
        this.jail = jail;
        vocabulary = new Vocabulary(stage, jail);
        for (Word word : vocabulary.words()) words.put(word.name(), word);
        context = Context.newBuilder("js").engine(engine)
                .allowHostAccess(HostAccess.EXPLICIT).allowPolyglotAccess(PolyglotAccess.NONE)
                .allowNativeAccess(false).allowCreateThread(false).allowCreateProcess(false)
                .allowEnvironmentAccess(EnvironmentAccess.NONE).allowInnerContextOptions(false)
                .allowIO(IOAccess.newBuilder().fileSystem(new Imports(jail)).build()).currentWorkingDirectory(jail.root())
                .resourceLimits(ResourceLimits.newBuilder().statementLimit(limits.statements(), null).build())
                .in(InputStream.nullInputStream()).out(OutputStream.nullOutputStream()).err(OutputStream.nullOutputStream())
                .build();
        Prompt.words(vocabulary.models()).forEach(word -> ofPrompts.put(word.name(), word));
        ProxyExecutable call = a -> call(words.get(a[0].asString()), a[1].asInt(), a[2].asString(), prompt(a[3]));
        ProxyExecutable display = a -> a[0].toString();
        Value parts = context.eval(PRELUDE).execute(table(words), table(ofPrompts), call, display);
        raise = parts.getArrayElement(0);
        uncaught = parts.getArrayElement(1);
        begin = parts.getArrayElement(2);
        show = parts.getArrayElement(3);
    }

    /// The words as the prelude takes them: `[{name, length}]`.
    private static String table(Map<String, Word> words) {
        JsonArray table = new JsonArray();
        for (Word word : words.values()) {
            JsonObject row = new JsonObject();
            row.addProperty("name", word.name());
            row.addProperty("length", word.required());
            table.add(row);
        }
        return table.toString();
    }

    Context context() {
        return context;
    }

    Vocabulary vocabulary() {
        return vocabulary;
    }

    Map<String, Word> words() {
        return words;
    }

    /// A run begins, on this thread: everything is counted anew.
    ///
    /// @param input rows that a person gave, null for none
    void begin(List<String> args, List<? extends Map<String, Object>> input) {
        context.resetLimits();
        jail.begin();
        vocabulary.models().clock().begin();
        JsonArray list = new JsonArray();
        args.forEach(list::add);
        begin.executeVoid(list.toString(), input == null ? "null" : Data.json(input).toString());
    }

    /// A prompt in a script's hands: called with the name of one of its words and the arguments.
    private final class Held implements ProxyExecutable {
        private final Prompt prompt;

        Held(Prompt prompt) {
            this.prompt = prompt;
        }

        @Override
        public Object execute(Value... a) {
            return call(ofPrompts.get(a[0].asString()), a[1].asInt(), a[2].asString(), prompt);
        }
    }

    private static Prompt prompt(Value value) {
        return value.isProxyObject() && value.asProxyObject() instanceof Held held ? held.prompt : null;
    }

    private Object call(Word word, int count, String json, Prompt prompt) {
        try {
            Object answer = Vocabulary.answer(word, count, arguments(word.name(), json), prompt);
            return switch (answer) {
                case null -> null;
                case Prompt made -> new Held(made);
                case Word.Stream stream -> (ProxyExecutable) a -> next(stream, a[0].asBoolean());
                case JsonElement element -> crossing(word, element.toString());
                default -> throw new IllegalStateException("no value that crosses: " + answer.getClass());
            };
        } catch (UserError e) {
            throw raised(e);
        }
    }

    private static String crossing(Word word, String json) {
        if (json.length() > LONGEST) throw new UserError(word.name(), "what it answers is longer than a script's texts may be: "
                + json.length() + " characters", "at most " + LONGEST);
        return json;
    }

    private static JsonArray arguments(String name, String json) {
        try {
            return JsonParser.parseString(json).getAsJsonArray();
        } catch (JsonParseException | IllegalStateException e) {
            throw new UserError(name, "an argument cannot be taken: it nests too deeply", "", e);
        }
    }

    private String next(Word.Stream stream, boolean over) {
        try {
            if (!over) return stream.next();
            stream.close();
            return null;
        } catch (UserError e) {
            throw raised(e);
        }
    }

    /// A value as a line shows it: a text as it is.
    String shown(Value value) {
        return show.execute(value).asString();
    }

    /// Bytes of the heap in use, garbage among them.
    static long held() {
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }

    /// Those in use before it was made.
    long heldBefore() {
        return heldBefore;
    }

    /// Throws `e` in the script, as an Error of JavaScript's.
    private UserError raised(UserError e) {
        raise.executeVoid(e.getMessage(), e.fix(), e);
        return e;
    }

    /// What a script threw and did not catch, if it is more than an Error of JavaScript's.
    ///
    /// @return a UserError that a word raised, or what to say of something that is no Error; null otherwise
    Object thrown(Value thrown) {
        if (thrown == null) return null;
        Value more = uncaught.execute(thrown);
        if (more.isHostObject()) return more.asHostObject();
        return more.isString() ? more.asString() : null;
    }

    @Override
    public void close() {
        context.close(true);
    }
}
