// The words that scripts can say: in the shell after /js, and in files, `fewsh run FILE.js ARGS…`.
//
// A script is JavaScript (ECMAScript 2026) and these words, nothing else: no network, no environment, no other files than
// those of its own folder, which are named relative to it; `import` takes other .js files of that folder. A call answers when
// it is done, so nothing needs an `await` but a loop over pieces. Whatever goes wrong is an Error with the shell's message.

/** How an answer is drawn and when it ends. What is left out is as `/set` and the program's options say. */
interface Sampling {
    /** Divides the logits; 0 always takes the likeliest token. */
    temperature?: number;
    /** Only the k likeliest tokens; 0 is all. */
    top_k?: number;
    /** Only the likeliest tokens that together reach this probability. */
    top_p?: number;
    /** Only tokens at least this likely, relative to the likeliest. */
    min_p?: number;
    /** Makes tokens seen before less likely; 1 is off. */
    repetition_penalty?: number;
    /** Subtracted once from the logit of a token that the answer has; 0 is off. */
    presence_penalty?: number;
    /** Subtracted as often as the answer has the token; 0 is off. */
    frequency_penalty?: number;
    /** Most tokens of an answer. */
    max_tokens?: number;
    /** Texts that end an answer and are not part of it. */
    stop?: string | string[];
    /** Of the draws: the same seed gives the same answer. */
    seed?: number;
}

/** A token and ln of the model's own probability of it, in nats; null for a probability of 0. */
interface Token {
    id: number;
    text: string;
    logprob: number | null;
}

/** An answer and how it came about. */
interface Answer {
    text: string;
    /** At an end-of-text token or a stop text, at max_tokens or the context's end. */
    finish_reason: "stop" | "length" | "interrupted";
    prompt_tokens: number;
    completion_tokens: number;
    /** Sum over its tokens, in nats. */
    logprob: number | null;
    tokens: Token[];
}

interface Score {
    /** Sum over the tokens of ln p(token | everything before it), in nats. */
    loglikelihood: number | null;
    /** Whether greedy decoding would have said just this. */
    is_greedy: boolean;
    tokens: Token[];
}

interface Model {
    name: string;
    architecture: string;
    parameters: number;
    precision: "fp32" | "int8" | "int4";
    context_length: number;
    vocab_size: number;
    /** Whether `chat` can be used. */
    chat_template: boolean;
}

interface Message {
    role: "system" | "user" | "assistant" | "tool";
    content: string;
}

/** What a table, a file's row or an item is: names with values. */
type Row = Record<string, any>;

/**
 * What a prompt is made of: the keys of the `fewsh:` block of a prompt file, and what it says. Contents are Jinja templates
 * over the inputs: `{{ text }}`.
 */
interface Parts {
    /** The user's one turn; or give `messages`. */
    prompt?: string;
    messages?: Message[];
    /** These four make the system message. */
    role?: string;
    context?: string;
    instruction?: string;
    style?: string;
    /** Worked examples, and which of them are shown: rows with the prompt's inputs and a label. */
    shots?: Row[] | {
        examples?: Row[];
        /** A `.jsonl`, `.csv` or `.tsv` file instead. */
        file?: string;
        k?: number;
        by?: "first" | "random" | "balanced" | "similar";
        seed?: number;
        label?: string;
        input?: string;
        output?: string;
        /** Most tokens that they may take. */
        budget?: number;
    };
    /** Chain of thought. */
    cot?: "off" | "zero_shot" | "few_shot" | { kind: "zero_shot" | "few_shot"; trigger?: string; extract?: string };
    /** How many paths vote. */
    vote?: number | { n: number; early?: boolean; error?: number; temperature?: number };
    /** How many statements are generated before the answer. */
    knowledge?: number;
    /** How the answer is found in what the model says. */
    answer?: Extraction;
    /** What the answer must look like; nothing else can be said. */
    format?: { options: string[] } | { regex: string } | { json: object };
    stop?: string[];
    image?: string;
}

type Extraction = "number" | "option" | "date" | "text" | "line" | { kind: "option"; options: string[] } | { regex: string };

