package fewsh.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Text for HTML: escaping, tags stripped, links marked. Sources: markupsafe, `jinja2/utils.py`.
final class Html {
    private static final String TLD = "com|net|int|edu|gov|org|info|mil";
    private static final Pattern HTTP = Pattern.compile("^((https?://|www\\.)(([\\w%-]+\\.)+)?([a-z]{2,63}|xn--[\\w%]{2,59})"
            + "|([\\w%-]{2,63}\\.)+(" + TLD + ")|(https?://)((([\\d]{1,3})(\\.[\\d]{1,3}){3})"
            + "|(\\[([\\da-f]{0,4}:){2}([\\da-f]{0,4}:?){1,6}\\])))(?::[\\d]{1,5})?(?:[/?#]\\S*)?$",
            Pattern.CASE_INSENSITIVE | Pattern.UNICODE_CASE | Pattern.UNICODE_CHARACTER_CLASS);
    private static final Pattern EMAIL = Pattern.compile("^\\S+@\\w[\\w.-]*\\.\\w+$", Pattern.UNICODE_CHARACTER_CLASS);
    private static final Pattern ENTITY = Pattern.compile("&(#[0-9]{1,9}|#[xX][0-9a-fA-F]{1,8}|[a-zA-Z][a-zA-Z0-9]{1,15});?");
    private static final Map<String, String> ENTITIES = Map.ofEntries(Map.entry("amp", "&"), Map.entry("lt", "<"),
            Map.entry("gt", ">"), Map.entry("quot", "\""), Map.entry("apos", "'"), Map.entry("nbsp", "\u00a0"),
            Map.entry("copy", "©"), Map.entry("reg", "®"), Map.entry("trade", "™"), Map.entry("hellip", "…"),
            Map.entry("mdash", "—"), Map.entry("ndash", "–"), Map.entry("lsquo", "‘"), Map.entry("rsquo", "’"),
            Map.entry("ldquo", "“"), Map.entry("rdquo", "”"), Map.entry("laquo", "«"), Map.entry("raquo", "»"),
            Map.entry("bull", "•"), Map.entry("middot", "·"), Map.entry("times", "×"), Map.entry("divide", "÷"),
            Map.entry("deg", "°"), Map.entry("euro", "€"), Map.entry("pound", "£"), Map.entry("yen", "¥"),
            Map.entry("cent", "¢"), Map.entry("sect", "§"), Map.entry("para", "¶"), Map.entry("auml", "ä"),
            Map.entry("ouml", "ö"), Map.entry("uuml", "ü"), Map.entry("Auml", "Ä"), Map.entry("Ouml", "Ö"),
            Map.entry("Uuml", "Ü"), Map.entry("szlig", "ß"), Map.entry("eacute", "é"), Map.entry("egrave", "è"),
            Map.entry("ecirc", "ê"), Map.entry("agrave", "à"), Map.entry("aacute", "á"), Map.entry("acirc", "â"),
            Map.entry("ccedil", "ç"), Map.entry("ntilde", "ñ"), Map.entry("iacute", "í"), Map.entry("oacute", "ó"),
            Map.entry("uacute", "ú"), Map.entry("larr", "←"), Map.entry("rarr", "→"), Map.entry("uarr", "↑"),
            Map.entry("darr", "↓"), Map.entry("le", "≤"), Map.entry("ge", "≥"), Map.entry("ne", "≠"));
    // The entities that HTML also reads without a semicolon.
    private static final java.util.Set<String> BARE = java.util.Set.of("amp", "lt", "gt", "quot", "nbsp", "copy", "reg", "laquo",
            "raquo", "middot", "times", "divide", "deg", "pound", "yen", "cent", "sect", "para", "auml", "ouml", "uuml", "Auml",
            "Ouml", "Uuml", "szlig", "eacute", "egrave", "ecirc", "agrave", "aacute", "acirc", "ccedil", "ntilde", "iacute",
            "oacute", "uacute");

    private Html() {}

    /// The value as text, escaped unless it counts as escaped already.
    static String escape(Value value) {
        String text = Python.str(value);
        return value instanceof Value.Str s && s.safe() ? text : escape(text);
    }

    static String escape(String text) {
        return text.replace("&", "&amp;").replace(">", "&gt;").replace("<", "&lt;").replace("'", "&#39;").replace("\"", "&#34;");
    }

    static String stripTags(String text) {
        StringBuilder out = new StringBuilder();
        int pos = 0;
        for (int start = text.indexOf('<'); start >= 0; start = text.indexOf('<', pos)) {
            boolean comment = text.startsWith("<!--", start);
            int end = comment ? text.indexOf("-->", start + 4) : text.indexOf('>', start);
            if (end < 0) break;
            out.append(text, pos, start);
            pos = end + (comment ? 3 : 1);
        }
        out.append(text, pos, text.length());
        return unescape(String.join(" ", Strings.split(out.toString(), null, -1)));
    }

    /// Numeric references and the named ones in common use.
    static String unescape(String text) {
        return ENTITY.matcher(text).replaceAll(match -> Matcher.quoteReplacement(entity(match.group(), match.group(1))));
    }

