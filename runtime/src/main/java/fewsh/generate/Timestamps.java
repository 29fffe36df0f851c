package fewsh.generate;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;

/// The tokens that say when something was spoken: every id from `begin` on is a time, one position of the encoder (20 ms) after
/// the one before.
///
/// @param begin the token of the time 0
/// @param eos every lower id is text
/// @param mostInitial how many times after 0 the first may be
/// Source: `WhisperTimeStampLogitsProcessor` and `_retrieve_segment` of Hugging Face's transformers, after OpenAI's Whisper.
record Timestamps(int begin, int eos, OptionalInt mostInitial) {
    /// Times come in pairs, between which is text, and never go back; where a time as such is likelier than any one word, it is a
    /// time.
    ///
    /// @param said what was said so far
    /// @param scores of the next token, one a token
    void apply(List<Integer> said, float[] scores) {
        never(scores, begin - 1, begin);
        boolean last = !said.isEmpty() && said.getLast() >= begin;
        boolean before = said.size() < 2 || said.get(said.size() - 2) >= begin;
        if (last && before) never(scores, begin, scores.length);
        else if (last) never(scores, 0, eos);
        List<Integer> times = said.stream().filter(id -> id >= begin).toList();
        if (!times.isEmpty()) never(scores, begin, last && !before ? times.getLast() : times.getLast() + 1);
        if (said.isEmpty()) {
            never(scores, 0, begin);
            if (mostInitial.isPresent()) never(scores, begin + mostInitial.getAsInt() + 1, scores.length);
        }
        if (timeIsLikelier(scores)) never(scores, 0, begin);
    }

    private boolean timeIsLikelier(float[] scores) {
        float word = Float.NEGATIVE_INFINITY;
        float time = Float.NEGATIVE_INFINITY;
        for (int id = 0; id < scores.length; id++)
            if (id < begin) word = Math.max(word, scores[id]);
            else time = Math.max(time, scores[id]);
        if (time == Float.NEGATIVE_INFINITY) return false;
        double sum = 0;
        for (int id = begin; id < scores.length; id++) sum += Math.exp(scores[id] - time);
        return time + Math.log(sum) > word;
    }

    private static void never(float[] scores, int from, int to) {
        if (from < to) Arrays.fill(scores, from, Math.min(to, scores.length), Float.NEGATIVE_INFINITY);
    }

    /// A run of tokens, and when it was spoken.
    ///
    /// @param start encoder positions from the beginning of the window
    record Spoken(int start, int end, List<Integer> ids) {}

    /// What was said of a window, cut where two times stand together.
    ///
    /// @param advance how many positions on the next window begins; empty: behind this one
    record Cut(List<Spoken> parts, OptionalInt advance) {}

    /// @param said without the end
    /// @param positions of the window, those that are the sound's
    Cut cut(List<Integer> said, int positions) {
        List<Integer> ends = new ArrayList<>();
        for (int i = 1; i < said.size(); i++) if (said.get(i - 1) >= begin && said.get(i) >= begin) ends.add(i);
        int n = said.size();
        boolean single = n > 1 && said.getLast() >= begin && said.get(n - 2) < begin;
        if (ends.isEmpty()) {
            OptionalInt last = said.stream().filter(id -> id >= begin).mapToInt(id -> id - begin).reduce((_, b) -> b);
            int end = last.isPresent() && last.getAsInt() != 0 ? last.getAsInt() : positions;
            return new Cut(List.of(new Spoken(0, end, said)), OptionalInt.empty());
        }
        if (single) ends.add(n);
        else ends.set(ends.size() - 1, ends.getLast() + 1);                 // the last time stays, to show that more follows
        List<Spoken> parts = new ArrayList<>();
        int from = 0;
        for (int i = 0; i < ends.size(); i++) {
            List<Integer> part = said.subList(from, ends.get(i));
            boolean followed = i == ends.size() - 1 && !single;
            parts.add(new Spoken(Math.max(0, part.getFirst() - begin), part.get(part.size() - (followed ? 2 : 1)) - begin, part));
            from = ends.get(i);
        }
        return new Cut(parts, single ? OptionalInt.empty() : OptionalInt.of(said.get(from - 2) - begin));
    }
}