/** A composed prompt. What takes a text as its prompt takes one of these too. It never changes: `with` makes another. */
interface Prompt {
    /** The same with these inputs, on top of those it has: `score(prompt.with({ text }), "positive")`. */
    with(inputs: Row): Prompt;
    /** As the model gets it. */
    text(inputs?: Row): string;
    messages(inputs?: Row): Message[];
    /** Its answer, by the techniques it names: `prompt.run({ question: "2 + 2?" }).answer`. */
    run(inputs?: Row, options?: Sampling): Reply;
    /** Shows its parts and what each costs in tokens. */
    show(inputs?: Row): void;
}

/** What came of a prompt. */
interface Reply {
    text: string;
    /** What was found in it; null if nothing was. */
    answer: string | null;
    finish_reason: "stop" | "length" | "interrupted";
    prompt_tokens: number;
    completion_tokens: number;
    seed: number;
    /** Of a vote: how many paths had which answer, most first; in how many none was found; how many were sampled. */
    votes?: Record<string, number>;
    unparsable?: number;
    samples?: number;
    stopped_early?: boolean;
    saved_samples?: number;
    saved_tokens?: number;
    /** Of generated knowledge: the statements, the answer with each, and how sure it was. */
    knowledge?: { statement: string; answer: string | null; probability: number }[];
}

// ---- models

/**
 * Loads a model in place of the current one: a name in the store, or `./file.gguf` or `./folder` beside the script.
 *
 *     print(load("smollm2").context_length)
 */
declare function load(model: string,
    options?: { precision?: "auto" | "fp32" | "int8" | "int4"; device?: string; threads?: number }): Model;

/**
 * Continues a text as it is.
 *
 *     print(complete("The capital of France is", { max_tokens: 8 }))
 *     for (const piece of complete("Once upon a time", { stream: true })) write(piece)
 *
 * With `stream` the answer comes piece by piece (`for await` does as well); leaving the loop ends it, and so does the next
 * call that needs the model. With `details` it is an object.
 */
declare function complete(prompt: string | Prompt, options?: Sampling): string;
declare function complete(prompt: string | Prompt, options: Sampling & { stream: true }): Iterable<string>;
declare function complete(prompt: string | Prompt, options: Sampling & { details: true }): Answer;

/**
 * Answers a conversation, written as the model's chat template has it; a text is one message of the user.
 *
 *     print(chat([{ role: "system", content: "Answer in one word." }, { role: "user", content: "Is water wet?" }]))
 */
declare function chat(messages: string | Message[] | Prompt, options?: Sampling): string;
declare function chat(messages: string | Message[] | Prompt, options: Sampling & { stream: true }): Iterable<string>;
declare function chat(messages: string | Message[] | Prompt, options: Sampling & { details: true }): Answer;

/**
 * Draws n answers to one prompt, which is computed once; a conversation is an array of messages. Where the settings are
 * greedy, the temperature is 1.
 *
 *     const different = new Set(sample("A name for a cat:", 20, { temperature: 0.8, max_tokens: 4 })).size
 */
declare function sample(prompt: string | Message[] | Prompt, n: number, options?: Sampling): string[];
declare function sample(prompt: string | Message[] | Prompt, n: number, options: Sampling & { details: true }): Answer[];

/**
 * How likely a continuation is after a context.
 *
 *     const likelier = score("2 + 2 =", " 4").loglikelihood > score("2 + 2 =", " 5").loglikelihood
 */
declare function score(context: string | Prompt, continuation: string): Score;

/**
 * The tokens of a text.
 *
 *     print(tokenize("unbelievable").pieces.join("|"))
 */
declare function tokenize(text: string | Prompt): { ids: number[]; pieces: string[] };

// ---- prompts

/**
 * Composes a prompt of parts, or reads a prompt file (`.prompty`, `.prompt`).
 *
 *     const shots = { file: "reviews.jsonl", k: 4, label: "label" }
 *     const sentiment = compose({ prompt: "Review: {{ text }}\nSentiment:", shots })
 *     print(sentiment.run({ text: "a joy" }, { max_tokens: 3 }).text)
 *     print(compose("translate.prompty").run({ text: "Good morning" }).text)
 */
