// Runs in each context before any script: makes functions of the words that Java offers. What crosses is text, JSON both
// ways, so that a script holds nothing of Java's and Java nothing of a script's; live things (streams, prompts) stay on
// their own side behind a closure.
(function (words, wordsOfPrompts, answer, display) {
    "use strict";
    const { parse, stringify } = JSON;
    const { defineProperty, freeze, is, keys: keysOf, getPrototypeOf: prototype, prototype: plain } = Object;
    const { isArray } = Array;
    const ofPrompts = parse(wordsOfPrompts);
    const name = /^[A-Za-z_$][\w$]*$/;
    const matches = name.test.bind(name);
    const DEEPEST = 5;
    const MOST = 200;
    const Failure = Error;
    const held = new WeakMap();
    const hold = held.set.bind(held);
    const holder = held.get.bind(held);
    const known = new WeakMap();
    const remember = known.set.bind(known);
    const recall = known.get.bind(known);

    // An error of the shell's becomes one of JavaScript's; `error` itself is kept for when nobody catches it.
    function raise(message, fix, error) {
        const failure = new Failure(message);
        if (fix !== "") defineProperty(failure, "fix", { value: fix });
        remember(failure, error);
        throw failure;
    }

    // What is thrown and not caught: the shell's error, or words for what is no Error at all.
    function uncaught(thrown) {
        return recall(thrown) ?? (thrown instanceof Failure ? null : `uncaught ${show(thrown)}`);
    }

    function* pieces(next) {
        try {
            for (let piece = next(false); piece !== null; piece = next(false)) yield piece;
        } finally {
            next(true);
        }
    }

    function receive(answer) {
        if (typeof answer === "string") return parse(answer);
        if (typeof answer === "function") return pieces(answer);
        return undefined;
    }

    // A value as a person reads it: data as JavaScript writes it, to some depth and length; anything else in a word.
    function shown(value, depth) {
        if (typeof value === "string") return stringify(value);
        if (typeof value === "number") return is(value, -0) ? "-0" : `${value}`;   // not as Java writes it
        if (value === null || typeof value !== "object") return display(value);
        if (holder(value)) return "{a prompt}";
        const list = isArray(value);
        if (!list && prototype(value) !== plain && prototype(value) !== null) return display(value);
        if (depth === DEEPEST) return list ? "[…]" : "{…}";
        const keys = list ? value : keysOf(value);
        let out = "";
        for (let i = 0; i < keys.length && i < MOST; i++) {
            const key = keys[i];
            const name = list ? "" : (matches(key) ? key : stringify(key)) + ": ";
            out += (i === 0 ? "" : ", ") + name + shown(list ? value[i] : value[key], depth + 1);
        }
        if (keys.length > MOST) out += `, … ${keys.length - MOST} more`;
        return list ? `[${out}]` : `{${out}}`;
    }

    const show = value => typeof value === "string" ? value : shown(value, 0);

    function text(values) {
        let out = "";
        for (let i = 0; i < values.length; i++) out += (i === 0 ? "" : " ") + show(values[i]);
        return out;
    }

    function* counted(items, total, label) {
        let done = 0;
        const tell = over => call("progress", 2, list([done, total, label, over]));
        try {
            tell(false);
            if (typeof items === "number") for (; done < items; done++, tell(false)) yield done;
            else for (const item of items) {
                yield item;
                done++;
                tell(false);
            }
        } finally {
            tell(true);
        }
    }

    const own = {
        compose: (...values) => prompt(call("compose", values.length, list(values))),
        print: (...values) => { call("print", 1, list([text(values)])); },
        write: (...values) => { call("write", 1, list([text(values)])); },
        progress: (items, label = "") => {
            if (typeof items !== "number" && typeof items?.[Symbol.iterator] !== "function")
                call("progress", 1, "[null]");
            return counted(items, typeof items === "number" ? items : items.length ?? items.size ?? null, `${label}`);
        },
    };

    // A word of the vocabulary; Java's side of a prompt that stands first goes along.
    const call = (name, count, json, first) => answer(name, count, json, holder(first));

    // A prompt: Java's side of it, which nobody else can reach, and its words.
    function prompt(side) {
        const made = {};
        for (const { name, length } of ofPrompts)
            defineProperty(made, name, { value: named(name, length, (...values) => {
                const got = side(name, values.length, list(values));
                return name === "with" ? prompt(got) : receive(got);
            }), enumerable: true });
        hold(made, side);
        return freeze(made);
    }

    function named(name, length, word) {
        defineProperty(word, "name", { value: name });
        defineProperty(word, "length", { value: length });
        return word;
    }

    // As JSON; made here and not by `stringify` of the array, to which a script could give a toJSON.
    function list(values) {
        let out = "";
        for (let i = 0; i < values.length; i++) out += (i === 0 ? "" : ",") + (stringify(values[i]) ?? "null");
        return `[${out}]`;
    }

    const define = (name, value) =>
        defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
    for (const { name, length } of parse(words)) {
        define(name, named(name, length,
            own[name] ?? ((...values) => receive(call(name, values.length, list(values), values[0])))));
    }
    const begin = (args, input) => {
        define("args", freeze(parse(args)));
        define("input", parse(input));
    };
    return [raise, uncaught, begin, show];
})
