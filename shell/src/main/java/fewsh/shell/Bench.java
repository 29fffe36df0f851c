package fewsh.shell;

import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import fewsh.UserError;
import fewsh.generate.CausalLm;
import fewsh.generate.Decoding;
import fewsh.generate.FinishReason;
import fewsh.generate.KvCache;
import fewsh.generate.SamplingConfig;
import fewsh.generate.Step;
import fewsh.load.About;
import fewsh.models.Precision;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/// `fewsh bench`: speed and memory, in llama-bench's terms.
///
/// `ppN` is a prompt of N tokens, `tgN` N tokens generated one by one, `@ dD` behind D tokens of context. One run to warm up,
/// then `repetitions` that count. Prompts are random tokens; tokenizing is not part of the time.
record Bench(List<Integer> prompts, List<Integer> generated, List<Integer> depths, int repetitions, Output output) {
    private enum Output { MD, CSV, JSON, JSONL }

    /// A row of the result.
    ///
    /// @param rates tokens a second, one a repetition
    private record Row(String test, double[] rates, Duration firstToken, long peakRss) {
        double mean() {
            return Arrays.stream(rates).average().orElse(0);
        }

        double stddev() {
            if (rates.length < 2) return 0;
            double mean = mean();
            return Math.sqrt(Arrays.stream(rates).map(r -> (r - mean) * (r - mean)).sum() / (rates.length - 1));
        }
    }

    static int run(Workspace workspace, Options options) {
        options.expect("bench", "nothing", 0, 0);
        Bench bench = of(options, workspace.render().json());
        if (workspace.loaded().isEmpty() || options.has("model"))
            workspace.load(workspace.modelName(options), workspace.loadOptions(options, Precision.AUTO));
        bench.run(workspace, workspace.loadOptions(options, Precision.AUTO).threads());
        return 0;
    }

    private static Bench of(Options options, boolean json) {
        String output = options.get("output", json ? "jsonl" : "md");
        Output chosen = Arrays.stream(Output.values()).filter(o -> o.name().equalsIgnoreCase(output)).findFirst()
                .orElseThrow(() -> new UserError("--output", "unknown output \"" + output + "\"",
                        "outputs are md, csv, json, jsonl"));
        return new Bench(list(options, "n_prompt", "512"), list(options, "n_gen", "128"),
                list(options, "n_depth", "0"), options.whole("repetitions", 5, 1), chosen);
    }

    private static List<Integer> list(Options options, String key, String otherwise) {
        List<String> given = options.has(key) ? options.all(key) : List.of(otherwise);
        return given.stream().flatMap(text -> Arrays.stream(text.split(","))).map(text -> Options.whole(key, text.strip(), 0))
                .distinct().toList();
    }

    private void run(Workspace workspace, int threads) {
        CausalLm model = workspace.model();
        int context = model.about().contextLength();
        for (int depth : depths)
            for (int n : both())
                if (depth + n + 1 > context)
                    throw new UserError("fewsh bench", "depth " + depth + " and " + n + " tokens exceed the context length of "
                            + Render.count(context), "choose smaller ones");
        List<Row> rows = new ArrayList<>();
        head(workspace, model.about());
        for (int depth : depths) {
            for (int n : prompts) if (n > 0) rows.add(measure(workspace, threads, "pp" + n, depth, n, false));
            for (int n : generated) if (n > 0) rows.add(measure(workspace, threads, "tg" + n, depth, n, true));
        }
        if (output == Output.JSON)
            workspace.render().line("[\n" + String.join(",\n", rows.stream()
                    .map(row -> "  " + json(row, workspace, threads)).toList()) + "\n]");
        String first = rows.isEmpty() ? ""
                : " · first token of " + rows.getFirst().test() + " " + Render.time(rows.getFirst().firstToken());
        workspace.render().note("load " + Render.time(workspace.loadTime()) + first
                + (Memory.peak() < 0 ? "" : " · peak memory " + Render.bytes(Memory.peak())));
    }

    private List<Integer> both() {
        List<Integer> both = new ArrayList<>(prompts);
        both.addAll(generated);
        return both;
    }

    private Row measure(Workspace workspace, int threads, String name, int depth, int n, boolean generate) {
        CausalLm model = workspace.model();
        String test = depth == 0 ? name : name + " @ d" + depth;
        double[] rates = new double[repetitions];
        Duration first = Duration.ZERO;
        try (KvCache cache = model.cache()) {
            for (int i = -1; i < repetitions; i++) {
                workspace.render().progress(test + "  " + Math.max(0, i) + "/" + repetitions);
                cache.trim(0);
                int[] prompt = random(model, depth + (generate ? 1 : n), 42 + i);
                if (depth > 0) draw(workspace, cache, Arrays.copyOf(prompt, depth), 1);
                Timing timing = generate ? generate(workspace, cache, prompt, n) : draw(workspace, cache, prompt, 1);
                if (i < 0) continue;
                first = timing.prefill();
                rates[i] = generate ? timing.tokens() / seconds(timing.decode()) : n / seconds(timing.prefill());
            }
        }
        workspace.render().clearProgress();
        Row row = new Row(test, rates, first, Memory.peak());
        print(row, workspace, threads);
        return row;
    }

