package fewsh.generate;

import fewsh.UserError;
import fewsh.load.About;
import fewsh.load.ExportFolder;
import fewsh.load.Exported;
import fewsh.load.LoadOptions;
import fewsh.load.Loaded;
import fewsh.load.Opened;
import fewsh.models.Causal;
import fewsh.models.Checkpoint;
import fewsh.models.ImageText;
import fewsh.models.Scaled;
import fewsh.models.Settings;
import fewsh.prompt.ChatTemplate;
import fewsh.prompt.Format;
import fewsh.prompt.Message;
import fewsh.session.Session;
import fewsh.tensor.Tensor;
import fewsh.tokenize.Tokenizer;
import fewsh.vision.Idefics3Preprocessor;
import fewsh.vision.Picture;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Consumer;
import java.util.function.Supplier;

/// A causal language model, loaded: config, tokenizer, session. Immutable and shareable; what changes is in [KvCache] and
/// [Decoding].
public final class CausalLm implements Loaded {
    /// Positions of one prefill pass; longer prompts take several, which wastes less on positions that see each other not.
    private static final int CHUNK = 256;
    /// Most positions whose logits one pass returns: 2 · 64 · vocab_size float32.
    private static final int SCORED_CHUNK = 64;
    /// Positions of a pass of a steady cache: longer ones compute faster, shorter ones repeat less of a shared first part.
    private static final int STRIDE = 64;

    private final AutoCloseable opened;
    private final About about;
    private final Ports ports;
    private final Session session;
    private final Tokenizer tokenizer;
    private final SamplingConfig defaults;
    private final Optional<ChatTemplate> chatTemplate;
    private final Optional<Pictures> pictures;
    /// Made when an answer is first held to a format.
    private Pieces pieces;

    /// What is read of a model's files beside its graph; the tokenizer while that is prepared.
    private record Parts(CompletableFuture<Tokenizer> tokenizer, SamplingConfig defaults, Optional<ChatTemplate> chatTemplate,
            Optional<Idefics3Preprocessor> preprocessor) implements AutoCloseable {
        static Parts of(Checkpoint checkpoint, Causal page) {
            Optional<ChatTemplate> template = CausalLm.chatTemplate(checkpoint);
            SamplingConfig defaults = checkpoint.isGguf() ? SamplingConfig.GREEDY : CausalLm.defaults(checkpoint.path());
            var metadata = checkpoint.weights().metadata();
            Path path = checkpoint.path();
            boolean gguf = checkpoint.isGguf();
            Optional<Idefics3Preprocessor> preprocessor = page instanceof ImageText ? Optional.of(Idefics3Preprocessor.read(path))
                    : Optional.empty();
            return new Parts(CompletableFuture.supplyAsync(() -> gguf ? Tokenizer.ofGguf(path.toString(), metadata)
                    : Tokenizer.open(path)), defaults, template, preprocessor);
        }

        static Parts of(ExportFolder export) {
            SamplingConfig defaults = export.genai().map(g -> sampling(g.search()))
                    .orElseGet(() -> CausalLm.defaults(export.folder()));
            return new Parts(CompletableFuture.supplyAsync(() -> Tokenizer.open(export.folder())), defaults,
                    ChatTemplate.find(export.folder()), Optional.empty());
        }

        @Override
        public void close() {
            tokenizer.thenAccept(Tokenizer::close).exceptionally(_ -> null).join();
        }
    }

    private CausalLm(AutoCloseable opened, About about, Ports ports, Session session, Parts parts, Optional<Pictures> pictures) {
        this.opened = opened;
        this.about = about.withChatTemplate(parts.chatTemplate.isPresent());
        this.ports = ports;
        this.session = session;
        this.tokenizer = parts.tokenizer.join();
        this.defaults = parts.defaults;
        this.chatTemplate = parts.chatTemplate;
        this.pictures = pictures;
    }

