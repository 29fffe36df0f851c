// The words around the input matter: the same reviews, the same question, six ways to write it. Sclar et al. 2024
// ("Quantifying Language Models' Sensitivity to Spurious Features in Prompt Design") found differences of dozens of points
// between formats that mean the same, and no format that is best for every model.
//
// The words for the labels belong to the template (a verbalizer, Schick and Schütze 2021): `great` may be a likelier
// continuation than `positive` where a sentence ends. `margin` is how far the right label is ahead, in nats: it tells
// templates apart when the accuracies are equal.
//
// Run: fewsh run scripts/templates.js [limit=40] [--input reviews.jsonl]
// The rows need `text` and `label`, positive or negative.
const option = (name, otherwise) => args.find(a => a.startsWith(name + "="))?.slice(name.length + 1) ?? otherwise;
const items = (input ?? readJsonl("data/reviews.jsonl")).slice(0, Number(option("limit", 40)));

const templates = {
    "label": ["Review: {{ text }}\nSentiment:", "positive", "negative"],
    "capitals": ["REVIEW: {{ text }}\nSENTIMENT:", "positive", "negative"],
    "question": ["{{ text }}\nQuestion: Is this review positive or negative?\nAnswer:", "positive", "negative"],
    "yes or no": ["{{ text }}\nQuestion: Did the viewer like the film?\nAnswer:", "yes", "no"],
    "cloze": ["{{ text }} All in all, the film was", "great", "terrible"],
    "stars": ["{{ text }}\nStars (1 to 5):", "5", "1"],
};

const results = [];
for (const [name, [prompt, positive, negative]] of Object.entries(templates)) {
    const composed = compose({ prompt });
    let right = 0, margin = 0;
    for (const item of progress(items, name)) {
        const asked = composed.with({ text: item.text });
        const difference = score(asked, positive).loglikelihood - score(asked, negative).loglikelihood;
        const ahead = item.label === "positive" ? difference : -difference;
        if (ahead > 0) right++;
        margin += ahead;
    }
    results.push({ template: name, labels: `${positive} / ${negative}`, accuracy: right / items.length,
        margin: margin / items.length });
}

results.sort((a, b) => b.accuracy - a.accuracy || b.margin - a.margin);
table(results, { title: `Six templates, no examples, ${items.length} reviews` });
chart(Object.fromEntries(results.map(r => [r.template, r.accuracy])), { title: "accuracy" });
