package fewsh.prompt;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// What an answer must look like; decoding allows nothing else.
public sealed interface Format {
    /// Anything.
    record Free() implements Format {}

    /// JSON that this schema accepts; an empty schema accepts any JSON object.
    record Json(Map<String, Object> schema) implements Format {
        public Json {
            schema = Collections.unmodifiableMap(new LinkedHashMap<>(schema));
        }
    }

    /// What this regular expression matches as a whole.
    record Regex(String pattern) implements Format {}

    /// One of these texts.
    record Options(List<String> options) implements Format {
        public Options {
            options = List.copyOf(options);
        }
    }
}
