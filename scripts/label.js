// Batch labelling: rows in, JSON Lines out. Each row gets the likeliest of a closed list of labels and the probability that
// the model gives it among them, so that the unsure ones can be looked at by a person first: the rows are worth sorting by it.
//
// Labels are shown by two examples each (Brown et al. 2020) and calibrated (Zhao et al. 2021). Gilardi et al. 2023 ("ChatGPT
// Outperforms Crowd Workers for Text-Annotation Tasks") is about what large models do here; a small one needs checking.
//
// Run: fewsh run scripts/label.js [out=labelled.jsonl] [limit=100] [--input messages.jsonl]
// The rows need `text`; all their fields are kept, `label` and `p` are added.
const option = (name, otherwise) => args.find(a => a.startsWith(name + "="))?.slice(name.length + 1) ?? otherwise;
const rows = (input ?? readJsonl("data/messages.jsonl")).slice(0, Number(option("limit", 100)));
const labels = {
    billing: ["I want a refund for the second ticket.", "There is a mistake in the invoice."],
    delivery: ["The parcel came too late.", "The courier left it in the rain."],
    account: ["How do I change my password?", "My name is spelt wrong in my profile."],
};

const names = Object.keys(labels);
const prompt = compose({
    instruction: `Say which department a message is for: ${names.join(", ")}.`,
    prompt: "Message: {{ text }}\nDepartment:",
    shots: { examples: [0, 1].flatMap(i => names.map(label => ({ text: labels[label][i], label }))), label: "label" },
});

const likelihoods = text => names.map(name => Math.exp(score(prompt.with({ text }), name).loglikelihood));
const lean = likelihoods("N/A");               // towards which label the prompt leans by itself, see calibration.js

const labelled = [];
for (const row of progress(rows, "labelling")) {
    const p = likelihoods(row.text).map((likelihood, i) => likelihood / lean[i]);
    const best = p.indexOf(Math.max(...p));
    labelled.push({ ...row, label: names[best], p: p[best] / p.reduce((sum, one) => sum + one, 0) });
}

const out = option("out", "labelled.jsonl");
writeJsonl(out, labelled);
const unsure = labelled.toSorted((a, b) => a.p - b.p).slice(0, 10);
table(unsure, { columns: ["text", "label", "p"], title: "The ten that are least sure" });
const counts = names.map(name => [name, labelled.filter(row => row.label === name).length]);
chart(Object.fromEntries(counts), { title: `${out}: rows by label` });
