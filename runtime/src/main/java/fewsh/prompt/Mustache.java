package fewsh.prompt;

import com.github.jknack.handlebars.Context;
import com.github.jknack.handlebars.Decorator;
import com.github.jknack.handlebars.EscapingStrategy;
import com.github.jknack.handlebars.Formatter;
import com.github.jknack.handlebars.Handlebars;
import com.github.jknack.handlebars.HandlebarsException;
import com.github.jknack.handlebars.Helper;
import com.github.jknack.handlebars.Template;
import com.github.jknack.handlebars.ValueResolver;
import com.github.jknack.handlebars.cache.ConcurrentMapTemplateCache;
import com.github.jknack.handlebars.helper.DefaultHelperRegistry;
import com.github.jknack.handlebars.io.AbstractTemplateLoader;
import com.github.jknack.handlebars.io.StringTemplateSource;
import com.github.jknack.handlebars.io.TemplateSource;
import fewsh.UserError;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/// Mustache and Handlebars templates over maps and lists, as HandlebarsJs's libraries render them, without HTML escapes.
///
/// Templates are hostile: names lead to the keys of maps and items of lists only, the helpers are those given here and no
/// other, partials come from the caller, and what a rendering may do is bounded.
final class Mustache {
    /// Steps of one rendering: a helper's call, an item, eight characters of a value or a block.
    private static final long MOST_WORK = 1_000_000;
    /// Bringing a partial in costs as much as this many steps.
    private static final int PARTIAL = 400;
    private static final int LONGEST_TEMPLATE = 256 << 10;
    private static final int LONGEST_PATH = 24;
    private static final int LONGEST_TAG = 2_000;
    private static final int MOST_TAGS = 4_000;
    private static final int DEEPEST_TAGS = 100;
    private static final int DEEPEST_CALLS = 20;
    private static final ScopedValue<Work> WORK = ScopedValue.newInstance();

    private static final class Work {
        private final String nonce;
        private long left = MOST_WORK;

        Work(String nonce) {
            this.nonce = nonce;
        }

        void take(long steps) {
            left -= steps;
            if (left < 0) throw new TooMuch();
        }
    }

    private static final class TooMuch extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    private final String where;
    private final int line;
    private final Template template;

    private Mustache(String where, int line, Template template) {
        this.where = where;
        this.line = line;
        this.template = template;
    }

    /// A Mustache template. (Its sections go through the helpers too.)
    static Mustache of(String where, int line, String text) {
        return of(where, line, text, HandlebarsJs.HELPERS, _ -> null, true);
    }

    /// A Handlebars template.
    ///
    /// @param line     of the file on which it begins
    /// @param helpers  besides `if`, `unless`, `each`, `with` and `lookup`
    /// @param partials a partial's text by its name, null if there is none
    /// @throws UserError with its line if it cannot be parsed
    static Mustache handlebars(String where, int line, String text, Map<String, Helper<?>> helpers,
            UnaryOperator<String> partials) {
        Map<String, Helper<?>> all = new java.util.HashMap<>(HandlebarsJs.HELPERS);
        all.putAll(helpers);
        return of(where, line, text, all, partials, false);
    }

    private static Mustache of(String where, int line, String text, Map<String, Helper<?>> helpers,
            UnaryOperator<String> partials, boolean outerScopes) {
        Handlebars engine = new Handlebars(new Partials(partials)).with(new Only(helpers)).with(EscapingStrategy.NOOP)
                .with(new ConcurrentMapTemplateCache()).with((Formatter) (value, _) -> shown(value)).prettyPrint(true)
                .parentScopeResolution(outerScopes);
        try {
            return new Mustache(where, line, engine.compileInline(bounded(where, line, text)));
        } catch (HandlebarsException e) {
            throw failure(where, line, e);
        } catch (StackOverflowError e) {
            throw tooMuch(where);
        } catch (IOException | IllegalArgumentException e) {                  // the library's parser throws the latter for {{^}}
            throw new UserError(where, "the template cannot be read: " + shortened(e.getMessage()), "", e);
        }
    }

    /// @param data  what `{{@name}}` stands for
    /// @param nonce what [#nonce] gives the helpers
    /// @throws UserError if the template does too much, or calls what there is not
    String render(Map<String, Object> inputs, Map<String, Object> data, String nonce) {
        Context context = Context.newBuilder(inputs).resolver(Plain.VALUES).build();
        context.data(data);
        try {
            return ScopedValue.where(WORK, new Work(nonce)).call(() -> template.apply(context));
        } catch (HandlebarsException e) {
            for (Throwable cause = e; cause != null; cause = cause.getCause()) {
                if (cause instanceof TooMuch || cause instanceof StackOverflowError) throw tooMuch(where);
                if (cause instanceof UserError error) throw error;
            }
            throw failure(where, line, e);
        } catch (TooMuch | StackOverflowError e) {
            throw tooMuch(where);
        } catch (IOException e) {
            throw new UserError(where, "the template fails: " + e.getMessage(), "", e);
        }
    }

    /// The number used once of the rendering that is going on.
    static String nonce() {
        return WORK.get().nonce;
    }

    static void work(long steps) {
        WORK.get().take(steps);
    }

    /// Pays for a text that has been made.
    static CharSequence paid(CharSequence text) {
        work(1 + text.length() / 8);
        return text;
    }

    private static Object shown(Object value) {
        return paid(HandlebarsJs.text(value));
    }

    private static UserError tooMuch(String where) {
        return new UserError(where, "the template does too much, or calls itself for ever", "make its loops smaller");
    }

