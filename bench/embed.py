#!/usr/bin/env python3
"""Vectors of the same sentences by fewsh and by transformers, by turns in one run.

usage: bench/embed.py MODEL TEXTS [--rounds N] [--threads N] [--precisions fp32,int8]

MODEL is a folder of sentence-transformers whose module is the mean, normalised; TEXTS has a text a line. PEER_PYTHON names a Python
with torch and transformers. Both sort the texts by length; transformers runs batches of 32, as sentence-transformers does. Each
side is one process that has embedded something before it is measured.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
CLASSES = ROOT / "runtime" / "target" / "classes"


def peer(model, file, threads):
    begin = time.perf_counter()
    import torch
    import transformers
    torch.set_num_threads(threads)
    tokenizer, net = transformers.AutoTokenizer.from_pretrained(model), transformers.AutoModel.from_pretrained(model).eval()
    most = json.loads((pathlib.Path(model) / "sentence_bert_config.json").read_text())["max_seq_length"]
    texts = pathlib.Path(file).read_text().splitlines()

    def embed(texts):
        order = sorted(range(len(texts)), key=lambda i: -len(texts[i]))
        vectors = [None] * len(texts)
        with torch.inference_mode():
            for at in range(0, len(order), 32):
                rows = order[at:at + 32]
                batch = tokenizer([texts[i] for i in rows], padding=True, truncation=True, max_length=most, return_tensors="pt")
                states, mask = net(**batch).last_hidden_state, batch["attention_mask"].unsqueeze(-1).float()
                for i, v in zip(rows, torch.nn.functional.normalize((states * mask).sum(1) / mask.sum(1), dim=-1)):
                    vectors[i] = v
        return vectors

    embed(texts[:1])
    print(time.perf_counter() - begin, flush=True)
    for _ in sys.stdin:
        begin = time.perf_counter()
        vectors = embed(texts)
        print(time.perf_counter() - begin, flush=True)
    for v in vectors:
        print(*v.tolist())


def main():
    if sys.argv[1] == "--peer":
        return peer(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    arguments = argparse.ArgumentParser()
    arguments.add_argument("model")
    arguments.add_argument("texts")
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--precisions", default="fp32,int8")
    a = arguments.parse_args()
    subprocess.run([ROOT / "mvnw", "-q", "-o", "-pl", "runtime", "compile", "dependency:build-classpath",
                    "-Dmdep.outputFile=target/classpath"], cwd=ROOT, check=True)
    path = f"{CLASSES}:{(CLASSES.parent / 'classpath').read_text()}"
    home = tempfile.mkdtemp()
    env = dict(os.environ, ORT_DISABLE_TELEMETRY="1")
    ours = ["java", "--enable-native-access=ALL-UNNAMED", "-cp", path, str(ROOT / "bench" / "Embed.java"), a.model, a.texts]
    sides = {"transformers fp32": [os.environ.get("PEER_PYTHON", sys.executable), __file__, "--peer", a.model, a.texts, str(a.threads)]}
    sides |= {f"fewsh {p}": ours + [p, str(a.threads), home] for p in a.precisions.split(",")}
    started, times = {}, {name: [] for name in sides}
    for name, command in sides.items():
        started[name] = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                         env=env)
        started[name].first = float(started[name].stdout.readline())
    for _ in range(a.rounds + 1):
        for name, process in started.items():
            process.stdin.write("\n")
            process.stdin.flush()
            times[name].append(float(process.stdout.readline()))
    vectors = {name: [[float(x) for x in line.split()] for line in process.communicate()[0].splitlines()]
               for name, process in started.items()}
    exact = vectors["transformers fp32"]
    print(f"{len(exact)} texts, {a.threads} threads, {a.rounds} rounds after one that does not count, load {os.getloadavg()[0]:.2f}\n")
    print("| | texts/s, best | median | × transformers, best | load to first vector, s | cosine to transformers, least |")
    print("| --- | --- | --- | --- | --- | --- |")
    base = min(times["transformers fp32"][1:])
    for name in sides:
        t = times[name][1:]
        least = min(sum(x * y for x, y in zip(u, v)) for u, v in zip(exact, vectors[name]))
        print(f"| {name} | {len(exact) / min(t):.0f} | {len(exact) / statistics.median(t):.0f} | {base / min(t):.2f} | "
              f"{started[name].first:.2f} | {least:.6f} |")


if __name__ == "__main__":
    main()
