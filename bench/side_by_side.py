#!/usr/bin/env python3
"""fewsh beside llama.cpp on the same GGUF file, run alternately, as ratios; writes a dated report.

usage: bench/side_by_side.py MODEL.gguf [--rounds N] [--threads N] [--precision P]

llama.cpp comes from PyPI as llama-cpp-python, built natively for this machine into bench/.venv at the first run (minutes). Each
round runs fewsh and llama.cpp one after the other for each test; the median over the rounds counts. Close other programs first:
the report gives the machine's load before each round.
"""
import argparse
import csv
import datetime
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
FEWSH = HERE.parent / "fewsh"
VENV = HERE / ".venv"
PEER = "llama-cpp-python==0.3.36"
WORDS = "The quick brown fox jumps over the lazy dog while seven wizards brew strange potions beside a quiet river at dusk. "


def peer_python():
    python = os.environ.get("PEER_PYTHON") or str(VENV / "bin" / "python")
    if not pathlib.Path(python).exists():
        print("building llama.cpp (once, some minutes)", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
        environment = dict(os.environ, CMAKE_ARGS="-DGGML_NATIVE=ON")
        subprocess.run([python, "-m", "pip", "install", "-q", "--no-binary", "llama-cpp-python", PEER], check=True,
                       env=environment)
    return python


def run(command, stdin=None):
    """stdout, seconds to the first byte of it, seconds in all, peak resident bytes"""
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdin=subprocess.PIPE if stdin else subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL)
    if stdin:
        process.stdin.write(stdin.encode())
        process.stdin.close()
    first = process.stdout.read(1)
    to_first = time.perf_counter() - begin
    rest = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"failed: {' '.join(map(str, command))}")
    return (first + rest).decode(), to_first, time.perf_counter() - begin, usage.ru_maxrss * 1024


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("model")
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--precision", default="auto")
    a = arguments.parse_args()
    python, model = peer_python(), os.path.abspath(a.model)
    ours = ["-m", model, "--threads", str(a.threads), "--precision", a.precision]
    # a prompt of 512 tokens, by our own count
    text = WORDS * 40
    ids = json.loads(run([FEWSH, "tokenize", "-m", model, "--json"], json.dumps(text))[0])["ids"][:512]
    prompt = run([FEWSH, "tokenize", "-m", model, "--decode", "--json"], json.dumps(ids))[0]
    prompt = json.loads(prompt)["text"]
    rows, raw = {}, []

    def note(test, who, value):
        rows.setdefault(test, {}).setdefault(who, []).append(value)
        raw.append((test, who, value))
        print(f"{test:28} {who:10} {value:12.3f}", file=sys.stderr)

    run([FEWSH, "ask", "--raw", *ours, "--max_tokens", "1", "Hello"])   # builds and converts, once
    for round_ in range(a.rounds):
        note("load average", "machine", os.getloadavg()[0])
        out, _, _, peak = run([FEWSH, "bench", *ours, "-p", "512", "-n", "128", "-r", "1", "--output", "jsonl", "--quiet"])
        for line in out.splitlines():
            row = json.loads(line)
            note(row["test"] + " tok/s", "fewsh", row["tokens_per_second"])
        note("peak memory MB (pp512, tg128)", "fewsh", peak / 1e6)
        for test in ("pp512", "tg128"):
            out, _, _, peak = run([python, HERE / "peer.py", model, test, str(a.threads)])
            note(test + " tok/s", "llama.cpp", json.loads(out)["tokens_per_second"])
            note("peak memory MB (pp512, tg128)", "llama.cpp", peak / 1e6)
        out, *_ = run([FEWSH, "bench", *ours, "-p", "0", "-n", "128", "-d", "1024", "-r", "1", "--output", "jsonl", "--quiet"])
        note("tg128 @ d1024 tok/s", "fewsh", json.loads(out)["tokens_per_second"])
        out, *_ = run([python, HERE / "peer.py", model, "tg128@1024", str(a.threads)])
        note("tg128 @ d1024 tok/s", "llama.cpp", json.loads(out)["tokens_per_second"])
        out, *_ = run([FEWSH, "ask", "--raw", *ours, "-n", "8", "--temperature", "0.8", "--seed", "7", "--max_tokens", "128",
                       "--json"], prompt)
        answers = [json.loads(line) for line in out.splitlines()]
        seconds = answers[0]["seconds"]
        note("8 samples of 512 tok/s", "fewsh",
             sum(x["completion_tokens"] for x in answers) / (seconds["prefill"] + seconds["decode"]))
        out, *_ = run([python, HERE / "peer.py", model, "samples8", str(a.threads)])
        note("8 samples of 512 tok/s", "llama.cpp", json.loads(out)["tokens_per_second"])
        _, first, _, peak = run([FEWSH, "ask", "--raw", *ours, "--max_tokens", "16", "The capital of France is"])
        note("exec to first token s", "fewsh", first)
        note("peak memory MB (one answer)", "fewsh", peak / 1e6)
        note("--version s", "fewsh", run([FEWSH, "--version"])[2])
    report(a, model, rows, raw)


def folder(what):
    """where today's run of `what` on this machine is kept"""
    path = HERE / "runs" / f"{datetime.date.today()}-{os.cpu_count()}-cores-{platform.machine()}-{what}"
    path.mkdir(parents=True, exist_ok=True)
    return path


def machine(command):
    """the README of a run: what was typed, and on what"""
    cpu = next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), "unknown")
    flags = next((l for l in open("/proc/cpuinfo") if l.startswith("flags")), "").split()
    commit = subprocess.run(["git", "-C", str(HERE.parent), "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout
    return (f"`bench/{command}` at commit {commit.strip()}.\n\nMachine: {cpu}, {os.cpu_count()} cores, "
            f"{', '.join(f for f in ('avx2', 'avx512f', 'avx512_vnni', 'avx512_bf16') if f in flags)}; {platform.system()} "
            f"{platform.release().split('-')[0]}. Peer: {PEER}, built natively.\n")


def report(a, model, rows, raw):
    run_folder = folder(a.precision)
    with open(run_folder / "raw.csv", "w", newline="") as f:
        csv.writer(f).writerows([("test", "program", "value"), *raw])
    size = os.path.getsize(model) / 1e6
    lines = [f"# fewsh beside llama.cpp: {os.path.basename(model)} ({size:.1f} MB), {a.threads} threads, --precision {a.precision}",
             "", f"Median of {a.rounds} rounds (min–max), the two programs by turns; a ratio above 1 is fewsh ahead.", "",
             "| test | fewsh | llama.cpp | ratio |", "| --- | ---: | ---: | ---: |"]
    for test, who in rows.items():
        cell = {w: f"{statistics.median(v):.4g} ({min(v):.4g}–{max(v):.4g})" for w, v in who.items()}
        if "machine" in who:
            lines.append(f"| {test} | {cell['machine']} | | |")
            continue
        ratio = ""
        if "llama.cpp" in who:
            ratio = f"{statistics.median(who['fewsh']) / statistics.median(who['llama.cpp']):.2f}"
        lines.append(f"| {test} | {cell['fewsh']} | {cell.get('llama.cpp', '')} | {ratio} |")
    (run_folder / "summary.md").write_text("\n".join(lines) + "\n")
    (run_folder / "README.md").write_text(machine(f"side_by_side.py {os.path.basename(model)} --rounds {a.rounds} "
                                                  f"--threads {a.threads} --precision {a.precision}"))
    print((run_folder / "summary.md").read_text())


if __name__ == "__main__":
    main()
