package fewsh.generate;

import fewsh.UserError;
import fewsh.prompt.Format;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;

/// How the next token is chosen and when an answer ends.
///
/// The order of operations on the logits is the order of the fields: repetition, presence and frequency penalty →
/// format → temperature → top_k → top_p → min_p → softmax → draw. Temperature 0 is greedy and draws no random number.
///
/// A format other than [Format.Free] leaves only the tokens by which the answer becomes, or stays, a text of that format; the
/// end of the text is allowed once it is complete, and comes by itself when nothing else may follow. Near `max_tokens`, or the
/// context's end, only those are left from which it can still be completed, so that an answer is always whole. Stop texts do
/// not end such an answer. One space in front, as many vocabularies spell a word after `Answer:`, is allowed where no text of
/// the format begins with a space; it is not part of the answer's text.
///
/// @param repetitionPenalty divides positive logits of tokens seen in prompt or answer, multiplies negative ones; 1 is off
/// @param presencePenalty subtracted once from the logit of a token that the answer already has; 0 is off
/// @param frequencyPenalty subtracted as often as the answer has the token; 0 is off
/// @param format what the answer must look like
/// @param temperature divides the logits
/// @param topK only the k likeliest tokens; 0 is all
/// @param topP only the likeliest tokens that together reach this probability; 1 is all
/// @param minP only tokens at least this likely relative to the likeliest; 0 is all
/// @param seed of the draws; sample i of a prompt draws from (seed, i) alone
/// @param maxTokens most tokens of an answer
/// @param stop texts that end an answer and are not part of it
/// @param alternatives likeliest tokens to report at each position; 0 is none
public record SamplingConfig(
        double repetitionPenalty, double presencePenalty, double frequencyPenalty, Format format, double temperature, int topK,
        double topP, double minP, long seed, int maxTokens, List<String> stop, int alternatives) {
    public static final SamplingConfig GREEDY = new SamplingConfig(1, 0, 0, new Format.Free(), 0, 0, 1, 0, 0, 512, List.of(), 0);

    public SamplingConfig {
        stop = List.copyOf(stop);
        Objects.requireNonNull(format);
        check("repetition_penalty", repetitionPenalty, repetitionPenalty > 0 && repetitionPenalty <= 10, "in (0, 10]");
        check("presence_penalty", presencePenalty, Math.abs(presencePenalty) <= 100, "in [-100, 100]");
        check("frequency_penalty", frequencyPenalty, Math.abs(frequencyPenalty) <= 100, "in [-100, 100]");
        check("temperature", temperature, temperature >= 0 && temperature <= 100, "in [0, 100]");
        check("top_k", topK, topK >= 0, "0 (all) or more");
        check("top_p", topP, topP > 0 && topP <= 1, "in (0, 1]");
        check("min_p", minP, minP >= 0 && minP < 1, "in [0, 1)");
        check("max_tokens", maxTokens, maxTokens >= 0, "0 or more");
        check("logprobs", alternatives, alternatives >= 0 && alternatives <= 1000, "in [0, 1000]");
        if (stop.contains("")) throw new UserError("stop", "a stop sequence must not be empty", "");
    }

    private static void check(String name, Number value, boolean ok, String range) {
        if (!ok) throw new UserError("", name + " must be " + range + ", was " + value, "");
    }

    /// The fields by name, for [#with].
    public static final class Fields {
        public double repetitionPenalty;
        public double presencePenalty;
        public double frequencyPenalty;
        public Format format;
        public double temperature;
        public int topK;
        public double topP;
        public double minP;
        public long seed;
        public int maxTokens;
        public List<String> stop;
        public int alternatives;

        private Fields(SamplingConfig c) {
            repetitionPenalty = c.repetitionPenalty;
            presencePenalty = c.presencePenalty;
            frequencyPenalty = c.frequencyPenalty;
            format = c.format;
            temperature = c.temperature;
            topK = c.topK;
            topP = c.topP;
            minP = c.minP;
            seed = c.seed;
            maxTokens = c.maxTokens;
            stop = c.stop;
            alternatives = c.alternatives;
        }
    }

    /// This with some fields changed: `config.with(c -> c.topP = 0.9)`.
    ///
    /// @throws UserError for a value out of range
    public SamplingConfig with(Consumer<Fields> change) {
        Fields f = new Fields(this);
        change.accept(f);
        return new SamplingConfig(f.repetitionPenalty, f.presencePenalty, f.frequencyPenalty, f.format, f.temperature, f.topK,
                f.topP, f.minP, f.seed, f.maxTokens, f.stop, f.alternatives);
    }

    public SamplingConfig withTemperature(double temperature) {
        return with(c -> c.temperature = temperature);
    }

    public SamplingConfig withSeed(long seed) {
        return with(c -> c.seed = seed);
    }

    public SamplingConfig withMaxTokens(int maxTokens) {
        return with(c -> c.maxTokens = maxTokens);
    }

    public SamplingConfig withStop(List<String> stop) {
        return with(c -> c.stop = stop);
    }

    public SamplingConfig withAlternatives(int alternatives) {
        return with(c -> c.alternatives = alternatives);
    }
}
