#!/usr/bin/env python3
"""Eight sampled answers to one 512-token prompt: fewsh's vote beside eight requests to llama.cpp's server with prompt caching.

usage: bench/vote.py MODEL.gguf [--rounds N] [--threads N] [--precision P]

The server is llama-cpp-python's, with its RAM cache on and logits of the last token only; it has answered the prompt once before
it is measured, so that each of its eight answers finds the prompt in the cache. fewsh's time is that of a fresh process without
loading: the prompt's pass and all decoding; its prompt is a chat's, which adds some 30 tokens. Both draw 128 tokens an answer at temperature 0.8.
"""
import argparse
import csv
import json
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import time
import urllib.request

import side_by_side as bench


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def post(port, body):
    request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/completions", json.dumps(body).encode(),
                                     {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=600) as response:
        return json.load(response)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("model")
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--precision", default="auto")
    a = arguments.parse_args()
    python, model = bench.peer_python(), os.path.abspath(a.model)
    subprocess.run([python, "-m", "pip", "install", "-q", "fastapi", "uvicorn", "sse-starlette", "starlette-context",
                    "pydantic-settings"], check=True)
    ids = json.loads(bench.run([bench.FEWSH, "tokenize", "-m", model, "--json"], json.dumps(bench.WORDS * 40))[0])["ids"][:512]
    prompt = json.loads(bench.run([bench.FEWSH, "tokenize", "-m", model, "--decode", "--json"], json.dumps(ids))[0])["text"]
    ours, theirs, loads = [], [], []
    for _ in range(a.rounds):
        loads.append(os.getloadavg()[0])
        out, *_ = bench.run([bench.FEWSH, "ask", "-m", model, "--threads", str(a.threads), "--precision", a.precision,
                             "--vote", "8", "--temperature", "0.8", "--seed", "7", "--max_tokens", "128", "--json"], prompt)
        answers = [json.loads(line) for line in out.splitlines()]
        samples = [x for x in answers if "text" in x]
        seconds = samples[0]["seconds"]
        ours.append(sum(x["completion_tokens"] for x in samples) / (seconds["prefill"] + seconds["decode"]))
        port = free_port()
        server = subprocess.Popen([python, "-m", "llama_cpp.server", "--model", model, "--n_ctx", "1024", "--n_threads",
                                   str(a.threads), "--n_threads_batch", str(a.threads), "--cache", "true", "--host", "127.0.0.1",
                                   "--port", str(port), "--verbose", "false"],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            for _ in range(300):
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    time.sleep(0.2)
            post(port, {"prompt": prompt, "max_tokens": 1})
            begin = time.perf_counter()
            tokens = sum(post(port, {"prompt": prompt, "max_tokens": 128, "temperature": 0.8, "seed": 7 + i})["usage"]
                         ["completion_tokens"] for i in range(8))
            theirs.append(tokens / (time.perf_counter() - begin))
        finally:
            server.terminate()
            server.wait()
        print(f"fewsh {ours[-1]:.1f} tok/s   llama.cpp server {theirs[-1]:.1f} tok/s   load {loads[-1]:.2f}", file=sys.stderr)
    cell = lambda v: f"{statistics.median(v):.4g} ({min(v):.4g}–{max(v):.4g})"
    lines = [f"# vote 8 beside eight answers by llama.cpp's server: {os.path.basename(model)}, {a.threads} threads, "
             f"--precision {a.precision}", "",
             f"Median of {a.rounds} rounds (min–max), by turns; load average {cell(loads)}.", "",
             "| test | fewsh | llama.cpp server | ratio |", "| --- | ---: | ---: | ---: |",
             f"| tok/s, 8 answers of 128 tokens to 512 | {cell(ours)} | {cell(theirs)} | "
             f"{statistics.median(ours) / statistics.median(theirs):.2f} |"]
    folder = bench.folder(f"vote-{a.precision}")
    with open(folder / "raw.csv", "w", newline="") as f:
        csv.writer(f).writerows([("round", "fewsh", "llama.cpp server"), *((i, *x) for i, x in enumerate(zip(ours, theirs)))])
    (folder / "summary.md").write_text("\n".join(lines) + "\n")
    (folder / "README.md").write_text(bench.machine(f"vote.py {os.path.basename(model)} --rounds {a.rounds} --threads {a.threads} "
                                                    f"--precision {a.precision}"))
    print("\n".join(lines))


main()