    /// `base` with other adapters.
    private CausalLm(Opened<?, ?> opened, Session session, CausalLm base) {
        this.opened = opened;
        this.about = base.about;
        this.ports = base.ports;
        this.session = session;
        this.tokenizer = base.tokenizer;
        this.defaults = base.defaults;
        this.chatTemplate = base.chatTemplate;
        this.pictures = base.pictures;
    }

    /// Opens a Hugging Face folder, a `.gguf` file, or what others exported to ONNX: a folder or an `.onnx` file.
    ///
    /// @throws UserError if it is no model, is damaged, has no page, does not fit into memory, or the device is not there; if an
    ///         export has inputs that are not understood, naming each
    public static CausalLm open(Path path, LoadOptions options) {
        Optional<ExportFolder> export = ExportFolder.find(path, options);
        if (export.isPresent()) return open(export.get(), options);
        Opened<Causal, Parts> opened = Opened.open(path, options, Causal.class, Parts::of);
        return made(opened, opened.read(), () -> new CausalLm(opened, opened.about(), Ports.of(opened.page()),
                opened.session("model"), opened.read(), pictures(opened)));
    }

    private static Optional<Pictures> pictures(Opened<Causal, Parts> opened) {
        return opened.read().preprocessor.map(preprocessor ->
                new Pictures((ImageText) opened.page(), () -> opened.session("vision"), preprocessor));
    }

    private static CausalLm open(ExportFolder export, LoadOptions options) {
        if (!options.adapters().isEmpty()) throw noAdapters(export.folder().toString());
        Parts parts = Parts.of(export);
        Exported exported;
        try {
            exported = Exported.open(export, options);
        } catch (RuntimeException e) {
            parts.close();
            throw e;
        }
        return made(exported, parts, () -> {
            Ports ports = Matching.ports(exported);
            return new CausalLm(exported, exported.about().with(ports.vocabSize(), ports.cacheBytes()), ports,
                    exported.session("model"), parts, Optional.empty());
        });
    }

    /// Closes what is open if the model cannot be made of it.
    private static CausalLm made(AutoCloseable opened, Parts parts, Supplier<CausalLm> model) {
        try {
            return model.get();
        } catch (RuntimeException e) {
            parts.close();
            close(opened);
            throw e instanceof CompletionException && e.getCause() instanceof UserError known ? known : e;
        }
    }

    private static void close(AutoCloseable opened) {
        try {
            opened.close();
        } catch (Exception e) {
            throw e instanceof RuntimeException known ? known : new IllegalStateException(e);
        }
    }

    /// The adapters that act, in this order.
    public List<Scaled> adapters() {
        return opened instanceof Opened<?, ?> own ? own.adapters() : List.of();
    }

    /// The same model with other adapters, without loading it again. Shares session and tokenizer with this one: closing either
    /// closes both. A cache that is used with another model than before is emptied.
    ///
    /// @return empty if the model was opened without a place for them and has to be opened with them: for adapters of other
    ///         modules, with magnitudes where there were none, or that replace weights
    /// @throws UserError if one is no adapter, is damaged, or is of another model
    public Optional<CausalLm> withAdapters(List<Scaled> adapters) {
        if (!(opened instanceof Opened<?, ?> own)) throw noAdapters(about.name());
        return own.with(adapters).map(o -> new CausalLm(o, o.session("model"), this));
    }

    private static UserError noAdapters(String export) {
        return new UserError(export, "is an export, which takes no adapters",
                "give the folder or file with the model's own weights");
    }

    /// What would be loaded, without loading it.
    public static About about(Path path, LoadOptions options) {
        Optional<ExportFolder> export = ExportFolder.find(path, options);
        if (export.isPresent())
            return Exported.about(export.get(), options).withChatTemplate(ChatTemplate.find(export.get().folder()).isPresent());
        try (Checkpoint checkpoint = Checkpoint.open(path)) {
            return Opened.about(path, options, Causal.class).withChatTemplate(chatTemplate(checkpoint).isPresent());
        }
    }

