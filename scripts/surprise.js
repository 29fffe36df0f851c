// What surprises a model: each line of a text, given the lines before it, in bits per byte: what the line would take to be
// transmitted with the model as the code (Shannon 1951, "Prediction and Entropy of Printed English", guessed it from people:
// about one bit a letter). Bits per byte can be compared between models, perplexity per token only within one tokenizer.
//
// A proverb takes few bits, a sentence of nonsense many; a line said before takes almost none, which is in-context learning
// at its barest (Olsson et al. 2022, "In-context Learning and Induction Heads").
//
// Run: fewsh run scripts/surprise.js [file=data/passage.txt] [limit=40]
const option = (name, otherwise) => args.find(a => a.startsWith(name + "="))?.slice(name.length + 1) ?? otherwise;
const lines = readText(option("file", "data/passage.txt")).split("\n").filter(line => line.trim() !== "")
    .slice(0, Number(option("limit", 40)));

const bytes = text => [...text].reduce((sum, c) => {
    const code = c.codePointAt(0);
    return sum + (code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4);
}, 0);

const results = [];
let before = "\n";
for (const line of progress(lines, "lines")) {
    const { loglikelihood, tokens } = score(before, line);
    const hardest = tokens.reduce((worst, token) => token.logprob < worst.logprob ? token : worst);
    results.push({ line, bits: -loglikelihood / Math.LN2 / bytes(line), perplexity: Math.exp(-loglikelihood / tokens.length),
        "hardest token": hardest.text.trim() });
    before += line + "\n";
}

table(results, { title: "Bits per byte of each line, given those before" });
chart(Object.fromEntries(results.map((r, i) => [`${i + 1} ${r.line.slice(0, 18)}`, r.bits])), { title: "bits per byte" });
