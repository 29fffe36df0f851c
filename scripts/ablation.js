// What does each part of a prompt add? The whole prompt, then the same without its role, its context, its instruction, its
// style, its examples, one at a time. A part whose absence changes nothing is tokens spent for nothing.
//
// Leaving one part out is the ablation of any experimental paper; for prompts Mishra et al. 2022 ("Reframing Instructional
// Prompts") and Min et al. 2022 (examples without their right labels) did it systematically. Parts overlap: two that are each
// dispensable need not be dispensable together.
//
// Run: fewsh run scripts/ablation.js [limit=24] [--input reviews.jsonl]
// The rows need `text` and `label`. `logprob` is that of the right label, in nats.
const option = (name, otherwise) => args.find(a => a.startsWith(name + "="))?.slice(name.length + 1) ?? otherwise;
const rows = input ?? readJsonl("data/reviews.jsonl");
const labels = [...new Set(rows.map(row => row.label))].sort();
const items = rows.slice(4, 4 + Number(option("limit", 24)));

const whole = {
    role: "You are a film critic.",
    context: "The reviews are from a newspaper.",
    instruction: `Say whether the review is ${labels.join(" or ")}.`,
    style: "Answer with one word.",
    shots: { examples: rows.slice(0, 4), label: "label" },
    prompt: "Review: {{ text }}\nSentiment:",
};
const variants = { "the whole prompt": whole };
for (const part of ["role", "context", "instruction", "style", "shots"]) {
    const { [part]: _, ...rest } = whole;
    variants[`without ${part}`] = rest;
}
variants["only the question"] = { prompt: whole.prompt };

const results = [];
for (const [variant, parts] of Object.entries(variants)) {
    const prompt = compose(parts);
    let right = 0, logprob = 0, tokens = 0;
    for (const item of progress(items, variant)) {
        const asked = prompt.with({ text: item.text });
        const likelihood = labels.map(label => score(asked, label).loglikelihood);
        if (labels[likelihood.indexOf(Math.max(...likelihood))] === item.label) right++;
        logprob += likelihood[labels.indexOf(item.label)];
        tokens += tokenize(asked).ids.length;
    }
    results.push({ prompt: variant, accuracy: right / items.length, logprob: logprob / items.length,
        tokens: tokens / items.length });
}

table(results, { title: `One part left out at a time, ${items.length} reviews` });
chart(Object.fromEntries(results.slice(1).map(r => [r.prompt, r.logprob - results[0].logprob])),
    { title: "change of the right label's logprob" });
