package fewsh.jinja;

import fewsh.jinja.TemplateError.Kind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// What every template can call: `range`, `dict`, `namespace`, `cycler`, `joiner`, `lipsum`, and chat templates'
/// `raise_exception` and `strftime_now`.
final class Globals {
    private static final int SANDBOX_RANGE = 100_000;
    private static final String[] LOREM = ("a ac accumsan ad adipiscing aenean aliquam aliquet amet ante aptent arcu at "
            + "auctor augue bibendum blandit class commodo condimentum congue consectetuer consequat conubia convallis cras "
            + "cubilia cum curabitur curae cursus dapibus diam dictum dignissim dis dolor donec dui duis egestas eget "
            + "eleifend elementum elit enim erat eros est et etiam eu euismod facilisi facilisis fames faucibus felis "
            + "fermentum feugiat fringilla fusce gravida habitant hac hendrerit hymenaeos iaculis id imperdiet in inceptos "
            + "integer interdum ipsum justo lacinia lacus laoreet lectus leo libero ligula litora lobortis lorem luctus "
            + "maecenas magna mattis mauris metus mi molestie mollis montes morbi mus nam nec neque nibh nisi nisl non "
            + "nonummy nostra nulla nullam nunc odio orci ornare parturient pede pellentesque penatibus per pharetra "
            + "phasellus placerat platea porta porttitor posuere potenti praesent pretium primis proin pulvinar purus quam "
            + "quis quisque rhoncus ridiculus risus rutrum sagittis sapien scelerisque sed sem semper senectus sit sociis "
            + "sociosqu sodales sollicitudin suscipit suspendisse taciti tellus tempor tempus tincidunt torquent tortor "
            + "tristique turpis ullamcorper ultrices ultricies urna ut varius vehicula vel velit venenatis vestibulum vitae "
            + "vivamus viverra volutpat vulputate").split(" ");

    static final Value.Function DICT = new Value.Function("type", "<class 'dict'>", Methods::make);

    private Globals() {}

    static Map<String, Value> of(Environment environment) {
        Map<String, Value> globals = new LinkedHashMap<>();
        String range = environment.sandboxed() ? "<function safe_range>" : "<class 'range'>";
        add(globals, "range", environment.sandboxed() ? "function" : "type", range, Globals::range);
        globals.put("dict", DICT);
        add(globals, "lipsum", "function", "<function generate_lorem_ipsum>", Globals::lipsum);
        add(globals, "cycler", "type", "<class 'jinja2.utils.Cycler'>", (_, args) -> {
            if (args.only("cycler", 0, Integer.MAX_VALUE).count() == 0)
                throw new TemplateError(Kind.PYTHON_RUNTIME, "at least one item has to be provided");
            return new Value.Cycler(args.positional());
        });
        add(globals, "joiner", "type", "<class 'jinja2.utils.Joiner'>", (_, args) -> {
            Value separator = args.bind("Joiner", "sep?")[0];
            return new Value.Joiner(separator == null ? ", " : Python.str(separator));
        });
        add(globals, "namespace", "type", "<class 'jinja2.utils.Namespace'>", (run, args) -> {
            Value.Namespace namespace = new Value.Namespace();
            for (Map.Entry<Value, Value> entry : Methods.make(run, args).entries())
                namespace.attributes.put(entry.getKey(), entry.getValue());
            return namespace;
        });
        if (environment.chatTags()) {
            add(globals, "raise_exception", "function", "<function raise_exception>", (_, args) -> {
                throw new TemplateError(Kind.TEMPLATE, Python.str(args.bind("raise_exception", "message")[0]));
            });
            add(globals, "strftime_now", "function", "<function strftime_now>", (run, args) -> {
                String format = Strings.string(args.bind("strftime_now", "format")[0]);
                run.text(format.length() * 8L);
                return run.str(Strftime.format(environment.clock().get(), format));
            });
        }
        return globals;
    }

    private static void add(Map<String, Value> globals, String name, String type, String shown, Value.Function.Body body) {
        globals.put(name, new Value.Function(type, shown, body));
    }

    private static Value range(Run run, Args args) {
        args.only("range", 1, 3);
        long[] parts = new long[args.count()];
        for (int i = 0; i < parts.length; i++) {
            parts[i] = Python.index(args.at(i));
            if (Math.abs(parts[i]) > Long.MAX_VALUE / 8)
                throw new TemplateError(Kind.OVERFLOW, "Python int too large to convert to C ssize_t");
        }
        Value.Range range = switch (parts.length) {
            case 1 -> new Value.Range(0, parts[0], 1);
            case 2 -> new Value.Range(parts[0], parts[1], 1);
            default -> new Value.Range(parts[0], parts[1], parts[2] == 0 ? 1 : parts[2]);
        };
        if (parts.length == 3 && parts[2] == 0) throw TemplateError.value("range() arg 3 must not be zero");
        if (run.environment.sandboxed() && range.length() > SANDBOX_RANGE)
            throw new TemplateError(Kind.OVERFLOW,
                    "Range too big. The sandbox blocks ranges larger than MAX_RANGE (" + SANDBOX_RANGE + ").");
        return range;
    }

    private static Value lipsum(Run run, Args args) {
        Value[] a = args.bind("generate_lorem_ipsum", "n? html? min? max?");
        long paragraphs = a[0] == null ? 5 : Python.index(a[0]);
        boolean html = a[1] == null || Python.truth(a[1]);
        long least = a[2] == null ? 20 : Python.index(a[2]);
        long most = a[3] == null ? 100 : Python.index(a[3]);
        if (least < 0 || most <= least) throw TemplateError.value("empty range for randrange()");
        List<String> out = new ArrayList<>();
        for (long p = 0; p < paragraphs; p++) {
            long words = run.random.nextLong(least, most);
            StringBuilder text = new StringBuilder();
            for (long w = 0; w < words; w++) {
                run.work(2);
                String word = LOREM[run.random.nextInt(LOREM.length)];
                text.append(w == 0 ? Strings.capitalize(word) : " " + word);
            }
            text.append('.');
            out.add(html ? "<p>" + text + "</p>" : text.toString());
        }
        return new Value.Str(String.join(html ? "\n" : "\n\n", out), html);
    }
}
