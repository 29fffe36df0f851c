// What temperature buys: samples of one prompt at rising temperatures, and how much they differ. distinct-1 and distinct-2
// are how many different words and pairs of words there are, over how many in all (Li et al. 2016, "A Diversity-Promoting
// Objective Function for Neural Conversation Models"); `logprob` is what the model thinks of its own tokens, in nats each.
//
// Diversity rises and likelihood falls; where the samples stop making sense is for your eyes, hence the first sample of
// each. Holtzman et al. 2020 ("The Curious Case of Neural Text Degeneration") explain both ends, and top_p, to try next.
//
// Run: fewsh run scripts/temperature_sweep.js ["prompt=Once upon a time"] [n=8] [max_tokens=24] [seed=1] [top_p=1]
const option = (name, otherwise) => args.find(a => a.startsWith(name + "="))?.slice(name.length + 1) ?? otherwise;
const prompt = option("prompt", "Once upon a time, in a small village by the sea,");
const n = Number(option("n", 8));
const [max_tokens, seed, top_p] = [["max_tokens", 24], ["seed", 1], ["top_p", 1]].map(([name, usual]) =>
    Number(option(name, usual)));

function distinct(texts, size) {
    const grams = texts.flatMap(text => {
        const words = text.toLowerCase().split(/\s+/).filter(word => word !== "");
        return words.slice(size - 1).map((_, i) => words.slice(i, i + size).join(" "));
    });
    return grams.length === 0 ? 0 : new Set(grams).size / grams.length;
}

const results = [];
for (const temperature of progress([0.2, 0.5, 0.8, 1.1, 1.4], "temperature")) {
    const samples = sample(prompt, n, { max_tokens, seed, top_p, temperature, details: true });
    const texts = samples.map(s => s.text);
    const tokens = samples.reduce((sum, s) => sum + s.completion_tokens, 0);
    results.push({
        temperature, "distinct-1": distinct(texts, 1), "distinct-2": distinct(texts, 2),
        logprob: samples.reduce((sum, s) => sum + s.logprob, 0) / Math.max(1, tokens), "first sample": texts[0].trim(),
    });
}

table(results, { title: `${n} samples of "${prompt}"` });
const line = column => results.map(r => [r.temperature, r[column]]);
chart({ "distinct-1": line("distinct-1"), "distinct-2": line("distinct-2") }, { x: "temperature", y: "distinct" });
