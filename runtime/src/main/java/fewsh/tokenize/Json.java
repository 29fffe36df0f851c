package fewsh.tokenize;

/// Writes the text of a `tokenizer.json`, in one pass: a vocabulary is big and the first answer waits for it.
final class Json {
    private final StringBuilder out;

    Json(int capacity) {
        out = new StringBuilder(capacity);
    }

    /// Appends JSON as it stands.
    Json raw(String json) {
        out.append(json);
        return this;
    }

    Json number(long value) {
        out.append(value);
        return this;
    }

    /// Appends a string, quoted and escaped.
    Json string(String text) {
        out.append('"');
        int done = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c >= ' ' && c != '"' && c != '\\') continue;
            out.append(text, done, i);
            if (c < ' ') out.append(String.format("\\u%04x", (int) c));
            else out.append('\\').append(c);
            done = i + 1;
        }
        if (done == 0) out.append(text);
        else out.append(text, done, text.length());
        out.append('"');
        return this;
    }

    @Override
    public String toString() {
        return out.toString();
    }
}
