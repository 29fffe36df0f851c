package fewsh.script;

import fewsh.UserError;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.util.ArrayList;
import java.util.List;

/// What a script gave `chart` → a [Chart].
///
/// An array of numbers, of `[x, y]` or of `{x, y}` is a line; an object of such arrays is a line each; an object of numbers is
/// bars; with `kind: "histogram"` an array of numbers is counted.
final class Plot {
    private static final List<String> KINDS = List.of("line", "bar", "histogram");

    private Plot() {}

    static Chart of(Given given, Options options) {
        JsonElement data = given.at(0);
        String title = options.text("title", "");
        boolean numbers = data instanceof JsonObject o && o.asMap().values().stream().allMatch(Plot::isNumber);
        String kind = options.text("kind", numbers ? "bar" : "line");
        return switch (kind) {
            case "line" -> new Chart.Line(title, options.text("x", ""), options.text("y", ""), series(given, data));
            case "bar" -> bars(given, title, data);
            case "histogram" -> Chart.histogram(title, values(given, given.list(0)), options.whole("bins", 1, 200, 0));
            default -> throw given.error("unknown kind \"" + kind + "\"",
                    UserError.near(kind, KINDS, "kinds are " + String.join(", ", KINDS)));
        };
    }

    private static boolean isNumber(JsonElement value) {
        return value.isJsonNull() || value instanceof JsonPrimitive p && p.isNumber();
    }

    private static double number(Given given, JsonElement value) {
        if (!isNumber(value)) throw given.error(Given.shown(value) + " is no number",
                "chart([0.5, 0.6]), chart([[x, y]]), chart({a: 1})");
        return value.isJsonNull() ? Double.NaN : value.getAsDouble();
    }

    private static double[] values(Given given, List<JsonElement> list) {
        return list.stream().mapToDouble(value -> number(given, value)).toArray();
    }

    private static Chart bars(Given given, String title, JsonElement data) {
        List<String> labels = new ArrayList<>();
        List<JsonElement> values = new ArrayList<>();
        switch (data) {
            case JsonObject object -> object.asMap().forEach((label, value) -> {
                labels.add(label);
                values.add(value);
            });
            case JsonArray list -> {
                for (JsonElement element : list) {
                    boolean pair = element instanceof JsonArray p && p.size() == 2 && p.get(0) instanceof JsonPrimitive;
                    labels.add(pair ? element.getAsJsonArray().get(0).getAsString() : Integer.toString(labels.size()));
                    values.add(pair ? element.getAsJsonArray().get(1) : element);
                }
            }
            default -> throw given.wrong(0, "an array or an object");
        }
        return new Chart.Bars(title, labels, values(given, values));
    }

    private static List<Chart.Series> series(Given given, JsonElement data) {
        if (data instanceof JsonArray list) return List.of(series(given, "", list.asList()));
        if (!(data instanceof JsonObject object)) throw given.wrong(0, "an array or an object");
        List<Chart.Series> all = new ArrayList<>();
        object.asMap().forEach((name, points) -> {
            if (!(points instanceof JsonArray list))
                throw given.error("the points of \"" + name + "\" must be an array, were " + Given.shown(points), "");
            all.add(series(given, name, list.asList()));
        });
        return all;
    }

    private static Chart.Series series(Given given, String name, List<JsonElement> points) {
        double[] x = new double[points.size()];
        double[] y = new double[points.size()];
        for (int i = 0; i < x.length; i++)
            switch (points.get(i)) {
                case JsonArray pair when pair.size() == 2 -> {
                    x[i] = number(given, pair.get(0));
                    y[i] = number(given, pair.get(1));
                }
                case JsonObject point when point.has("x") && point.has("y") -> {
                    x[i] = number(given, point.get("x"));
                    y[i] = number(given, point.get("y"));
                }
                case JsonElement value -> {
                    x[i] = i;
                    y[i] = number(given, value);
                }
            }
        return new Chart.Series(name, x, y);
    }
}
