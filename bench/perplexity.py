#!/usr/bin/env python3
"""What each precision costs: perplexity on a text at each, beside llama.cpp's on the same file and the same pieces of text.

usage: bench/perplexity.py MODEL.gguf TEXT [--words N] [--pieces N]

The text is cut into pieces of N words; each token of a piece is scored once, after the start-of-text token and the piece's
earlier tokens. The same ids go to both programs.
"""
import argparse
import json
import math
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
FEWSH = HERE.parent / "fewsh"
PEER = r"""
import ctypes, json, sys, numpy as np, llama_cpp as ll
@ll.llama_log_callback
def quiet(level, text, data): pass
ll.llama_log_set(quiet, ctypes.c_void_p(0))
model = ll.Llama(sys.argv[1], n_ctx=2048, n_batch=2048, logits_all=True, n_threads=2, n_threads_batch=2, verbose=False)
for line in sys.stdin:
    ids = json.loads(line)
    model.reset(); model.eval(ids[:-1])
    s = model.scores[:len(ids) - 1].astype(np.float64)
    m = s.max(1, keepdims=True)
    lse = (m + np.log(np.exp(s - m).sum(1, keepdims=True)))[:, 0]
    print(json.dumps(float((s[np.arange(len(ids) - 1), ids[1:]] - lse).sum())), flush=True)
"""


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("model")
    arguments.add_argument("text")
    arguments.add_argument("--words", type=int, default=300)
    arguments.add_argument("--pieces", type=int, default=60)
    a = arguments.parse_args()
    words = open(a.text, encoding="utf-8").read().split(" ")
    pieces = [" ".join(words[i:i + a.words]) for i in range(0, len(words), a.words)][:a.pieces]
    lines = "".join(json.dumps({"text": p}) + "\n" for p in pieces)
    results = {}
    for precision in ("fp32", "int8", "int4"):
        out = subprocess.run([FEWSH, "score", "-m", a.model, "--precision", precision, "--json"], input=lines, text=True,
                             capture_output=True)
        if out.returncode:
            sys.exit(out.stderr)
        scores = [json.loads(line) for line in out.stdout.splitlines()]
        results[precision] = [s["loglikelihood"] for s in scores]
        ids = [[t["id"] for t in s["tokens"]] for s in scores]
    start = json.loads(subprocess.run([FEWSH, "tokenize", "-m", a.model, "--special", "--json"], input='"<|im_start|>"\n',
                                      text=True, capture_output=True).stdout)["ids"][:1] if a.model.endswith(".gguf") else []
    python = os.environ.get("PEER_PYTHON") or str(HERE / ".venv" / "bin" / "python")
    out = subprocess.run([python, "-c", PEER, a.model], input="".join(json.dumps(start + i) + "\n" for i in ids), text=True,
                         capture_output=True)
    if out.returncode:
        sys.exit(out.stderr)
    results["llama.cpp"] = [json.loads(line) for line in out.stdout.splitlines()]
    tokens = sum(map(len, ids))
    print(f"{tokens} tokens in {len(pieces)} pieces of {a.words} words\n")
    print("| | perplexity | against float32 |\n| --- | ---: | ---: |")
    exact = math.exp(-sum(results["fp32"]) / tokens)
    for name, values in results.items():
        perplexity = math.exp(-sum(values) / tokens)
        print(f"| {name} | {perplexity:.3f} | {100 * (perplexity / exact - 1):+.2f} % |")


main()
