package fewsh.generate;

import java.util.Locale;
import java.util.Optional;

/// What is wanted of a transcription.
///
/// @param language of the sound, as a code (`de`), an English name (`german`) or a token (`<|de|>`); empty: the one that the
///                 model's files name, or else the one that it hears in the first window
/// @param task empty: the one that the model's files name, or else to transcribe
/// @param timestamps whether the model says when each segment was spoken; where it can, it always does of sounds longer than a
///                   window
public record TranscriptionConfig(Optional<String> language, Optional<Task> task, boolean timestamps) {
    /// What the words are written in.
    public enum Task {
        /// The language of the sound.
        TRANSCRIBE,
        /// English.
        TRANSLATE;

        /// The word for it in `generation_config.json`.
        public String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /// As the model's files say.
    public static final TranscriptionConfig DEFAULT = new TranscriptionConfig(Optional.empty(), Optional.empty(), false);

    public TranscriptionConfig withLanguage(String language) {
        return new TranscriptionConfig(Optional.of(language), task, timestamps);
    }

    public TranscriptionConfig withTask(Task task) {
        return new TranscriptionConfig(language, Optional.of(task), timestamps);
    }

    public TranscriptionConfig withTimestamps(boolean timestamps) {
        return new TranscriptionConfig(language, task, timestamps);
    }
}
