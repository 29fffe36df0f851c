// Which examples are good ones? Each candidate is tried as the only shot: how likely does it make the right labels of a few
// development items? The best of each label are then the shots, and are compared with the worst and with the first ones on
// items that took no part in the choice.
//
// Scoring examples by the likelihood of right answers is what Rubin et al. 2022 ("Learning To Retrieve Prompts") train a
// retriever on; Chang and Jia 2023 ("Data Curation Alone Can Stabilize In-context Learning") keep the best few for good.
//
// Run: fewsh run scripts/choose_shots.js [candidates=12] [dev=8] [limit=16] [k=4] [--input reviews.jsonl]
// The rows need `text` and `label`: candidates come first, then the development items, then the test items.
const option = (name, otherwise) => args.find(a => a.startsWith(name + "="))?.slice(name.length + 1) ?? otherwise;
const rows = input ?? readJsonl("data/reviews.jsonl");
const labels = [...new Set(rows.map(row => row.label))].sort();
const [n, m, k] = [["candidates", 12], ["dev", 8], ["k", 4]].map(([name, usual]) => Number(option(name, usual)));
const candidates = rows.slice(0, n), dev = rows.slice(n, n + m), test = rows.slice(n + m, n + m + Number(option("limit", 16)));

function tried(examples, items) {
    const prompt = compose({ prompt: "Review: {{ text }}\nSentiment:", shots: { examples, label: "label" } });
    let right = 0, sum = 0;
    for (const item of items) {
        const asked = prompt.with({ text: item.text });
        const likelihood = labels.map(label => score(asked, label).loglikelihood);
        if (labels[likelihood.indexOf(Math.max(...likelihood))] === item.label) right++;
        const total = Math.log(likelihood.reduce((all, l) => all + Math.exp(l), 0));
        sum += likelihood[labels.indexOf(item.label)] - total;      // of the labels alone: ln p(right | one of the labels)
    }
    return { accuracy: right / items.length, logprob: sum / items.length };
}

const ranked = [];
for (const shot of progress(candidates, "candidates")) ranked.push({ shot, logprob: tried([shot], dev).logprob });
ranked.sort((a, b) => b.logprob - a.logprob);
table(ranked.map(({ shot, logprob }) => ({ ...shot, logprob })), { title: "Each candidate as the only shot" });

const some = list => labels.flatMap(label => list.filter(shot => shot.label === label).slice(0, k / labels.length));
const best = ranked.map(r => r.shot);
const sets = { best: some(best), first: some(candidates), worst: some(best.toReversed()) };
const results = Object.entries(sets).map(([shots, examples]) => ({ shots, ...tried(examples, test) }));
table(results, { title: `${k} shots each, ${test.length} other items` });
chart(Object.fromEntries(results.map(r => [r.shots, r.accuracy])), { title: "accuracy" });
