// Does reasoning help, and does voting help more? The same word problems asked straight, with a chain of thought (CoT) in two
// calls (Kojima et al. 2022), with worked examples that reason (Wei et al. 2022), and by the majority of several such
// chains (self-consistency, Wang et al. 2022).
//
// Below some 10B parameters a chain often does not pay, as Wei et al. show in their figure 4: it costs tokens and may lead
// astray. That is why the table has the tokens beside the accuracy.
//
// Run: fewsh run scripts/zero_shot_cot_vote.js [limit=12] [n=8] [max_tokens=100] [seed=1] [--input problems.jsonl]
// The rows need `question` and `answer`, a number.
const option = (name, otherwise) => args.find(a => a.startsWith(name + "="))?.slice(name.length + 1) ?? otherwise;
const items = (input ?? readJsonl("data/problems.jsonl")).slice(0, Number(option("limit", 12)));
const settings = { max_tokens: Number(option("max_tokens", 100)), seed: Number(option("seed", 1)), temperature: 0 };
const shots = { file: "data/worked.jsonl", label: "answer" };
const asked = { prompt: "Question: {{ question }}\nAnswer:", answer: "number", stop: ["\nQuestion:"] };

const ways = {
    "zero-shot": asked,
    "zero-shot CoT": { ...asked, cot: { kind: "zero_shot", extract: "Therefore, the answer (arabic numerals) is" } },
    "few-shot": { ...asked, shots },
    "few-shot CoT": { ...asked, shots, cot: "few_shot" },
    "few-shot CoT, vote": { ...asked, shots, cot: "few_shot", vote: Number(option("n", 8)) },
};

const results = [];
for (const [way, parts] of Object.entries(ways)) {
    const prompt = compose(parts);
    let right = 0, tokens = 0, none = 0;
    for (const item of progress(items, way)) {
        const reply = prompt.run({ question: item.question }, settings);
        if (reply.answer === null) none++;
        if (Number(reply.answer) === Number(item.answer) && reply.answer !== null) right++;
        tokens += reply.completion_tokens;
    }
    results.push({ way, accuracy: right / items.length, "no answer": none, "tokens per item": tokens / items.length });
}

table(results, { title: `${items.length} word problems` });
chart(Object.fromEntries(results.map(r => [r.way, r.accuracy])), { title: "accuracy" });