    private static Optional<ChatTemplate> chatTemplate(Checkpoint checkpoint) {
        if (!checkpoint.isGguf()) return ChatTemplate.find(checkpoint.path());
        var metadata = checkpoint.weights().metadata();
        List<?> tokens = metadata.get("tokenizer.ggml.tokens") instanceof List<?> list ? list : List.of();
        return ChatTemplate.ofGguf(checkpoint.path().toString(), metadata,
                id -> id >= 0 && id < tokens.size() ? String.valueOf(tokens.get((int) id)) : null);
    }

    private static SamplingConfig defaults(Path folder) {
        Path file = folder.resolve("generation_config.json");
        return Files.exists(file) ? sampling(Settings.read(file, "")) : SamplingConfig.GREEDY;
    }

    private static SamplingConfig sampling(Settings s) {
        boolean samples = s.flag("do_sample", false);
        return SamplingConfig.GREEDY.with(c -> {
            c.repetitionPenalty = s.real("repetition_penalty", 1);
            if (!samples) return;
            c.temperature = s.real("temperature", 1);
            c.topK = (int) s.real("top_k", 50);
            c.topP = s.real("top_p", 1);
            c.minP = s.real("min_p", 0);
        });
    }

    @Override
    public About about() {
        return about;
    }

    /// What its graph takes and gives, and how much of it.
    public Ports layout() {
        return ports;
    }

    public Tokenizer tokenizer() {
        return tokenizer;
    }

    /// What the model's `generation_config.json` or `genai_config.json` asks for; greedy if it has none.
    public SamplingConfig defaults() {
        return defaults;
    }

    /// How the model wants conversations written; empty for a model that only continues text.
    public Optional<ChatTemplate> chatTemplate() {
        return chatTemplate;
    }

    /// The ids of a text to continue: BOS in front where the model wants it; special tokens in the text are ordinary text.
    public int[] encode(String text) {
        int[] ids = tokenizer.encode(text, true, false);
        return ids.length > 0 ? ids : new int[] {startOfText()};
    }

    /// The ids of a conversation, as the chat template writes it: special tokens are recognised, nothing is put in front.
    ///
    /// @throws UserError if the model has no chat template, or the template refuses the messages
    public int[] encode(List<Message> messages, boolean addGenerationPrompt) {
        ChatTemplate template = chatTemplate.orElseThrow(() -> new UserError(about.name(), "the model has no chat template",
                "send the text as it is with --raw"));
        check(messages);
        String text = template.render(messages, addGenerationPrompt, Map.of());
        if (pictures.isEmpty()) return tokenizer.encode(text, false, true);
        List<Pictures.Seen> seen = new ArrayList<>();
        for (Message message : messages)
            for (Map<?, ?> part : message.attachments()) seen.add(pictures.get().see(picture(part)));
        return pictures.get().placed(tokenizer.encode(pictures.get().expanded(text, seen, tokenizer), false, true), seen);
    }

    private static Picture picture(Map<?, ?> part) {
        if (part.get("path") instanceof String path) return Picture.read(Path.of(path));
        String url = String.valueOf(part.get("url"));
        int data = url.indexOf(";base64,");
        if (!url.startsWith("data:") || data < 0)
            throw new UserError("image", "\"" + url + "\" is no file and no data in base64", "name a file");
        try {
            return Picture.of("image", Base64.getMimeDecoder().decode(url.substring(data + ";base64,".length())));
        } catch (IllegalArgumentException e) {
            throw new UserError("image", "the data is not base64: " + e.getMessage(), "", e);
        }
    }

    /// Whether the model can read every part of the messages; one that is no text would reach another model as a few words
    /// about it, or not at all.
    ///
    /// @throws UserError naming a part that it cannot
    public void check(List<Message> messages) {
        for (Message message : messages)
            for (Map<?, ?> part : message.attachments())
                if (pictures.isEmpty() || !"image".equals(part.get("type")))
                    throw new UserError(String.valueOf(part.get("type")), about.name() + " reads text"
                            + (pictures.isEmpty() ? " only" : " and pictures only"), "leave the " + part.get("type") + " out");
    }

