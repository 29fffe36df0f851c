package fewsh.store;

import fewsh.UserError;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/// What a model and its files may be called, on every system: a name from a server or a user becomes a path only through here.
final class Names {
    private static final Pattern MODEL = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,199}");
    private static final Pattern RESERVED = Pattern.compile("(?i)(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\\..*)?");
    private static final Pattern SEGMENT = Pattern.compile("[^\\p{Cntrl}\\\\/:*?\"<>|]{1,200}");

    private Names() {}

    static boolean isModel(String name) {
        return MODEL.matcher(name).matches() && !name.endsWith(".") && !RESERVED.matcher(name).matches();
    }

    /// `name` itself.
    ///
    /// @throws UserError if it could leave the models folder or is no file name on some system
    static String model(String name) {
        if (isModel(name)) return name;
        throw new UserError("", "\"" + printable(name) + "\" is not a model name",
                "a name is letters, digits, \".\", \"_\" and \"-\", at most 200, and not a device name of Windows");
    }

    /// Whether `path`, from a listing or an archive, is a relative path that stays inside the folder it is resolved against.
    static boolean isMember(String path) {
        if (path.length() > 400) return false;
        for (String segment : path.split("/", -1))
            if (!SEGMENT.matcher(segment).matches() || segment.matches("\\.+") || segment.endsWith(".") || segment.endsWith(" ")
                    || segment.startsWith(" ") || RESERVED.matcher(segment).matches())
                return false;
        return !path.endsWith(".part") && !path.endsWith(".part.json") && !path.equals(Manifest.FILE);
    }

    /// A model name made of `parts`, joined by `--`; other characters become `-`.
    static String derived(String... parts) {
        String joined = String.join("--", parts).replaceAll("[^A-Za-z0-9._-]", "-").replaceAll("^[^A-Za-z0-9]+|[.-]+$", "");
        if (joined.length() > 200) joined = joined.substring(0, 200).replaceAll("[.-]+$", "");
        return isModel(joined) ? joined : "model-" + joined;
    }

    /// The last segment of `path`, without its extension.
    static String stem(String path) {
        String last = path.substring(path.lastIndexOf('/') + 1);
        int dot = last.lastIndexOf('.');
        return dot > 0 ? last.substring(0, dot) : last;
    }

    /// Those of `known` that `name` may have meant, nearest first, at most three.
    static List<String> near(String name, Collection<String> known) {
        String wanted = name.toLowerCase(Locale.ROOT);
        record Candidate(String name, int distance) {}
        return known.stream()
                .map(other -> new Candidate(other, distance(wanted, other.toLowerCase(Locale.ROOT))))
                .filter(c -> c.distance <= allowed(Math.min(wanted.length(), c.name.length())))
                .sorted((a, b) -> a.distance != b.distance ? a.distance - b.distance : a.name.compareTo(b.name))
                .limit(3)
                .map(Candidate::name)
                .toList();
    }

    /// Edits that leave a name of `length` recognisable.
    private static int allowed(int length) {
        return Math.min(Math.max(2, length / 3), length - 1);
    }

    /// Edits between two short strings; 1 when one contains the other and the shorter says something.
    private static int distance(String a, String b) {
        if (a.length() > 200) return Integer.MAX_VALUE;
        if (!a.equals(b) && Math.min(a.length(), b.length()) >= 4 && (a.contains(b) || b.contains(a))) return 1;
        int[] previous = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) previous[j] = j;
        for (int i = 1; i <= a.length(); i++) {
            int[] row = new int[b.length() + 1];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++)
                row[j] = Math.min(Math.min(row[j - 1], previous[j]) + 1,
                        previous[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1));
            previous = row;
        }
        return previous[b.length()];
    }

    /// For a message: without control characters, which a terminal would obey, and not too long.
    static String printable(String text) {
        String some = text.length() > 120 ? text.substring(0, 120) + "…" : text;
        return some.replaceAll("\\p{Cntrl}", "?");
    }
}
