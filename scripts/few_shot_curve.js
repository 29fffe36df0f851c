// Few-shot curve: how accuracy grows with the number k of examples in the prompt (Brown et al. 2020, figure 1.2).
//
// Every item is asked with 0, 1, 2, 4 and 8 examples, drawn from all rows but the item itself: as many of each label as can
// be, and keyed by the item, so that the examples of a smaller k are among those of a larger. What k adds is then not mixed
// with luck in the draw. Both labels are scored by log-likelihood, so that no answer is lost to a model that chats.
//
// Run: fewsh run scripts/few_shot_curve.js [limit=40] [ks=0,1,2,4,8] [seed=1234] [--input reviews.jsonl]
// The rows need `text` and `label`. A gain that is smaller than two standard errors may be none.
const option = (name, otherwise) => args.find(a => a.startsWith(name + "="))?.slice(name.length + 1) ?? otherwise;
const rows = input ?? readJsonl("data/reviews.jsonl");
const labels = [...new Set(rows.map(row => row.label))].sort();
const ks = option("ks", "0,1,2,4,8").split(",").map(Number);
const limit = Math.min(rows.length, Number(option("limit", rows.length)));
const items = Array.from({ length: limit }, (_, i) => rows[Math.floor(i * rows.length / limit)]);   // spread over the file

const results = [];
for (const k of ks) {
    const prompt = compose({
        prompt: "Review: {{ text }}\nSentiment:",
        shots: { examples: rows, k, by: "balanced", seed: Number(option("seed", 1234)), label: "label" },
    });
    let right = 0;
    for (const item of progress(items, `k = ${k}`)) {
        const asked = prompt.with({ text: item.text });
        const likelihood = labels.map(label => score(asked, label).loglikelihood);
        if (labels[likelihood.indexOf(Math.max(...likelihood))] === item.label) right++;
    }
    const accuracy = right / items.length;
    const error = Math.sqrt(accuracy * (1 - accuracy) / items.length);
    results.push({ k, accuracy, "standard error": error, right, items: items.length });
}

table(results, { title: `Accuracy over k, labels ${labels.join(", ")}` });
chart(results.map(r => [r.k, r.accuracy]), { x: "examples k", y: "accuracy" });
