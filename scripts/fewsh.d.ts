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

// ---- models

/**
 * Loads a model in place of the current one: a name in the store, or `./file.gguf` or `./folder` beside the script.
 *
 *     print(load("smollm2").context_length)
 */
declare function load(model: string, options?: { precision?: "auto" | "fp32" | "int8" | "int4"; device?: string; threads?: number }): Model;

/**
 * Continues a text as it is.
 *
 *     print(complete("The capital of France is", { max_tokens: 8 }))
 *     for (const piece of complete("Once upon a time", { stream: true })) write(piece)
 *
 * With `stream` the answer comes piece by piece (`for await` does as well); leaving the loop ends it, and so does the next
 * call that needs the model. With `details` it is an object.
 */
declare function complete(prompt: string, options?: Sampling): string;
declare function complete(prompt: string, options: Sampling & { stream: true }): Iterable<string>;
declare function complete(prompt: string, options: Sampling & { details: true }): Answer;

/**
 * Answers a conversation, written as the model's chat template has it; a text is one message of the user.
 *
 *     print(chat([{ role: "system", content: "Answer in one word." }, { role: "user", content: "Is water wet?" }]))
 */
declare function chat(messages: string | Message[], options?: Sampling): string;
declare function chat(messages: string | Message[], options: Sampling & { stream: true }): Iterable<string>;
declare function chat(messages: string | Message[], options: Sampling & { details: true }): Answer;

/**
 * Draws n answers to one prompt, which is computed once; a conversation is an array of messages. Where the settings are
 * greedy, the temperature is 1.
 *
 *     const different = new Set(sample("A name for a cat:", 20, { temperature: 0.8, max_tokens: 4 })).size
 */
declare function sample(prompt: string | Message[], n: number, options?: Sampling): string[];
declare function sample(prompt: string | Message[], n: number, options: Sampling & { details: true }): Answer[];

/**
 * How likely a continuation is after a context.
 *
 *     const likelier = score("2 + 2 =", " 4").loglikelihood > score("2 + 2 =", " 5").loglikelihood
 */
declare function score(context: string, continuation: string): Score;

/**
 * The tokens of a text.
 *
 *     print(tokenize("unbelievable").pieces.join("|"))
 */
declare function tokenize(text: string): { ids: number[]; pieces: string[] };

// ---- files, of the script's own folder

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
    options?: { kind?: "line" | "bar" | "histogram"; title?: string; x?: string; y?: string; width?: number; height?: number; bins?: number }): void;

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