    private static String entity(String whole, String name) {
        if (!name.startsWith("#")) {
            boolean closed = whole.endsWith(";");
            if (!closed && !BARE.contains(name)) return whole;
            return ENTITIES.getOrDefault(name, whole);
        }
        long code = name.startsWith("#x") || name.startsWith("#X") ? Long.parseLong(name.substring(2), 16)
                : Long.parseLong(name.substring(1));
        if (code == 0 || code >= 0xd800 && code <= 0xdfff || code > Character.MAX_CODE_POINT) return "\ufffd";
        return Character.toString((int) code);
    }

    static String attributes(Run run, Value value, boolean autospace) {
        if (value instanceof Value.Undefined u) throw u.failure();
        if (!(value instanceof Value.Dict dict)) throw TemplateError.lacks(value, "items");
        List<String> items = new ArrayList<>();
        for (Map.Entry<Value, Value> entry : dict.entries()) {
            if (entry.getValue() instanceof Value.None || entry.getValue() instanceof Value.Undefined) continue;
            String key = Strings.string(entry.getKey());
            if (Pattern.compile("[\\s/>=]").matcher(key).find())
                throw TemplateError.value("Invalid character in attribute name: " + Python.quote(key));
            String item = escape(entry.getKey()) + "=\"" + escape(entry.getValue()) + "\"";
            run.text(item.length());
            items.add(item);
        }
        String joined = String.join(" ", items);
        return autospace && !joined.isEmpty() ? " " + joined : joined;
    }

    /// URLs and mail addresses as links.
    ///
    /// @param limit characters shown of a URL, all if negative
    static String links(Run run, Value value, long limit, String rel, String target, List<String> schemes) {
        StringBuilder out = new StringBuilder();
        String relAttribute = rel.isEmpty() ? "" : " rel=\"" + escape(rel) + "\"";
        String attributes = relAttribute + (target == null || target.isEmpty() ? "" : " target=\"" + escape(target) + "\"");
        String text = escape(value);
        run.text(text.length());
        for (int i = 0; i < text.length(); ) {
            int end = i;
            boolean space = CodePoints.isSpace(text.charAt(i));
            while (end < text.length() && CodePoints.isSpace(text.charAt(end)) == space) end++;
            out.append(space ? text.substring(i, end) : word(run, text.substring(i, end), limit, attributes, schemes));
            i = end;
        }
        return out.toString();
    }

    private static String word(Run run, String word, long limit, String attributes, List<String> schemes) {
        Matcher opening = Pattern.compile("^([(<]|&lt;)+").matcher(word);
        String head = opening.find() ? opening.group() : "";
        String middle = word.substring(head.length());
        String tail = "";
        if (middle.matches("(?s).*([)>.,\\n]|&gt;)")) {
            Matcher closing = Pattern.compile("([)>.,\\n]|&gt;)+$").matcher(middle);
            if (closing.find()) {
                tail = closing.group();
                middle = middle.substring(0, closing.start());
            }
        }
        for (String[] pair : new String[][] {{"(", ")"}, {"<", ">"}, {"&lt;", "&gt;"}}) {
            int open = count(middle, pair[0]);
            if (open <= count(middle, pair[1])) continue;
            for (int n = Math.min(open, count(tail, pair[1])); n > 0; n--) {
                int at = tail.indexOf(pair[1]) + pair[1].length();
                middle += tail.substring(0, at);
                tail = tail.substring(at);
            }
        }
        CharSequence counted = new Regex.Counted(run, middle);
        if (HTTP.matcher(counted).find()) {
            String url = middle.startsWith("https://") || middle.startsWith("http://") ? middle : "https://" + middle;
            boolean tooLong = limit >= 0 && CodePoints.length(middle) > limit;
            String shown = tooLong ? CodePoints.sub(middle, 0, (int) limit) + "..." : middle;
            middle = "<a href=\"" + url + "\"" + attributes + ">" + shown + "</a>";
        } else if (middle.startsWith("mailto:") && EMAIL.matcher(middle.substring(7)).find()) {
            middle = "<a href=\"" + middle + "\">" + middle.substring(7) + "</a>";
        } else if (middle.contains("@") && !middle.startsWith("www.") && !middle.startsWith("@") && !middle.contains(":")
                && EMAIL.matcher(counted).find()) {
            middle = "<a href=\"mailto:" + middle + "\">" + middle + "</a>";
        } else {
            for (String scheme : schemes)
                if (!middle.equals(scheme) && middle.startsWith(scheme))
                    middle = "<a href=\"" + middle + "\"" + attributes + ">" + middle + "</a>";
        }
        return head + middle + tail;
    }

    private static int count(String text, String part) {
        return Strings.split(text, part, -1).size() - 1;
    }

    /// `rel` of a link: its words, `noopener` and, if asked for, `nofollow`, sorted.
    static String rel(String given, boolean nofollow) {
        TreeSet<String> words = new TreeSet<>(Strings.split(given, null, -1));
        if (nofollow) words.add("nofollow");
        words.add("noopener");
        return String.join(" ", words);
    }
}
