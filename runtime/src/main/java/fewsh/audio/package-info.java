/// Sound as a model hears it: recordings to mono samples at the model's sampling rate, samples to log-mel features.
///
/// Data flow: a WAV, AIFF or AU file → [Sound] → [MelFeatures] as `preprocessor_config.json` describes them →
/// `input_features` of a graph.
/// ```java
/// MelFeatures features = MelFeatures.of(checkpoint.json("preprocessor_config.json"));
/// Sound sound = Sound.read(Path.of("short.wav"), features.samplingRate());
/// Tensor inputFeatures = features.window(sound);                      // (1, feature_size, frames)
/// ```
package fewsh.audio;
