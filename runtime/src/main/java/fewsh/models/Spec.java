package fewsh.models;

import fewsh.UserError;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A model as a person names it: `model`, `model+adapter`, `model+adapter@0.7+other@0.3`.
///
/// @param model a name, folder or file, not looked up
public record Spec(String model, List<Scaled> adapters) {
    private static final Pattern SCALED = Pattern.compile("(?s)(.+)@(-?(?:\\d+\\.?\\d*|\\.\\d+)(?:[eE]-?\\d+)?)");

    public Spec {
        adapters = List.copyOf(adapters);
    }

    /// Splits at `+`, but for one that belongs to the name of a file that is there; a number behind the last `@` of an adapter is
    /// its scale, likewise.
    ///
    /// @throws UserError if a part is empty
    public static Spec parse(String text) {
        String model = first(text);
        List<Scaled> adapters = new ArrayList<>();
        for (int at = model.length(); at < text.length(); ) {
            String part = first(text.substring(at + 1));
            at += 1 + part.length();
            adapters.add(scaled(part, text));
        }
        if (model.isBlank()) throw new UserError("", "\"" + text + "\" names no model", "give MODEL or MODEL+ADAPTER[@SCALE]");
        return new Spec(model, adapters);
    }

    /// The longest beginning, up to a `+` or the end, that is there; else up to the first `+`.
    private static String first(String text) {
        for (int end = text.length(); end > 0; end = text.lastIndexOf('+', end - 1)) {
            String part = text.substring(0, end);
            Matcher scaled = SCALED.matcher(part);
            if (exists(part) || scaled.matches() && exists(scaled.group(1))) return part;
        }
        int plus = text.indexOf('+');
        return plus < 0 ? text : text.substring(0, plus);
    }

    private static Scaled scaled(String part, String text) {
        Matcher scaled = SCALED.matcher(part);
        boolean hasScale = !exists(part) && scaled.matches();
        String folder = hasScale ? scaled.group(1) : part;
        double scale = hasScale ? Double.parseDouble(scaled.group(2)) : 1;
        if (folder.isBlank()) throw new UserError("", "\"" + text + "\" names an empty adapter", "give MODEL+ADAPTER[@SCALE]");
        if (!Double.isFinite(scale)) throw new UserError("", "scale \"" + scaled.group(2) + "\" is too large", "");
        try {
            return new Scaled(Path.of(folder), scale);
        } catch (InvalidPathException e) {
            throw new UserError("", "\"" + folder + "\" is no path: " + e.getReason(), "give MODEL+ADAPTER[@SCALE]", e);
        }
    }

    private static boolean exists(String path) {
        try {
            return Files.exists(Path.of(path));
        } catch (InvalidPathException e) {
            return false;
        }
    }
}