    /// `text` as the library takes it, if that will not take long.
    private static String bounded(String where, int line, String text) {
        if (text.length() > LONGEST_TEMPLATE)
            throw new UserError(where, "the template has " + text.length() + " characters, it may have " + LONGEST_TEMPLATE, "");
        String adapted = HandlebarsJs.adapted(text);
        int tags = 0;
        int depth = 0;
        for (int at = adapted.indexOf("{{"); at >= 0; at = adapted.indexOf("{{", at + 2)) {
            int end = adapted.indexOf("}}", at);
            String tag = adapted.substring(at, end < 0 ? Math.min(adapted.length(), at + LONGEST_TAG + 1) : end);
            String name = tag.replaceFirst("^\\{\\{+[~\\s]*+", "");
            if (name.startsWith("#") || name.startsWith("^") && name.length() > 1) depth++;
            if (name.startsWith("/")) depth = Math.max(0, depth - 1);
            String what = ++tags > MOST_TAGS ? "there are more than " + MOST_TAGS + " tags"
                    : tag.length() > LONGEST_TAG && !name.startsWith("!") ? "a tag is longer than " + LONGEST_TAG + " characters"
                    : !name.startsWith("!") && steps(tag) > LONGEST_PATH ? "a path has more than " + LONGEST_PATH + " steps"
                    : depth > DEEPEST_TAGS ? "blocks are nested deeper than " + DEEPEST_TAGS
                    : tag.chars().filter(c -> c == '(').count() > DEEPEST_CALLS ? "calls are nested deeper than " + DEEPEST_CALLS
                    : "";
            if (!what.isEmpty()) {
                String before = adapted.substring(0, at);
                throw new UserError(where + ":" + (line + before.chars().filter(c -> c == '\n').count()), what,
                        "the template is too big");
            }
            if (end < 0) break;
        }
        return adapted;
    }

    /// Most steps of a path or a name in a tag, texts apart: the library's lexer takes time that grows with their square and more.
    private static long steps(String tag) {
        long most = 0;
        for (String word : tag.replaceAll("\"[^\"]*+\"|'[^']*+'", " ").split("\\s+"))
            most = Math.max(most, word.chars().filter(c -> c == '.' || c == '/' || c == '-').count());
        return most;
    }

    private static UserError failure(String where, int firstLine, HandlebarsException e) {
        var error = e.getError();
        Throwable root = e;
        while (root.getCause() != null) root = root.getCause();
        if (error == null) return new UserError(where, "the template fails: " + shortened(root.getMessage()), "", e);
        boolean own = error.filename == null || error.filename.startsWith("inline@");
        String place = own ? where + ":" + (firstLine + error.line - 1) : where + ": partial \"" + error.filename + "\":"
                + error.line;
        String reason = shortened(error.reason);
        return new UserError(place, "the template fails: " + reason + " (column " + (error.column + 1) + ")", "", e);
    }

    private static String shortened(String message) {
        String line = String.valueOf(message).lines().findFirst().orElse("");
        return line.length() <= 200 ? line : line.substring(0, 200) + "…";
    }

    /// The helpers that there are, and none of the library's own.
    private static final class Only extends DefaultHelperRegistry {
        private final Map<String, Helper<?>> helpers;

        Only(Map<String, Helper<?>> helpers) {
            this.helpers = Map.copyOf(helpers);
        }

        @Override
        @SuppressWarnings("unchecked") // a helper takes whatever the template gives it
        public <C> Helper<C> helper(String name) {
            return helpers == null ? null : (Helper<C>) helpers.get(name);
        }

        @Override
        public Decorator decorator(String name) {
            return "inline".equals(name) ? super.decorator(name) : null;
        }
    }

    /// Partials by their names, from the caller.
    private static final class Partials extends AbstractTemplateLoader {
        private final UnaryOperator<String> texts;

        Partials(UnaryOperator<String> texts) {
            this.texts = texts;
        }

        @Override
        public TemplateSource sourceAt(String name) throws IOException {
            String text = texts.apply(name);
            if (text == null) throw new FileNotFoundException(name);
            if (WORK.isBound()) work(PARTIAL + text.length() / 8);
            return new StringTemplateSource(name, bounded("partial " + name, 1, text));
        }

        @Override
        public String resolve(String name) {
            return name;
        }
    }

    /// Keys of maps, items of lists, `length`: nothing that leads to a Java object.
    private enum Plain implements ValueResolver {
        VALUES;

        @Override
        public Object resolve(Object context, String name) {
            return switch (context) {
                case Map<?, ?> map when map.get(name) instanceof Object value -> value;
                case List<?> list when name.matches("\\d{1,8}") && Integer.parseInt(name) < list.size()
                        && list.get(Integer.parseInt(name)) instanceof Object value -> value;
                case Collection<?> items when name.equals("length") -> items.size();
                case String text when name.equals("length") -> text.length();
                case null, default -> UNRESOLVED;
            };
        }

        @Override
        public Object resolve(Object context) {
            return context instanceof Map || context instanceof Collection ? context : UNRESOLVED;
        }

        @Override
        public Set<Map.Entry<String, Object>> propertySet(Object context) {
            if (!(context instanceof Map<?, ?> map)) return Set.of();
            return map.entrySet().stream().filter(e -> e.getValue() != null)
                    .map(e -> Map.entry(String.valueOf(e.getKey()), (Object) e.getValue())).collect(Collectors.toSet());
        }
    }
}
