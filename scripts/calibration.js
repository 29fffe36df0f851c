// Calibrate before use (Zhao et al. 2021): a prompt leans towards some label whatever the input is, by the order and the
// labels of its examples. How much is measured with an input that says nothing, `N/A`, and taken away again:
// p(label | item) / p(label | content-free), normalised. No data is needed for it.
//
// The shots here are unfair on purpose: three of one label, then one of the other. Before calibration most items get the
// same label; after it the labels are told apart by what the item adds.
//
// Run: fewsh run scripts/calibration.js [limit=24] [--input reviews.jsonl]
// The rows need `text` and `label`, two labels. The last rows are the items.
const option = (name, otherwise) => args.find(a => a.startsWith(name + "="))?.slice(name.length + 1) ?? otherwise;
const rows = input ?? readJsonl("data/reviews.jsonl");
const labels = [...new Set(rows.map(row => row.label))].sort();
const items = rows.slice(-Number(option("limit", 24)));
const free = ["N/A", "[MASK]", " "];          // the paper's three content-free inputs, averaged

const softmax = logits => {
    const total = logits.reduce((sum, l) => sum + Math.exp(l), 0);
    return logits.map(l => Math.exp(l) / total);
};
const best = values => labels[values.indexOf(Math.max(...values))];

const results = [];
for (const [many, one] of [labels, labels.toReversed()]) {
    const of = label => rows.filter(row => row.label === label);
    const examples = [...of(many).slice(0, 3), of(one)[0]];
    const prompt = compose({ prompt: "Review: {{ text }}\nSentiment:", shots: { examples, label: "label" } });
    const probabilities = text => softmax(labels.map(label => score(prompt.with({ text }), label).loglikelihood));
    const bias = labels.map((_, i) => free.reduce((sum, text) => sum + probabilities(text)[i], 0) / free.length);
    let before = 0, after = 0, said = 0;
    for (const item of progress(items, `three ${many}`)) {
        const p = probabilities(item.text);
        const calibrated = p.map((value, i) => value / bias[i]);
        if (best(p) === item.label) before++;
        if (best(calibrated) === item.label) after++;
        if (best(p) === many) said++;
    }
    results.push({ shots: `3 ${many}, 1 ${one}`, lean: bias[labels.indexOf(many)], said: said / items.length,
        before: before / items.length, after: after / items.length });
}

// lean: the probability of the majority's label when the input says nothing; said: how often it was the answer, before
table(results, { title: `Accuracy before and after calibration, ${items.length} items` });
const bars = results.flatMap(r => ["before", "after"].map(when => [`${r.shots.split(",")[0]}, ${when}`, r[when]]));
chart(bars, { kind: "bar", title: "accuracy" });
