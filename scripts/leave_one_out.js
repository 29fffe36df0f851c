// What does each shot add? All shots, then the same without the first, without the second, and so on: the difference in the
// likelihood of the right labels is that shot's influence (Nguyen and Wong 2023, "In-context Example Selection with
// Influences", estimate the same over random subsets, which also sees what shots do together).
//
// A shot below zero harms: the prompt is better and shorter without it. The wrong label of one shot is a good test of how
// much labels matter at all (Min et al. 2022): try `flip=2`.
//
// Run: fewsh run scripts/leave_one_out.js [shots=6] [limit=16] [flip=0] [--input reviews.jsonl]
// The rows need `text` and `label`. The first rows are the shots, the next ones the items.
const option = (name, otherwise) => args.find(a => a.startsWith(name + "="))?.slice(name.length + 1) ?? otherwise;
const rows = input ?? readJsonl("data/reviews.jsonl");
const labels = [...new Set(rows.map(row => row.label))].sort();
const flip = Number(option("flip", 0));
const shots = rows.slice(0, Number(option("shots", 6)))
    .map((row, i) => i + 1 === flip ? { ...row, label: labels.find(label => label !== row.label) } : row);
const items = rows.slice(shots.length, shots.length + Number(option("limit", 16)));

function measured(examples) {
    const prompt = compose({ prompt: "Review: {{ text }}\nSentiment:", shots: { examples, label: "label" } });
    let right = 0, sum = 0;
    for (const item of items) {
        const asked = prompt.with({ text: item.text });
        const likelihood = labels.map(label => score(asked, label).loglikelihood);
        if (labels[likelihood.indexOf(Math.max(...likelihood))] === item.label) right++;
        sum += likelihood[labels.indexOf(item.label)];
    }
    return { accuracy: right / items.length, logprob: sum / items.length };
}

const all = measured(shots);
const results = [];
for (const shot of progress(shots, "shots")) {
    const without = measured(shots.filter(other => other !== shot));
    results.push({ without: shot.text, label: shot.label, accuracy: without.accuracy, logprob: without.logprob,
        influence: all.logprob - without.logprob });
}

const whole = { without: "(all shots)", label: "", ...all, influence: null };
table([whole, ...results], { title: `${shots.length} shots, ${items.length} items` });
chart(Object.fromEntries(results.map((r, i) => [`${i + 1} ${r.without.slice(0, 20)}`, r.influence])),
    { title: "influence, nats per item" });
