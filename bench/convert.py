#!/usr/bin/env python3
"""A model converted by fewsh and opened by Python's packages: their greedy tokens beside the program's own.

usage: bench/convert.py MODEL [--tokens N] [--keep FOLDER]     MODEL: whatever fewsh opens, an adapter with it too

onnxruntime, of the version that fewsh has, runs `--format onnx` twice: with a cache that grows and with one that is updated in
place. onnxruntime-genai opens `--format genai` and encodes the prompts with the folder's own tokenizer; it brings a newer onnxruntime,
whose kernels for 4 bits round otherwise, so it is also put beside that one on the same file. Both come from PyPI into
bench/.venv-convert at the first run. A table goes to stdout; exit 1 if tokens differ that one version of onnxruntime computed, or any
in float32.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
FEWSH = os.environ.get("FEWSH", str(HERE.parent / "fewsh"))
VENV = HERE / ".venv-convert"
PACKAGES = {"onnx": ["onnxruntime==1.29.0", "numpy"], "genai": ["onnxruntime==1.32.0", "onnxruntime-genai==0.18.0", "numpy"]}
PROMPTS = ["The capital of France is", "Once upon a time", "def fibonacci(n):\n", "Water boils at", "The three primary colours are",
           "Dear Sir or Madam,\n"]
RUNS = [("onnx", "fp32"), ("onnx", "int4"), ("genai", "fp32"), ("genai", "int4")]


def python_with_packages(form):
    python = VENV / form / "bin" / "python"
    if not python.exists():
        print("installing", *PACKAGES[form], file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", str(VENV / form)], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *PACKAGES[form]], check=True)
    return python


def fewsh(*arguments):
    return subprocess.run([FEWSH, *map(str, arguments)], check=True, stdout=subprocess.PIPE, text=True).stdout


def own(model, precision, prompt, tokens):
    """the program's greedy ids, and the prompt's"""
    line = fewsh("ask", "-m", model, "--raw", "--json", "--quiet", "--precision", precision, "--temperature", "0",
                 "--repetition_penalty", "1", "--max_tokens", tokens, "--logprobs", "0", prompt)
    answer = json.loads(line)
    ids = json.loads(subprocess.run([FEWSH, "tokenize", "-m", model, "--json"], input=json.dumps(prompt), check=True,
                                    stdout=subprocess.PIPE, text=True).stdout)["ids"]
    return ids, [t["id"] for t in answer["logprobs"]]


# what follows runs in the other Python: convert.py --inside FOLDER REQUESTS.json

def session(folder):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    return onnxruntime.InferenceSession(str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"])


def greedy(session, prompt, tokens, capacity):
    """with pasts of `capacity` positions that are the presents too, or, for 0, as long as they are filled"""
    import numpy
    import onnxruntime
    inputs = {i.name: i for i in session.get_inputs()}
    outputs = [o.name for o in session.get_outputs()]
    value = onnxruntime.OrtValue.ortvalue_from_numpy
    past = {n: value(numpy.zeros((1, i.shape[1], capacity, i.shape[3]), numpy.float16 if "16" in i.type else numpy.float32))
            for n, i in inputs.items() if n.startswith("past_key_values.")}
    ids, fed, total = [], prompt, 0
    while len(ids) < tokens:
        total += len(fed)
        binding = session.io_binding()
        binding.bind_cpu_input("input_ids", numpy.array([fed], numpy.int64))
        binding.bind_cpu_input("attention_mask", numpy.ones((1, total), numpy.int64))
        if "position_ids" in inputs:
            binding.bind_cpu_input("position_ids", numpy.arange(total - len(fed), total, dtype=numpy.int64)[None])
        for name, tensor in past.items():
            binding.bind_ortvalue_input(name, tensor)
        for name in outputs:
            shared = past.get(name.replace("present.", "past_key_values.")) if capacity else None
            binding.bind_ortvalue_output(name, shared) if shared else binding.bind_output(name)
        session.run_with_iobinding(binding)
        made = dict(zip(outputs, binding.get_outputs()))
        if not capacity:
            past = {n: made[n.replace("past_key_values.", "present.")] for n in past}
        ids.append(int(made["logits"].numpy()[0, -1].astype("float32").argmax()))
        fed = ids[-1:]
    return ids


def genai(folder, prompt, text, tokens):
    import numpy
    import onnxruntime_genai
    model = onnxruntime_genai.Model(str(folder))
    encoded = list(map(int, onnxruntime_genai.Tokenizer(model).encode(text)))
    parameters = onnxruntime_genai.GeneratorParams(model)
    parameters.set_search_options(max_length=len(prompt) + tokens, do_sample=False)
    generator = onnxruntime_genai.Generator(model, parameters)
    generator.append_tokens(numpy.array([prompt], numpy.int32))
    ids = []
    while not generator.is_done():
        generator.generate_next_token()
        ids.append(int(generator.get_next_tokens()[0]))
    return ids, encoded


def inside(folder, requests):
    folder = pathlib.Path(folder)
    answers = []
    whole, is_genai = session(folder), (folder / "genai_config.json").exists()
    for r in requests:
        begin = time.perf_counter()
        if is_genai:
            ids, encoded = genai(folder, r["ids"], r["prompt"], r["tokens"])
            answers.append({"genai": ids, "beside": [ids, greedy(whole, r["ids"], r["tokens"], 0)], "encoded": encoded})
        else:
            answers.append({"growing": greedy(whole, r["ids"], r["tokens"], 0),
                            "shared": greedy(whole, r["ids"], r["tokens"], len(r["ids"]) + r["tokens"])})
        answers[-1]["seconds"] = time.perf_counter() - begin
    print(json.dumps(answers))


def main():
    if sys.argv[1:2] == ["--inside"]:
        return inside(sys.argv[2], json.loads(pathlib.Path(sys.argv[3]).read_text()))
    arguments = argparse.ArgumentParser()
    arguments.add_argument("model")
    arguments.add_argument("--tokens", type=int, default=24)
    arguments.add_argument("--keep", help="a folder for what is converted, which is removed otherwise")
    a = arguments.parse_args()
    different, known = 0, {}
    print("| format | precision | MB | convert s | opened by | equal | first difference |\n| --- | --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as temporary:
        for form, precision in RUNS:
            folder = pathlib.Path(a.keep or temporary) / f"{form}-{precision}"
            begin = time.perf_counter()
            fewsh("convert", a.model, folder, "--format", form, "--precision", precision)
            seconds = time.perf_counter() - begin
            size = sum(f.stat().st_size for f in folder.iterdir()) / 1e6
            if precision not in known:
                known[precision] = [own(a.model, precision, p, a.tokens) for p in PROMPTS]
            requests = [{"prompt": p, "ids": ids, "tokens": a.tokens} for p, (ids, _) in zip(PROMPTS, known[precision])]
            file = pathlib.Path(temporary) / "requests.json"
            file.write_text(json.dumps(requests))
            out = subprocess.run([python_with_packages(form), __file__, "--inside", folder, file], check=True, stdout=subprocess.PIPE, text=True).stdout
            answers = json.loads(out.splitlines()[-1])
            for kind in [k for k in answers[0] if k != "seconds"]:
                pairs = [tuple(answer[kind]) if kind == "beside" else (ids if kind == "encoded" else want, answer[kind])
                         for (ids, want), answer in zip(known[precision], answers)]
                # an answer may end early, at an end token: here or there
                length = (lambda w, g: min(len(w), len(g))) if kind != "encoded" else (lambda w, g: max(len(w), len(g)))
                wrong = [next((i for i in range(length(w, g)) if w[i:i + 1] != g[i:i + 1]), None) for w, g in pairs]
                if kind != "genai" or precision == "fp32":
                    different += sum(w is not None for w in wrong)
                who = {"growing": "onnxruntime, cache grows", "shared": "onnxruntime, cache in place",
                       "genai": "onnxruntime-genai", "beside": "the same, beside its own onnxruntime", "encoded": "its tokenizer"}[kind]
                first = ", ".join(f"prompt {i} token {w}" for i, w in enumerate(wrong) if w is not None)
                print(f"| {form} | {precision} | {size:.0f} | {seconds:.1f} | {who} | {sum(w is None for w in wrong)} of {len(pairs)} | {first} |",
                      flush=True)
    sys.exit(1 if different else 0)


if __name__ == "__main__":
    main()