    /// The ids as a model without pictures has them: see [Pictures].
    int[] spoken(int[] ids) {
        return pictures.map(p -> p.spoken(ids)).orElse(ids);
    }

    /// The token that stands for an empty context: BOS, or EOS where there is none.
    public int startOfText() {
        return tokenizer.bos().orElseGet(() -> tokenizer.eos().orElse(0));
    }

    /// An empty cache, for one conversation.
    public KvCache cache() {
        return new KvCache(ports, 1, 0);
    }

    /// Fills `cache` anew with the first of `ids`, of which there are more than it was meant for: positions of a longer sequence
    /// may turn otherwise, all of them. Logits are given of the last.
    ///
    /// @return false if a pass was interrupted
    boolean refill(KvCache cache, int[] ids, Consumer<Pass> running, Wanted wanted) {
        cache.use(session, ids.length);
        return feed(cache, ids, 1, running, wanted);
    }

    /// An empty cache for prompts that share their first part: what an answer says does not depend on what was asked before,
    /// to the bit. It computes up to 63 positions again that [#cache] would use.
    public KvCache steadyCache() {
        return new KvCache(ports, 1, ports.oneByOne() ? Integer.MAX_VALUE : STRIDE);
    }

    /// Decodes `n` answers to `prompt`; what `cache` holds of it already is not computed again.
    ///
    /// @throws UserError if the prompt is longer than the context length, or the format that is asked for cannot be had
    public Decoding decode(KvCache cache, int[] prompt, SamplingConfig config, int n) {
        return decode(cache, prompt, config, 0, n);
    }

    /// The samples `first` to `first + n - 1`, as if all before them were decoded too.
    public Decoding decode(KvCache cache, int[] prompt, SamplingConfig config, int first, int n) {
        checkPrompt(prompt);
        cache.use(session, prompt.length);
        if (n < 1 || n > 1024) throw new UserError("-n", "must be from 1 to 1024, was " + n, "");
        return new Decoding(this, cache, prompt, config, first, n);
    }

    /// What holds an answer of at most `left` tokens to a format.
    Constraint constraint(Format format, int left) {
        Pieces sorted = pieces();
        return new Constraint(sorted, sorted.automaton(format), tokenizer, left);
    }

    private synchronized Pieces pieces() {
        if (pieces == null) pieces = new Pieces(tokenizer, ports.vocabSize());
        return pieces;
    }

    private void checkPrompt(int[] prompt) {
        if (prompt.length == 0) throw new UserError("", "the prompt is empty", "");
        for (int id : prompt)
            if ((id < 0 || id >= ports.vocabSize()) && !pictures.map(p -> p.holds(id)).orElse(false))
                throw new UserError("", "token id " + id + " is not in the vocabulary of " + ports.vocabSize(), "");
        if (prompt.length > ports.nPositions())
            throw new UserError("", "prompt is %,d tokens, context length is %,d: %,d too many".formatted(
                    prompt.length, ports.nPositions(), prompt.length - ports.nPositions()), "shorten it, or /clear the conversation");
    }

    /// Scores a continuation: the sum over its tokens of ln p(token | everything before it).
    ///
    /// Trailing spaces of `context` are moved to `continuation`; then `context + continuation` is encoded once and split
    /// after as many tokens as `context` alone encodes to. A context too long for the model is cut from the left.
    ///
    /// @param context may be empty: the BOS token (EOS if the model has none) then stands in for it
    /// @throws UserError if the continuation is empty or alone exceeds the context length
    /// Source: `loglikelihood` and `_encode_pair` of EleutherAI/lm-evaluation-harness, which moves line ends too.
    public Score score(KvCache cache, String context, String continuation) {
        String stripped = context.replaceFirst(" +$", "");
        String moved = context.substring(stripped.length()) + continuation;
        if (moved.isEmpty()) throw new UserError("", "the continuation is empty", "");
        if (stripped.isEmpty()) {
            int[] ids = tokenizer.encode(moved, false, false);
            boolean given = ids.length > 1 && ids[0] == startOfText();
            return given ? score(cache, new int[] {ids[0]}, Arrays.copyOfRange(ids, 1, ids.length))
                    : score(cache, new int[] {startOfText()}, ids);
        }
        int[] whole = tokenizer.encode(stripped + moved, true, false);
        int split = tokenizer.encode(stripped, true, false).length;
        if (split >= whole.length) throw new UserError("", "the continuation adds no token to the context", "");
        return score(cache, Arrays.copyOf(whole, split), Arrays.copyOfRange(whole, split, whole.length));
    }

