// The order of the examples matters: the same four shots, in all 24 orders, give accuracies that may lie anywhere between
// chance and good (Lu et al. 2022, "Fantastically Ordered Prompts and Where to Find Them"). Nothing but the order changes.
//
// Look at the orders at the bottom: often all examples of one label come last there, and the model repeats what it read
// last (recency bias, Zhao et al. 2021). A result of one order says little; report the spread, or calibrate.
//
// Run: fewsh run scripts/shot_order.js [limit=16] [shots=4] [--input reviews.jsonl]
// The rows need `text` and `label`. The first rows are the shots, the next ones the items.
const option = (name, otherwise) => args.find(a => a.startsWith(name + "="))?.slice(name.length + 1) ?? otherwise;
const rows = input ?? readJsonl("data/reviews.jsonl");
const labels = [...new Set(rows.map(row => row.label))].sort();
const shots = rows.slice(0, Number(option("shots", 4)));
const items = rows.slice(shots.length, shots.length + Number(option("limit", 16)));

function orders(list) {
    return list.length < 2 ? [list] : list.flatMap((first, i) => orders(list.toSpliced(i, 1)).map(rest => [first, ...rest]));
}

const results = [];
for (const examples of progress(orders(shots), "orders")) {
    const prompt = compose({ prompt: "Review: {{ text }}\nSentiment:", shots: { examples, label: "label" } });
    let right = 0;
    for (const item of items) {
        const asked = prompt.with({ text: item.text });
        const likelihood = labels.map(label => score(asked, label).loglikelihood);
        if (labels[likelihood.indexOf(Math.max(...likelihood))] === item.label) right++;
    }
    const order = examples.map(shot => `${shots.indexOf(shot) + 1} ${shot.label}`).join(", ");
    results.push({ order, accuracy: right / items.length });
}

results.sort((a, b) => b.accuracy - a.accuracy);
table(results, { title: `${results.length} orders of the same ${shots.length} shots, ${items.length} items` });
chart(results.map(r => r.accuracy), { kind: "histogram", title: "orders by accuracy", bins: 8 });
