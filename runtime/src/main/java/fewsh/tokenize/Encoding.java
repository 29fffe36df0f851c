package fewsh.tokenize;

import java.util.Arrays;
import java.util.stream.IntStream;

/// A text, or two, as a model reads them: tokens with what the model and its user want to know of each.
///
/// @param ids with the special tokens that the model expects around texts
/// @param types the token type of each, as the tokenizer's post-processor gives them
/// @param texts which text each is of, 0 or 1; −1 for the tokens put around them
/// @param starts where the token begins in its text, as `String` counts
/// @param ends one behind its last character
public record Encoding(int[] ids, int[] types, int[] texts, int[] starts, int[] ends) {
    public int length() {
        return ids.length;
    }

    /// At most `most` tokens: the ends of the texts are left out, those of the longer one first, the tokens around them stay.
    ///
    /// Source: the strategy `LongestFirst` of Hugging Face's tokenizers.
    public Encoding truncated(int most) {
        if (length() <= most) return this;
        int first = (int) Arrays.stream(texts).filter(t -> t == 0).count();
        int second = (int) Arrays.stream(texts).filter(t -> t == 1).count();
        int room = Math.max(0, most - (length() - first - second));
        int shorter = Math.min(Math.min(first, second), room / 2);
        int[] left = first > second ? new int[] {room - shorter, shorter} : new int[] {shorter, room - shorter};
        int[] kept = IntStream.range(0, length()).filter(i -> texts[i] < 0 || left[texts[i]]-- > 0).limit(most).toArray();
        return new Encoding(only(ids, kept), only(types, kept), only(texts, kept), only(starts, kept), only(ends, kept));
    }

    private static int[] only(int[] values, int[] kept) {
        return Arrays.stream(kept).map(i -> values[i]).toArray();
    }
}