    /// Scores `continuation` after `context`, both ids; neither may be empty.
    public Score score(KvCache cache, int[] context, int[] continuation) {
        if (continuation.length == 0) throw new UserError("", "the continuation is empty", "");
        int most = ports.nPositions();
        if (continuation.length > most)
            throw new UserError("", "continuation is %,d tokens, context length is %,d".formatted(continuation.length, most), "");
        int cut = Math.max(0, context.length + continuation.length - (most + 1));
        int kept = context.length - cut;
        int[] fed = new int[kept + continuation.length - 1];
        System.arraycopy(context, cut, fed, 0, kept);
        System.arraycopy(continuation, 0, fed, kept, continuation.length - 1);
        checkPrompt(fed);
        cache.use(session, fed.length);
        int held = cache.reuse(fed, Math.min(kept - 1, fed.length - 2));
        List<Candidate> tokens = new ArrayList<>();
        boolean[] greedy = {true};
        double[] sum = {0};
        float[] logits = new float[ports.vocabSize()];
        feed(cache, Arrays.copyOfRange(fed, held, fed.length), continuation.length, _ -> {}, (pass, i, at) -> {
            int id = continuation[held + at - (kept - 1)];
            double logprob = pass.logprob(i, id);
            pass.logits(i, logits);
            greedy[0] &= Sampler.argmax(logits) == id;
            sum[0] += logprob;
            tokens.add(new Candidate(id, tokenizer.piece(id), logprob));
        });
        return new Score(sum[0], greedy[0], tokens, cut);
    }

    /// Scores a whole text, each token once: windows of the context length that do not overlap, each after one token.
    ///
    /// Source: `get_rolling_token_windows` of EleutherAI/lm-evaluation-harness, with a context of one token.
    public Score scoreRolling(KvCache cache, String text) {
        int[] ids = tokenizer.encode(text, false, false);
        if (ids.length == 0) throw new UserError("", "the text is empty", "");
        List<Candidate> tokens = new ArrayList<>();
        boolean greedy = true;
        double sum = 0;
        int most = ports.nPositions();
        for (int from = 0; from < ids.length; from += most) {
            int[] window = Arrays.copyOfRange(ids, from, Math.min(ids.length, from + most));
            // the last window reaches back so that it is as long as the others; only its new tokens count
            int back = from == 0 ? 0 : Math.max(0, most - window.length);
            int[] context = from == 0 ? new int[] {startOfText()} : Arrays.copyOfRange(ids, from - 1 - back, from);
            Score score = score(cache, context, window);
            tokens.addAll(score.tokens());
            greedy &= score.isGreedy();
            sum += score.loglikelihood();
        }
        return new Score(sum, greedy, tokens, 0);
    }

