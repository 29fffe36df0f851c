package fewsh.tokenize;

import fewsh.UserError;
import java.util.BitSet;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Supplier;

/// A tokenizer as a file describes it, before the library has built it.
///
/// @param where the file, for errors
/// @param json a `tokenizer.json`
/// @param encoding another one that encodes, where `json` only decodes
/// @param plain makes what encodes with no special token that a text could spell
/// @param pieces the piece of each id, null where an id is not used
/// @param ids the id of each piece
/// @param added ids whose piece is text as it stands, special or not
/// @param special ids of control tokens, which decoding may skip
/// @param blame finds what the library stumbled over; may return null
record Description(String where, String json, Optional<Encoding> encoding, Supplier<String> plain, String[] pieces,
        Map<String, Integer> ids, BitSet added, BitSet special, Spelling spelling, OptionalInt bos, OptionalInt eos,
        OptionalInt pad, OptionalInt unk, Set<Integer> endOfGeneration, Supplier<UserError> blame) {

    /// What encodes in a vocabulary of its own.
    ///
    /// @param size of it; ids from there on are of pieces that have none, and mean the unknown token
    record Encoding(String json, int size) {}

    Description {
        endOfGeneration = Set.copyOf(endOfGeneration);
    }

    /// Hands the text to the library.
    ///
    /// @throws UserError with the library's words, or better ones
    Model build(String text) {
        try {
            return new Model(text);
        } catch (UserError e) {
            throw e;
        } catch (RuntimeException e) {
            UserError better = blame.get();
            if (better != null) throw better;
            throw new UserError(where, String.valueOf(e.getMessage()),
                    "the file is damaged or of a kind the tokenizers library does not read", e);
        }
    }
}
