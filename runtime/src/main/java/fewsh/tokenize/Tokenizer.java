package fewsh.tokenize;

import fewsh.UserError;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.IntStream;

/// Text to token ids and back, as a model's own files describe it.
///
/// Encoding and decoding are done by Hugging Face's tokenizers library; nothing is ever truncated, padded or downloaded.
/// Immutable but for closing, which frees native memory: threads may share one.
public final class Tokenizer implements AutoCloseable {
    /// The library panics when one match of a regular expression takes ten million steps; a longer text could take them.
    private static final int MOST_CHARACTERS = 1 << 22;

    private final Description description;
    private final Model model;
    /// What decodes; `model`, but for a model that reads and writes in two vocabularies.
    private final Model decoder;
    /// The tokens that encoding the empty text adds.
    private final int[] added;
    /// Without special tokens; made when a text first spells one.
    private Model plain;

    private Tokenizer(Description description) {
        this.description = description;
        this.decoder = description.build(description.json());
        this.model = description.encoding().map(e -> description.build(e.json())).orElse(decoder);
        this.added = encode(model, "", true);
    }

    /// Reads a Hugging Face folder: `tokenizer.json`, or the older `vocab.json` with `merges.txt`, or `vocab.txt`, or Marian's
    /// `vocab.json` with `source.spm` and `target.spm`; beginning,
    /// end, padding and unknown token from `tokenizer_config.json`, `special_tokens_map.json`, `generation_config.json` and
    /// `config.json`, where present.
    ///
    /// @throws UserError naming the file and the place where one is missing, broken or contradicts itself
    public static Tokenizer open(Path folder) {
        return new Tokenizer(HuggingFace.read(folder));
    }

    /// Builds the tokenizer that a GGUF file's key-values describe, so that ids are those of llama.cpp.
    ///
    /// @param where the file's name, for errors
    /// @param metadata String, Long, Double, Boolean, or List of these; other keys than `tokenizer.*` are not looked at
    /// @throws UserError naming the key, and the element of a list, that is missing or wrong
    public static Tokenizer ofGguf(String where, Map<String, Object> metadata) {
        return new Tokenizer(new Gguf(where, metadata).description());
    }

    /// The tokenizer as a `tokenizer.json`, which the tokenizers library of other languages reads to the same ids.
    public String json() {
        return description.json();
    }

    /// @param addSpecial whether the tokens that the model expects around a text (BOS, EOS, `[CLS]`…) are added
    /// @param parseSpecial whether text that spells a special token (`<|im_start|>`) becomes that token; false for what a
    ///                     user wrote, which then can never turn into a control token
    /// @throws UserError where the text has more than 4,194,304 characters
    public int[] encode(String text, boolean addSpecial, boolean parseSpecial) {
        String whole = wellFormed(text);
        int[] ids = encode(model, whole, addSpecial);
        if (parseSpecial || specials(ids) == (addSpecial ? specials(added) : 0)) return ids;
        return encode(plain(), whole, addSpecial);
    }

    /// A text, or two that belong together, with the tokens that the model expects around them.
    ///
    /// @param parseSpecial whether text that spells a special token (`[MASK]`) becomes that token
    /// @throws UserError where a text has more than 4,194,304 characters
    public Encoding encode(String text, Optional<String> pair, boolean parseSpecial) {
        String first = wellFormed(text);
        String second = pair.map(Tokenizer::wellFormed).orElse(null);
        Encoding encoding = encode(model, m -> m.encode(first, second));
        if (parseSpecial || IntStream.range(0, encoding.length())
                .noneMatch(i -> encoding.texts()[i] >= 0 && isSpecial(encoding.ids()[i]))) return encoding;
        return encode(plain(), m -> m.encode(first, second));
    }

    /// @param ids those that are not in the vocabulary stand for nothing
    /// @param skipSpecial whether control tokens are left out
    public String decode(int[] ids, boolean skipSpecial) {
        return decoder.decode(ids, skipSpecial);
    }

