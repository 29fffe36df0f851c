package fewsh.generate;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonPrimitive;
import fewsh.UserError;
import fewsh.models.Settings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/// How an encoder–decoder model chooses what it says, under the names of `generation_config.json`.
///
/// With one beam a token is the likeliest, or drawn as `sampling` says; with several the `numBeams` likeliest texts so far are
/// continued, and the best whole one is the answer. Scores of a whole text are ln p divided by its length to the power of
/// `lengthPenalty`.
///
/// @param numBeams 1 is greedy, or sampling
/// @param earlyStopping when a search of several beams ends
/// @param maxNewTokens most tokens of an answer
/// @param minNewTokens tokens before which an answer cannot end
/// @param repetitionPenalty divides positive scores of tokens that the answer has, multiplies negative ones; 1 is off
/// @param noRepeatNgramSize no run of so many tokens comes twice; 0 is off
/// @param badWords runs of tokens that never come
/// @param suppressTokens tokens that never come
/// @param beginSuppressTokens tokens that never come first
/// @param forcedBos the first token after the one that begins
/// @param forcedEos the last one, when an answer is as long as it may be; empty for none
/// @param renormalize whether what is left is made to sum to 1 again
/// @param decoderStart the token that begins
/// @param eos tokens that end an answer
/// @param sampling temperature and its like, with one beam; its penalties, format and length are not used
/// Source: `GenerationConfig` of Hugging Face's transformers.
public record GenerationConfig(
        int numBeams, double lengthPenalty, EarlyStopping earlyStopping, int maxNewTokens, int minNewTokens,
        double repetitionPenalty, int noRepeatNgramSize, List<List<Integer>> badWords, List<Integer> suppressTokens,
        List<Integer> beginSuppressTokens, OptionalInt forcedBos, List<Integer> forcedEos, boolean renormalize, int decoderStart,
        List<Integer> eos, SamplingConfig sampling) {
    /// `true`: at as many whole texts as beams; `false`: when no beam is better than the worst of them as it stands; `never`:
    /// when none can become better.
    public enum EarlyStopping { TRUE, FALSE, NEVER }

    /// Tokens of an answer where nobody says; more than any sentence has.
    private static final int LENGTH = 512;
    private static final int MOST_BEAMS = 64;

    public GenerationConfig {
        badWords = badWords.stream().map(List::copyOf).toList();
        suppressTokens = List.copyOf(suppressTokens);
        beginSuppressTokens = List.copyOf(beginSuppressTokens);
        forcedEos = List.copyOf(forcedEos);
        eos = List.copyOf(eos);
        check("num_beams", numBeams, numBeams >= 1 && numBeams <= MOST_BEAMS, "from 1 to " + MOST_BEAMS);
        check("length_penalty", lengthPenalty, Math.abs(lengthPenalty) <= 100, "in [-100, 100]");
        check("max_new_tokens", maxNewTokens, maxNewTokens >= 1, "at least 1");
        check("min_new_tokens", minNewTokens, minNewTokens >= 0, "0 or more");
        check("repetition_penalty", repetitionPenalty, repetitionPenalty > 0 && repetitionPenalty <= 10, "in (0, 10]");
        check("no_repeat_ngram_size", noRepeatNgramSize, noRepeatNgramSize >= 0, "0 (off) or more");
    }

    private static void check(String name, Number value, boolean ok, String range) {
        if (!ok) throw new UserError("", name + " must be " + range + ", was " + value, "");
    }

    /// What a folder's `generation_config.json` asks for, or `config.json` in a folder without one.
    ///
    /// @param model its `config.json`
    /// @throws UserError for a setting that is not implemented, or wrong
    static GenerationConfig of(Path folder, Settings model) {
        Path own = folder.resolve("generation_config.json");
        Settings s = Files.exists(own) ? Settings.read(own, "") : model;
        refuse(s);
        int maxNew = s.size("max_new_tokens", Math.max(1, s.size("max_length", LENGTH + 1) - 1));
        int minNew = Math.max(count(s, "min_new_tokens"), count(s, "min_length") - 1);
        OptionalInt start = first(s, model, "decoder_start_token_id");
        if (start.isEmpty()) start = first(s, model, "bos_token_id");
        if (start.isEmpty()) throw new UserError(s.where(), "\"decoder_start_token_id\" is missing", "fetch the file again");
        int beams = s.size("num_beams", 1);
        if (beams > 1) s.only("do_sample", false);
        boolean samples = s.flag("do_sample", false);
        SamplingConfig sampling = !samples ? SamplingConfig.GREEDY : SamplingConfig.GREEDY.with(c -> {
            c.temperature = s.real("temperature", 1);
            c.topK = count(s, "top_k", 50);
            c.topP = s.real("top_p", 1);
            c.minP = s.real("min_p", 0);
        });
        List<Integer> eos = ids(s, "eos_token_id");
        OptionalInt forcedBos = ids(s, "forced_bos_token_id").stream().mapToInt(i -> i).findFirst();
        return new GenerationConfig(beams, s.real("length_penalty", 1), early(s), maxNew, Math.max(0, minNew),
                s.real("repetition_penalty", 1), count(s, "no_repeat_ngram_size"), lists(s, "bad_words_ids"),
                ids(s, "suppress_tokens"), ids(s, "begin_suppress_tokens"), forcedBos, ids(s, "forced_eos_token_id"),
                s.flag("renormalize_logits", false), start.getAsInt(), eos.isEmpty() ? ids(model, "eos_token_id") : eos,
                sampling);
    }

    /// What is said otherwise than by silence must be done, or refused.
    private static void refuse(Settings s) {
        for (String one : List.of("num_beam_groups", "encoder_repetition_penalty", "typical_p", "guidance_scale",
                "num_return_sequences")) s.only(one, 1);
        for (String zero : List.of("diversity_penalty", "encoder_no_repeat_ngram_size", "epsilon_cutoff", "eta_cutoff",
                "penalty_alpha")) s.only(zero, 0);
        for (String none : List.of("sequence_bias", "exponential_decay_length_penalty", "force_words_ids", "constraints",
                "stop_strings", "max_time", "top_h", "watermarking_config"))
            if (s.has(none)) throw new UserError(s.where(), "\"" + none + "\" is not supported", "leave it out");
    }

    private static EarlyStopping early(Settings s) {
        if (s.has("early_stopping") && s.json().get("early_stopping") instanceof JsonPrimitive p && p.isString()) {
            s.choice("early_stopping", "never", List.of("never"));
            return EarlyStopping.NEVER;
        }
        return s.flag("early_stopping", false) ? EarlyStopping.TRUE : EarlyStopping.FALSE;
    }

    private static int count(Settings s, String key) {
        return count(s, key, 0);
    }

    private static int count(Settings s, String key, int otherwise) {
        double value = s.real(key, otherwise);
        if (value >= 0 && value <= Integer.MAX_VALUE && value == Math.rint(value)) return (int) value;
        throw new UserError(s.where(), "\"" + key + "\" must be a whole number, was " + s.json().get(key), "");
    }

    private static OptionalInt first(Settings s, Settings model, String key) {
        List<Integer> ids = ids(s, key);
        if (ids.isEmpty()) ids = ids(model, key);
        return ids.stream().mapToInt(i -> i).findFirst();
    }

    /// An id, or a list of ids.
    private static List<Integer> ids(Settings s, String key) {
        return s.has(key) ? ids(s, key, s.json().get(key)) : List.of();
    }

    private static List<Integer> ids(Settings s, String key, JsonElement value) {
        List<Integer> ids = new ArrayList<>();
        for (JsonElement each : value instanceof JsonArray list ? list.asList() : List.of(value)) {
            if (!(each instanceof JsonPrimitive p && p.isNumber() && p.getAsString().matches("[0-9]{1,9}")))
                throw new UserError(s.where(), "\"" + key + "\" must be token ids, was " + s.json().get(key), "");
            ids.add(each.getAsInt());
        }
        return ids;
    }

    private static List<List<Integer>> lists(Settings s, String key) {
        List<List<Integer>> lists = new ArrayList<>();
        if (!s.has(key)) return lists;
        if (!(s.json().get(key) instanceof JsonArray all))
            throw new UserError(s.where(), "\"" + key + "\" must be lists of token ids, was " + s.json().get(key), "");
        for (JsonElement each : all) {
            List<Integer> ids = ids(s, key, each);
            if (ids.isEmpty()) throw new UserError(s.where(), "\"" + key + "\" has an empty list", "");
            lists.add(ids);
        }
        return lists;
    }

    public GenerationConfig withNumBeams(int numBeams) {
        return with(numBeams, lengthPenalty, earlyStopping, maxNewTokens, sampling);
    }

    public GenerationConfig withLengthPenalty(double lengthPenalty) {
        return with(numBeams, lengthPenalty, earlyStopping, maxNewTokens, sampling);
    }

    public GenerationConfig withEarlyStopping(EarlyStopping earlyStopping) {
        return with(numBeams, lengthPenalty, earlyStopping, maxNewTokens, sampling);
    }

    public GenerationConfig withMaxNewTokens(int maxNewTokens) {
        return with(numBeams, lengthPenalty, earlyStopping, maxNewTokens, sampling);
    }

    /// With one beam.
    public GenerationConfig withSampling(SamplingConfig sampling) {
        return with(1, lengthPenalty, earlyStopping, maxNewTokens, sampling);
    }

    private GenerationConfig with(int beams, double penalty, EarlyStopping early, int maxNew, SamplingConfig drawn) {
        return new GenerationConfig(beams, penalty, early, maxNew, minNewTokens, repetitionPenalty, noRepeatNgramSize, badWords,
                suppressTokens, beginSuppressTokens, forcedBos, forcedEos, renormalize, decoderStart, eos, drawn);
    }
}
