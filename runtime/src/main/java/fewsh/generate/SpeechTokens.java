package fewsh.generate;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonPrimitive;
import fewsh.UserError;
import fewsh.models.Checkpoint;
import fewsh.models.Settings;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SequencedMap;

/// The tokens that tell a speech model what to do, as `generation_config.json` names them.
///
/// @param languages ids by token, `<|en|>`; empty for a model that knows one language
/// @param tasks ids of `transcribe` and `translate`
/// @param forced what older folders put behind the start: −1 where the model is to find the language out
/// @param noTimestamps says that no times are wanted; the ids behind it are the times
/// @param timestamps whether times are wanted where nobody says
/// @param maxLength most tokens with those that tell what to do; 0 where nothing is said
/// @param maxNewTokens most tokens without; 0 where nothing is said
/// Source: `generation_whisper.py` of Hugging Face's transformers.
record SpeechTokens(
        String where, SequencedMap<String, Integer> languages, Map<String, Integer> tasks, List<Integer> forced,
        OptionalInt noTimestamps, Optional<String> language, Optional<String> task, boolean timestamps, OptionalInt mostInitial,
        int maxLength, int maxNewTokens, GenerationConfig rules) {
    /// @throws UserError for a setting that is not implemented, or wrong
    static SpeechTokens of(Checkpoint checkpoint, int vocabSize) {
        Settings model = checkpoint.settings();
        boolean own = Files.exists(checkpoint.path().resolve("generation_config.json"));
        Settings s = own ? checkpoint.json("generation_config.json") : model;
        s.only("condition_on_prev_tokens", false);
        s.only("num_beams", 1);
        if (s.has("no_speech_threshold"))
            throw new UserError(s.where(), "\"no_speech_threshold\" is not supported", "leave it out");
        boolean multilingual = s.flag("is_multilingual", true);
        return new SpeechTokens(s.where(),
                multilingual ? ids(s, "lang_to_id", vocabSize) : new LinkedHashMap<>(),
                multilingual ? ids(s, "task_to_id", vocabSize) : Map.of(),
                forced(s.has("forced_decoder_ids") ? s : model, vocabSize),
                id(s, "no_timestamps_token_id", vocabSize), word(s, "language"), word(s, "task"),
                s.flag("return_timestamps", false), id(s, "max_initial_timestamp_index", vocabSize),
                s.has("max_length") ? s.size("max_length") : 0, s.has("max_new_tokens") ? s.size("max_new_tokens") : 0,
                GenerationConfig.of(checkpoint.path(), model));
    }

    private static Optional<String> word(Settings s, String key) {
        return s.has(key) ? Optional.of(s.text(key, "")) : Optional.empty();
    }

    private static OptionalInt id(Settings s, String key, int vocabSize) {
        return s.has(key) ? OptionalInt.of(id(s, key, vocabSize, s.json().get(key))) : OptionalInt.empty();
    }

    private static SequencedMap<String, Integer> ids(Settings s, String key, int vocabSize) {
        SequencedMap<String, Integer> ids = new LinkedHashMap<>();
        s.object(key).json().entrySet().forEach(e -> ids.put(e.getKey(), id(s, key, vocabSize, e.getValue())));
        return ids;
    }

    private static int id(Settings s, String key, int vocabSize, JsonElement value) {
        if (value instanceof JsonPrimitive p && p.isNumber() && p.getAsString().matches("[0-9]{1,9}") && p.getAsInt() < vocabSize)
            return p.getAsInt();
        throw new UserError(s.where(), "\"" + key + "\" must be below the vocabulary's " + vocabSize + ", was " + value,
                "fetch the file again");
    }

    /// Pairs of a place, from 1 on, and an id or null.
    private static List<Integer> forced(Settings s, int vocabSize) {
        List<Integer> forced = new ArrayList<>();
        if (!s.has("forced_decoder_ids")) return forced;
        JsonElement all = s.json().get("forced_decoder_ids");
        for (JsonElement each : all instanceof JsonArray list ? list.asList() : List.of(all)) {
            boolean pair = each instanceof JsonArray both && both.size() == 2 && both.get(0) instanceof JsonPrimitive place
                    && place.isNumber() && place.getAsDouble() == forced.size() + 1;
            if (!pair)
                throw new UserError(s.where(), "\"forced_decoder_ids\" must be pairs of a place, from 1 on, and a token id, was "
                        + all, "fetch the file again");
            JsonElement id = each.getAsJsonArray().get(1);
            forced.add(id.isJsonNull() ? -1 : id(s, "forced_decoder_ids", vocabSize, id));
        }
        return forced;
    }

    /// The times that the model knows; empty where it knows none.
    Optional<Timestamps> times(int vocabSize) {
        if (noTimestamps.isEmpty() || noTimestamps.getAsInt() + 1 >= vocabSize || rules.eos().isEmpty()) return Optional.empty();
        return Optional.of(new Timestamps(noTimestamps.getAsInt() + 1, rules.eos().getFirst(), mostInitial));
    }

    /// The token of the language that `config` or the files name; empty if the model is to find it out, or knows but one.
    ///
    /// @throws UserError if it is none of the model's
    Optional<String> language(TranscriptionConfig config) {
        if (languages.isEmpty()) {
            if (config.language().isPresent())
                throw new UserError("language", "this model knows one language only", "leave it out");
            return Optional.empty();
        }
        Optional<String> said = config.language().isPresent() ? config.language() : language;
        if (said.isPresent()) return Optional.of(token(said.get()));
        return forced.isEmpty() || saysMore(config) ? Optional.empty() : named(languages, forced.subList(0, 1));
    }

    /// Whether anything newer than `forced` is said, which then does not count.
    private boolean saysMore(TranscriptionConfig config) {
        return config.language().isPresent() || config.task().isPresent() || language.isPresent() || task.isPresent();
    }

    /// The first name whose id is among `ids`.
    private static Optional<String> named(Map<String, Integer> names, List<Integer> ids) {
        return names.entrySet().stream().filter(e -> ids.contains(e.getValue())).map(Map.Entry::getKey).findFirst();
    }

    /// `en`, `English` or `<|en|>` as `<|en|>`.
    private String token(String language) {
        String lower = language.toLowerCase(Locale.ROOT).strip();
        for (String token : languages.keySet())
            if (lower.equals(token) || lower.equals(code(token))
                    || lower.equals(Locale.of(code(token)).getDisplayLanguage(Locale.ENGLISH).toLowerCase(Locale.ROOT)))
                return token;
        List<String> codes = languages.keySet().stream().map(SpeechTokens::code).sorted().toList();
        throw new UserError("language", "this model does not know \"" + language + "\"", UserError.near(lower, codes,
                "it knows: " + String.join(", ", codes)));
    }

    /// `<|en|>` as `en`.
    static String code(String token) {
        return token.replaceAll("^<\\|(.*)\\|>$", "$1");
    }

    /// What the decoder is given before it speaks.
    ///
    /// @param spoken the language; empty for a model that knows but one
    /// @param timed whether times are wanted
    int[] prompt(TranscriptionConfig config, Optional<String> spoken, boolean timed) {
        List<Integer> ids = new ArrayList<>(List.of(rules.decoderStart()));
        if (spoken.isPresent()) {
            ids.add(languages.get(spoken.get()));
            taskId(config).ifPresent(ids::add);
        } else {
            if (config.task().orElse(TranscriptionConfig.Task.TRANSCRIBE) == TranscriptionConfig.Task.TRANSLATE)
                throw new UserError("task", "this model does not translate", "leave it out");
            forced.stream().filter(id -> id >= 0 && id != noTimestamps.orElse(-1)).forEach(ids::add);
        }
        if (!timed && noTimestamps.isPresent()) ids.add(noTimestamps.getAsInt());
        return ids.stream().mapToInt(id -> id).toArray();
    }

    private Optional<Integer> taskId(TranscriptionConfig config) {
        String word = config.task().map(TranscriptionConfig.Task::word).or(() -> task)
                .or(() -> named(tasks, saysMore(config) ? List.of() : forced)).orElse("transcribe");
        if (tasks.isEmpty() && word.equals("transcribe")) return Optional.empty();
        if (!tasks.containsKey(word))
            throw new UserError(where, "task \"" + word + "\" is not in task_to_id",
                    tasks.isEmpty() ? "" : "known: " + String.join(", ", tasks.keySet()));
        return Optional.of(tasks.get(word));
    }
}