    /// Begins the text of one answer.
    public TextStream stream(boolean skipSpecial) {
        return new TextStream(this, skipSpecial);
    }

    /// The bytes that a token stands for, perhaps only part of a character; the text of a special token.
    public byte[] bytes(int id) {
        String piece = piece(id);
        return description.added().get(id) ? Spelling.text(piece) : description.spelling().bytes(piece);
    }

    /// The token as the vocabulary spells it, for example `Ġworld` or `▁world`.
    public String piece(int id) {
        if (!has(id)) throw new IndexOutOfBoundsException("no token " + id + " in a vocabulary of " + size());
        return description.pieces()[id];
    }

    /// The token that the vocabulary spells so.
    public OptionalInt id(String piece) {
        Integer id = description.ids().get(piece);
        return id == null ? OptionalInt.empty() : OptionalInt.of(id);
    }

    /// One more than the highest id. A model may have more rows than this, and a vocabulary may have gaps.
    public int size() {
        return description.pieces().length;
    }

    /// Whether the id is a token of the vocabulary.
    public boolean has(int id) {
        return id >= 0 && id < size() && description.pieces()[id] != null;
    }

    /// Whether this is a control token, which decoding may skip and a user's text cannot spell.
    public boolean isSpecial(int id) {
        return description.special().get(id);
    }

    public OptionalInt bos() {
        return description.bos();
    }

    public OptionalInt eos() {
        return description.eos();
    }

    public OptionalInt pad() {
        return description.pad();
    }

    public OptionalInt unk() {
        return description.unk();
    }

    /// The ids that end an answer: end of sequence, of turn, of message. May be empty.
    public Set<Integer> endOfGeneration() {
        return description.endOfGeneration();
    }

    /// Whether encoding with special tokens begins with the BOS token.
    public boolean addsBos() {
        return bos().isPresent() && added.length > 0 && added[0] == bos().getAsInt();
    }

    @Override
    public synchronized void close() {
        model.close();
        decoder.close();
        if (plain != null) plain.close();
    }

    /// Whether this token is one byte of a run that is only decoded as a whole.
    boolean isByte(int id) {
        return !description.added().get(id) && description.spelling().isByteOf(piece(id));
    }

    private synchronized Model plain() {
        if (plain == null) plain = description.build(description.plain().get());
        return plain;
    }

    private int[] encode(Model with, String text, boolean addSpecial) {
        int[] ids = encode(with, m -> m.encode(text, addSpecial));
        description.encoding().ifPresent(own -> {
            for (int i = 0; i < ids.length; i++) if (ids[i] >= own.size()) ids[i] = unk().orElseThrow();
        });
        return ids;
    }

    private <T> T encode(Model with, Function<Model, T> encoding) {
        try {
            return encoding.apply(with);
        } catch (IllegalStateException e) {
            throw e;
        } catch (RuntimeException e) {
            throw new UserError(description.where(), "cannot encode the text: " + e.getMessage(), "", e);
        }
    }

    private int specials(int[] ids) {
        int count = 0;
        for (int id : ids) if (description.special().get(id)) count++;
        return count;
    }

    /// Half a surrogate pair is no character; the library would spoil the whole text for it.
    private static String wellFormed(String text) {
        if (text.length() > MOST_CHARACTERS)
            throw new UserError("", "the text has " + text.length() + " characters",
                    "encode it in parts of at most " + MOST_CHARACTERS);
        StringBuilder fixed = null;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (!Character.isSurrogate(c)) continue;
            if (Character.isHighSurrogate(c) && i + 1 < text.length() && Character.isLowSurrogate(text.charAt(i + 1))) {
                i++;
                continue;
            }
            if (fixed == null) fixed = new StringBuilder(text);
            fixed.setCharAt(i, '\uFFFD');
        }
        return fixed == null ? text : fixed.toString();
    }
}