    /// Takes `input_ids`, `attention_mask` with the 1 of a row in one piece, and `position_ids` that count from its first on;
    /// gives `logits` `(batch, sequence, vocab_size)`. A model that reads pictures takes `pixel_values` `(batch, tiles, channels,
    /// height, width)` too, tiles of zeros being padding, and gives `image_hidden_states`.
    @Override
    public Map<String, Tensor> forward(Map<String, Tensor> inputs) {
        SequencedMap<String, Tensor> outputs = new LinkedHashMap<>();
        Map<String, Tensor> text = new LinkedHashMap<>(inputs);
        pictures.ifPresent(p -> p.forward(text, outputs));
        Rows rows = Rows.of(text);
        float[] all = new float[Math.multiplyExact(rows.batch() * rows.sequence(), ports.vocabSize())];
        for (int r = 0; r < rows.batch(); r++) {
            float[][] logits = forward(rows.ids(r));
            for (int i = 0; i < logits.length; i++)
                System.arraycopy(logits[i], 0, all, (r * rows.sequence() + rows.first(r) + i) * ports.vocabSize(), ports.vocabSize());
        }
        outputs.putFirst("logits", Tensor.ofFloat32(all, rows.batch(), rows.sequence(), ports.vocabSize()));
        return outputs;
    }

    /// `pixel_values` of a picture's tiles, for [#forward].
    @Override
    public Map<String, Tensor> inputs(Path file) {
        if (pictures.isEmpty()) return Loaded.super.inputs(file);
        return Map.of("pixel_values", pictures.get().tiles(Picture.read(file)).pixelValues());
    }

    /// Logits at every position of a row of ids: float32 `(ids.length, vocab_size)`, one array a position.
    public float[][] forward(int[] ids) {
        checkPrompt(ids);
        float[][] all = new float[ids.length][ports.vocabSize()];
        try (KvCache cache = cache()) {
            cache.use(session, ids.length);
            feed(cache, ids, ids.length, _ -> {}, (pass, i, at) -> pass.logits(i, all[at]));
        }
        return all;
    }

    /// Receives the logits of one position of those fed.
    interface Wanted {
        /// @param i which of the pass's logits
        /// @param at the position among those fed
        void logits(Pass pass, int i, int at);
    }

    /// Feeds `ids` behind what `cache` holds, in passes of bounded size.
    ///
    /// @param last of how many of the last positions logits are wanted
    /// @param running told each pass before it runs
    /// @return false if a pass was interrupted; the cache then holds what came before it
    boolean feed(KvCache cache, int[] ids, int last, Consumer<Pass> running, Wanted wanted) {
        cache.reserve(cache.length() + ids.length);
        int firstWanted = ids.length - last;
        for (int from = 0; from < ids.length; ) {
            int to = end(cache, from, firstWanted, ids.length);
            int positions = Math.max(1, to - Math.max(from, firstWanted));
            try (Pass pass = pass(cache, to - from, positions)) {
                for (int at = from; at < to; at++) pass.id(0, at - from, ids[at]);
                for (int i = 0; i < positions; i++) pass.want(i, 0, to - from - positions + i);
                running.accept(pass);
                if (!pass.run()) return false;
                cache.appendPass(Arrays.copyOfRange(ids, from, to));
                for (int at = Math.max(from, firstWanted); at < to; at++) wanted.logits(pass, at - to + positions, at);
            }
            from = to;
        }
        return true;
    }

    /// Where the pass from `from` on ends.
    private int end(KvCache cache, int from, int firstWanted, int length) {
        // a pass returns logits of a bounded number of positions
        int scored = ports.scored(SCORED_CHUNK);
        if (ports.singly(cache.length())) return from + 1;
        if (ports.oneByOne()) return from + Math.min((scored == 1 ? firstWanted + 1 : length) - from, session.longestPass());
        int to = Math.min(length, from >= firstWanted ? from + scored
                : Math.min(from + ports.computed(CHUNK), firstWanted + scored));
        to = from + Math.min(to - from, cache.longestPass());
        // a position alone takes another path through attention, whose rounding differs
        if (to == length - 1 && cache.stride() == 0 && scored > 1) to = length;
        return from + Math.min(to - from, session.longestPass());
    }

    Pass pass(KvCache cache, int sequence, int positions) {
        return new Pass(session, ports, pictures, cache, sequence, positions);
    }

    @Override
    public void close() {
        close(opened);
        tokenizer.close();
    }
}
