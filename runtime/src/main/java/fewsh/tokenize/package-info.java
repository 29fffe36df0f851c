/// Text to token ids and back: byte-level BPE, SentencePiece BPE, WordPiece and Unigram as a model's own files describe them.
///
/// The work is done by Hugging Face's tokenizers library, in native code; here other descriptions (GGUF key-values, older
/// vocabulary files) become the `tokenizer.json` that it reads, a user's text is kept from spelling control tokens, and
/// streamed ids become whole characters.
///
/// Data flow: folder or GGUF key-values → `tokenizer.json` → [Tokenizer]; text → ids; ids → [TextStream] → text.
/// ```java
/// try (Tokenizer tokenizer = Tokenizer.open(Path.of("models/gpt2"))) {
///     int[] ids = tokenizer.encode("Hello world", true, false);
///     TextStream stream = tokenizer.stream(true);
///     for (int id : ids) IO.print(stream.next(id));
///     IO.println(stream.finish());
/// }
/// ```
package fewsh.tokenize;