    /// @param tokens that `decode` was spent on
    private record Timing(int tokens, Duration prefill, Duration decode) {}

    /// Generates `n` tokens behind `prompt`, beginning again where the model ends its text.
    private static Timing generate(Workspace workspace, KvCache cache, int[] prompt, int n) {
        int tokens = 0;
        Duration decode = Duration.ZERO;
        Duration prefill = null;
        for (int next = 0; tokens < n; next++) {
            if (next > 10 * n) throw new UserError("bench", "the model ends its text at once, whatever comes before", "");
            prompt[prompt.length - 1] = random(workspace.model(), 1, next)[0];
            Timing part = draw(workspace, cache, prompt, n - tokens + 1);
            if (prefill == null) prefill = part.prefill();
            tokens += part.tokens();
            decode = decode.plus(part.decode());
        }
        return new Timing(tokens, prefill, decode);
    }

    private static Timing draw(Workspace workspace, KvCache cache, int[] prompt, int most) {
        SamplingConfig config = SamplingConfig.GREEDY.withMaxTokens(most);
        try (Decoding decoding = workspace.model().decode(cache, prompt, config, 1)) {
            workspace.running(decoding::interrupt);
            while (decoding.hasNext())
                if (decoding.next() instanceof Step.Stop(_, FinishReason reason, _) && reason == FinishReason.INTERRUPTED)
                    throw new UserError("bench", "interrupted", "");
            return new Timing(decoding.decodeSteps(), decoding.prefillTime(), decoding.decodeTime());
        } finally {
            workspace.running(null);
        }
    }

    private static int[] random(CausalLm model, int n, int seed) {
        return new Random(seed).ints(0, model.about().vocabSize()).filter(id -> !model.tokenizer().isSpecial(id)).limit(n)
                .toArray();
    }

    private static double seconds(Duration time) {
        return Math.max(1e-9, time.toNanos() / 1e9);
    }

    private void head(Workspace workspace, About about) {
        switch (output) {
            case MD -> {
                workspace.render().line("| model | size | params | precision | device | threads | test | t/s |");
                workspace.render().line("| --- | ---: | ---: | --- | --- | ---: | --- | ---: |");
            }
            case CSV -> workspace.render().line(
                    "model,size_bytes,params,precision,device,threads,test,tokens_per_second,stddev,peak_rss_bytes");
            case JSON, JSONL -> {}
        }
    }

    private void print(Row row, Workspace workspace, int threads) {
        JsonObject json = json(row, workspace, threads);
        switch (output) {
            case MD -> workspace.render().line(String.format(Locale.ROOT, "| %s | %s | %s | %s | %s | %d | %s | %.2f ± %.2f |",
                    json.get("model").getAsString(), Render.bytes(json.get("size_bytes").getAsLong()),
                    Render.parameters(json.get("params").getAsLong()), json.get("precision").getAsString(),
                    json.get("device").getAsString(), threads, row.test(), row.mean(), row.stddev()));
            case CSV -> workspace.render().line(String.join(",", json.asMap().values().stream()
                    .map(v -> v.isJsonNull() ? "" : v.getAsString()).map(Bench::csv).toList()));
            case JSONL -> workspace.render().line(json);
            case JSON -> {}
        }
    }

    private static String csv(String value) {
        return value.matches("[^,\"\n]*") ? value : '"' + value.replace("\"", "\"\"") + '"';
    }

    private static JsonObject json(Row row, Workspace workspace, int threads) {
        About about = workspace.model().about();
        JsonObject json = new JsonObject();
        json.addProperty("model", workspace.modelName());
        json.addProperty("size_bytes", about.sizeBytes());
        json.addProperty("params", about.parameters());
        json.addProperty("precision", about.precision().name().toLowerCase(Locale.ROOT));
        Models.addDevice(json, about);
        json.addProperty("threads", threads);
        json.addProperty("test", row.test());
        json.addProperty("tokens_per_second", Math.round(row.mean() * 1e4) / 1e4);
        json.addProperty("stddev", Math.round(row.stddev() * 1e4) / 1e4);
        json.add("peak_rss_bytes", row.peakRss() < 0 ? JsonNull.INSTANCE : new JsonPrimitive(row.peakRss()));
        return json;
    }
}
