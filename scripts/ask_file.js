// Chat with a file: the file is the context, in the system message, once; the questions follow as turns. What the turns
// share at their beginning is computed once (the KV cache), so only the first question waits for the file.
//
// Putting the text in the prompt is the simplest form of retrieval (Lewis et al. 2020, "Retrieval-Augmented Generation"),
// with one document that is always found. What stands in the middle of a long context is used least (Liu et al. 2024, "Lost
// in the Middle"): cut the file down to what matters.
//
// Run: fewsh run scripts/ask_file.js [file=data/manual.txt] ["Question?" …] [max_tokens=40]
const option = (name, otherwise) => args.find(a => a.startsWith(name + "="))?.slice(name.length + 1) ?? otherwise;
const file = readText(option("file", "data/manual.txt"));
const asked = args.filter(a => !/^\w+=/.test(a));
const questions = asked.length > 0 ? asked
    : ["How much water goes into the tank?", "What does the red lamp mean?", "How long is the warranty?"];

const system = "Answer from the text, in one short sentence. If the text does not say, say so.\n\n" + file.trim();
const messages = [{ role: "system", content: system }];
const turns = [];
for (const question of questions) {
    messages.push({ role: "user", content: question });
    print("> " + question);
    let answer = "";
    for (const piece of chat(messages, { stream: true, temperature: 0, max_tokens: Number(option("max_tokens", 40)) })) {
        write(piece);
        answer += piece;
    }
    print("");
    messages.push({ role: "assistant", content: answer });
    turns.push({ question, answer: answer.trim(), "words from the file": share(answer) });
}

// How much of an answer can be read in the file: a low share is a sign that the model made it up.
function share(answer) {
    const words = answer.toLowerCase().match(/[a-z0-9.]+/g) ?? [];
    return words.length === 0 ? 0 : words.filter(word => file.toLowerCase().includes(word)).length / words.length;
}

table(turns);