declare function compose(parts: Parts | string): Prompt;

/**
 * Samples several paths and takes the answer that most of them come to (Wang et al. 2022). `n` is 8 unless the prompt or the
 * options say otherwise; with `early` it stops once the outcome is settled, but for a chance of `error`.
 *
 *     const { answer, votes } = vote("What is 17 + 25? Think, then say the number.", { n: 8, answer: "number" })
 */
declare function vote(prompt: string | Prompt,
    options?: Sampling & { n?: number; early?: boolean; error?: number; answer?: Extraction }): Reply;

// ---- files, of the script's own folder

/**
 * The rows of a `.jsonl` file: an object a line.
 *
 *     const rows = readJsonl("reviews.jsonl").slice(0, 100)
 */
declare function readJsonl(file: string): Row[];

/**
 * The rows of a `.csv` or `.tsv` file whose first row names the fields; all values are texts.
 *
 *     const right = readCsv("answers.csv").filter(row => Number(row.answer) === 42)
 */
declare function readCsv(file: string): Row[];

/**
 * A whole file as text (UTF-8).
 *
 *     const article = readText("article.txt")
 */
declare function readText(file: string): string;

/**
 * Writes a `.jsonl` file, a value a line, in place of one that was there: whole or not at all.
 *
 *     writeJsonl("labels.jsonl", rows.map(row => ({ ...row, label: chat(row.text) })))
 */
declare function writeJsonl(file: string, rows: any[]): void;

/**
 * Writes a `.csv` or `.tsv` file whose first row names the fields.
 *
 *     writeCsv("accuracy.csv", [{ k: 0, accuracy: 0.51 }, { k: 4, accuracy: 0.72 }])
 */
declare function writeCsv(file: string, rows: Row[]): void;

// ---- what is shown

/**
 * Shows rows as a table; numbers stand to the right. `columns` says which, and in which order.
 *
 *     table([{ k: 0, accuracy: 0.51 }, { k: 4, accuracy: 0.72 }], { title: "few-shot" })
 */
declare function table(rows: any[], options?: { columns?: string[]; title?: string }): void;

/** A value, or where it stands too; null is a gap. */
type Point = number | null | [x: number, y: number | null] | { x: number; y: number | null };

/**
 * Draws numbers: an array is a line, an object of arrays a line each, an object of numbers a bar each; `kind: "histogram"`
 * counts how many numbers lie where.
 *
 *     chart({ "zero-shot": [[0, 0.51], [4, 0.55]], "with reasons": [[0, 0.6], [4, 0.72]] }, { x: "k", y: "accuracy" })
 *     chart({ positive: 120, negative: 80 }, { title: "labels" })
 *
 * `x` and `y` label the axes, `width` and `height` are in characters, `bins` is how many ranges a histogram has.
 */
declare function chart(data: Point[] | Record<string, Point[]> | Record<string, number> | [label: string, value: number][],
    options?: { kind?: "line" | "bar" | "histogram"; title?: string; x?: string; y?: string; width?: number; height?: number;
        bins?: number }): void;

/**
 * Goes through items and shows how far it is; a number counts from 0.
 *
 *     for (const row of progress(rows, "labelling")) row.label = chat(row.text)
 */
declare function progress<T>(items: Iterable<T>, label?: string): Iterable<T>;
declare function progress(items: number, label?: string): Iterable<number>;

/**
 * Shows values, a space between, and ends the line.
 *
 *     print("accuracy", 0.72, { k: 4 })
 */
declare function print(...values: any[]): void;

/**
 * As `print`, but the line stays open: for an answer that comes piece by piece.
 *
 *     for (const piece of chat("Tell me a story", { stream: true })) write(piece)
 */
declare function write(...values: any[]): void;

/**
 * What follows the file's name on the command line.
 *
 *     const n = Number(args[0] ?? 8)
 */
declare const args: readonly string[];

/**
 * The rows of the file after `--input`, which may be anywhere; null if there is none.
 *
 *     const items = input ?? readJsonl("data/reviews.jsonl")
 */
declare const input: Row[] | null;
