package fewsh.tokenize;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;
import fewsh.UserError;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/// A SentencePiece model file of kind unigram: pieces with their scores, and how text is made plain before they are looked for.
///
/// @param charsmap the compiled table of replacements, base64; empty for none
/// Source: `sentencepiece_model.proto` of google/sentencepiece, of which the fields that matter are read.
record SentencePiece(List<Piece> pieces, String charsmap, boolean addDummyPrefix, boolean removeExtraWhitespaces,
        boolean byteFallback) {
    static final int NORMAL = 1;
    static final int USER_DEFINED = 4;
    static final int BYTE = 6;
    private static final int UNIGRAM = 1;
    private static final long MOST_BYTES = 256L << 20;

    /// @param type one of the constants; others (unknown, control, unused) are not found in text
    record Piece(String text, float score, int type) {
        boolean isFound() {
            return type == NORMAL || type == USER_DEFINED || type == BYTE;
        }
    }

    /// The trainer's settings, as far as they matter.
    private record Trainer(int modelType, boolean byteFallback, boolean suffix) {}

    private record Normalizer(String charsmap, boolean addDummyPrefix, boolean removeExtraWhitespaces, boolean escapes) {}

    /// @throws UserError if the file is missing, damaged, or of another kind
    static SentencePiece read(Path file) {
        if (!Files.exists(file)) throw new UserError(file.toString(), "no such file", "fetch the whole folder");
        List<Piece> pieces = new ArrayList<>();
        Trainer trainer = new Trainer(UNIGRAM, false, false);
        Normalizer normalizer = new Normalizer("", true, true, true);
        try {
            if (Files.size(file) > MOST_BYTES)
                throw new UserError(file.toString(), "is " + Files.size(file) + " bytes", "at most " + MOST_BYTES + " are read");
            CodedInputStream in = CodedInputStream.newInstance(Files.readAllBytes(file));
            for (int tag; (tag = in.readTag()) != 0; )
                switch (WireFormat.getTagFieldNumber(tag)) {
                    case 1 -> pieces.add(piece(in.readBytes().newCodedInput()));
                    case 2 -> trainer = trainer(in.readBytes().newCodedInput());
                    case 3 -> normalizer = normalizer(in.readBytes().newCodedInput());
                    default -> in.skipField(tag);
                }
        } catch (IOException e) {
            throw new UserError(file.toString(), "is no SentencePiece model: " + e.getMessage(), "download the file again", e);
        }
        if (pieces.isEmpty()) throw new UserError(file.toString(), "has no pieces", "download the file again");
        if (trainer.modelType != UNIGRAM)
            throw new UserError(file.toString(), "model_type " + trainer.modelType + " is not supported", "only unigram (1) is");
        if (trainer.suffix) throw new UserError(file.toString(), "treat_whitespace_as_suffix is not supported", "");
        if (!normalizer.escapes) throw new UserError(file.toString(), "escape_whitespaces must be true", "");
        return new SentencePiece(List.copyOf(pieces), normalizer.charsmap, normalizer.addDummyPrefix,
                normalizer.removeExtraWhitespaces, trainer.byteFallback);
    }

    private static Piece piece(CodedInputStream in) throws IOException {
        String text = "";
        float score = 0;
        int type = NORMAL;
        for (int tag; (tag = in.readTag()) != 0; )
            switch (WireFormat.getTagFieldNumber(tag)) {
                case 1 -> text = in.readStringRequireUtf8();
                case 2 -> score = in.readFloat();
                case 3 -> type = in.readInt32();
                default -> in.skipField(tag);
            }
        return new Piece(text, score, type);
    }

    private static Trainer trainer(CodedInputStream in) throws IOException {
        int modelType = UNIGRAM;
        boolean byteFallback = false;
        boolean suffix = false;
        for (int tag; (tag = in.readTag()) != 0; )
            switch (WireFormat.getTagFieldNumber(tag)) {
                case 3 -> modelType = in.readInt32();
                case 24 -> suffix = in.readBool();
                case 35 -> byteFallback = in.readBool();
                default -> in.skipField(tag);
            }
        return new Trainer(modelType, byteFallback, suffix);
    }

    private static Normalizer normalizer(CodedInputStream in) throws IOException {
        String charsmap = "";
        boolean prefix = true;
        boolean remove = true;
        boolean escapes = true;
        for (int tag; (tag = in.readTag()) != 0; )
            switch (WireFormat.getTagFieldNumber(tag)) {
                case 2 -> charsmap = Base64.getEncoder().encodeToString(in.readByteArray());
                case 3 -> prefix = in.readBool();
                case 4 -> remove = in.readBool();
                case 5 -> escapes = in.readBool();
                default -> in.skipField(tag);
            }
        return new Normalizer(charsmap, prefix, remove, escapes);
    }

    /// Writes `"normalizer":…,` as the tokenizers library takes it: what SentencePiece does to a text.
    Json normalizer(Json json) {
        json.raw("\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[");
        if (!charsmap.isEmpty()) json.raw("{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"" + charsmap + "\"},");
        if (removeExtraWhitespaces)
            json.raw("{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"^ +| +$\"},\"content\":\"\"},")
                    .raw("{\"type\":\"Replace\",\"pattern\":{\"Regex\":\" {2,}\"},\"content\":\" \"},");
        if (addDummyPrefix) json.raw("{\"type\":\"Prepend\",\"prepend\":\" \"},");
        return json.raw("{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},\"content\":\"▁\"}]},");
    }
}
