#!/usr/bin/env python3
"""Decoding other people's exports beside our own graph of the same weights, by turns, as ratios.

usage: bench/exports.py [--rounds N] [--threads N] [--keep FOLDER]

A model of random weights in the shape of SmolLM2-135M is made with transformers, exported by optimum, and converted by fewsh to
onnxruntime-genai's layout. Each is run by `fewsh bench` at depth 0 and 1,024; the median over the rounds counts. A ratio of 1 is
as fast as our own graph. The packages come from PyPI into bench/.venv-exports at the first run; EXPORT_PYTHON names a Python that
has them already.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
FEWSH = os.environ.get("FEWSH", str(HERE.parent / "fewsh"))
VENV = HERE / ".venv-exports"
PACKAGES = ["optimum-onnx==0.1.0", "transformers==4.57.3", "torch", "onnx", "onnxruntime", "onnxscript"]
DEPTHS = (0, 1024)

# what runs in the other Python: the model's folder, and optimum's of it
MAKE = """
import sys, torch
from tokenizers import Tokenizer, models, pre_tokenizers, decoders
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from optimum.exporters.onnx import main_export
own, export = sys.argv[1:]
torch.manual_seed(1)
config = LlamaConfig(vocab_size=49152, hidden_size=576, intermediate_size=1536, num_hidden_layers=30, num_attention_heads=9,
                     num_key_value_heads=3, max_position_embeddings=2048, tie_word_embeddings=True, bos_token_id=1, eos_token_id=2)
LlamaForCausalLM(config).eval().save_pretrained(own)
letters = sorted(pre_tokenizers.ByteLevel.alphabet())
vocabulary = {piece: i for i, piece in enumerate(["<unk>", "<s>", "</s>", *letters])}
tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>").save_pretrained(own)
main_export(own, output=export, task="text-generation-with-past", device="cpu", local_files_only=True, do_validation=False)
"""


def python_with_packages():
    python = os.environ.get("EXPORT_PYTHON") or str(VENV / "bin" / "python")
    if not pathlib.Path(python).exists():
        print("installing optimum and torch (once, some minutes)", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *PACKAGES], check=True)
    return python


def speed(model, depth, threads):
    """generated tokens a second behind so many positions"""
    line = subprocess.run([FEWSH, "bench", "-m", str(model), "-p", "0", "-n", "64", "-d", str(depth), "-r", "1", "--output", "jsonl",
                           "--threads", str(threads), "--precision", "fp32", "--quiet"], check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(line.stdout)["tokens_per_second"]


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--keep", help="where the models are made, and found again by the next run")
    a = arguments.parse_args()
    folder = pathlib.Path(a.keep or tempfile.mkdtemp())
    models = {"ours": folder / "own", "optimum": folder / "optimum", "genai": folder / "genai"}
    if not models["genai"].exists():
        subprocess.run([python_with_packages(), "-c", MAKE, models["ours"], models["optimum"]], check=True)
        subprocess.run([FEWSH, "convert", str(models["ours"]), str(models["genai"]), "--format", "genai", "--precision", "fp32"],
                       check=True)
    measured = {}
    for round_ in range(a.rounds):
        print(f"round {round_ + 1}, load average {os.getloadavg()[0]:.1f}", file=sys.stderr)
        for depth in DEPTHS:
            for name, model in models.items():
                measured.setdefault((depth, name), []).append(speed(model, depth, a.threads))
    print("| tokens/s, float32 | " + " | ".join(models) + " | " + " | ".join(f"{n} / ours" for n in models if n != "ours") + " |")
    print("| --- |" + " ---: |" * (2 * len(models) - 1))
    for depth in DEPTHS:
        median = {name: statistics.median(measured[depth, name]) for name in models}
        print(f"| tg64 @ d{depth} | " + " | ".join(f"{median[n]:.1f}" for n in models) + " | "
              + " | ".join(f"{median[n] / median['ours']:.2f}" for n in models if n != "ours") + " |")


if __name__ == "__main__":
    main()
