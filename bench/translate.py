#!/usr/bin/env python3
"""A translation model of opus-mt's shape (6 + 6 layers, 512 wide, 58,101 tokens), fewsh beside transformers, as ratios.

usage: JAVA=a-JDK-25's-java PEER_PYTHON=a-python-with-torch-and-transformers bench/translate.py CLASSPATH [--rounds N] [--threads N] [--sentences N]
       [--tokens N] [--precision fp32,int8]

CLASSPATH is fewsh's jars, or the class folder of `runtime` and its dependencies. Weights are random and saved by transformers, so
that no answer ends before the number of tokens asked for: both are kept from the token that would end it. Sources are 8 to 31 random
ids, padded on the right. Rounds of both run by turns; the median of each counts, and the first round of each process warms up.
"""
import argparse
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
VOCABULARY = 58101

PEER = """
import json, sys, time, torch, transformers
folder, sources, beams, tokens, rounds, threads = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:7])
torch.set_num_threads(threads)
model = transformers.MarianMTModel.from_pretrained(folder).eval()
rows = [list(map(int, line.split())) for line in open(sources)]
width, pad = max(map(len, rows)), model.config.pad_token_id
ids = torch.tensor([r + [pad] * (width - len(r)) for r in rows])
mask = torch.tensor([[1] * len(r) + [0] * (width - len(r)) for r in rows])
for each in range(rounds + 1):
    begin = time.perf_counter()
    with torch.inference_mode():
        made = model.generate(input_ids=ids, attention_mask=mask, num_beams=beams, max_new_tokens=tokens, do_sample=False)
    if each:
        print(json.dumps({"seconds": time.perf_counter() - begin, "tokens": (made.shape[1] - 1) * made.shape[0]}), flush=True)
"""

SAVE = """
import json, pathlib, sys, torch, transformers
torch.manual_seed(0)
folder, n = pathlib.Path(sys.argv[1]), int(sys.argv[2])
config = transformers.MarianConfig(vocab_size=n, decoder_vocab_size=n, d_model=512, encoder_layers=6, decoder_layers=6,
    encoder_attention_heads=8, decoder_attention_heads=8, encoder_ffn_dim=2048, decoder_ffn_dim=2048, max_position_embeddings=512,
    activation_function="swish", scale_embedding=True, pad_token_id=n - 1, eos_token_id=0, decoder_start_token_id=n - 1,
    forced_eos_token_id=None)
model = transformers.MarianMTModel(config)
model.generation_config.suppress_tokens = [0]
model.save_pretrained(folder)
vocabulary = {"</s>": 0, "<unk>": 1, **{f"w{i}": i for i in range(2, n)}}
(folder / "tokenizer.json").write_text(json.dumps({"version": "1.0", "added_tokens": [], "pre_tokenizer": {"type": "WhitespaceSplit"},
    "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "<unk>"}}))
"""


def rounds(command):
    lines = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("classpath")
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--sentences", type=int, default=32)
    arguments.add_argument("--tokens", type=int, default=24)
    arguments.add_argument("--precision", default="fp32,int8")
    a = arguments.parse_args()
    python = os.environ.get("PEER_PYTHON", sys.executable)
    with tempfile.TemporaryDirectory() as temporary:
        folder, sources = pathlib.Path(temporary) / "model", pathlib.Path(temporary) / "sources"
        folder.mkdir()
        subprocess.run([python, "-c", SAVE, folder, str(VOCABULARY)], check=True, capture_output=True)
        draw = random.Random(1)
        sources.write_text("\n".join(" ".join(str(draw.randrange(2, VOCABULARY - 1)) for _ in range(draw.randrange(8, 32))) + " 0"
                                     for _ in range(a.sentences)))
        for beams in (1, 4):
            setting = [str(beams), str(a.tokens)]
            sides = {p: [os.environ.get("JAVA", "java"), "--enable-native-access=ALL-UNNAMED", "-cp", a.classpath, HERE / "Translate.java", folder,
                         f"{temporary}/home", sources, *setting, "1", str(a.threads), p] for p in a.precision.split(",")}
            sides["transformers"] = [python, "-c", PEER, folder, sources, *setting, "1", str(a.threads)]
            found = {side: [] for side in sides}
            for _ in range(a.rounds):
                for side, command in sides.items():
                    found[side] += rounds(command)
            peer = statistics.median(r["seconds"] for r in found["transformers"])
            for side, each in found.items():
                seconds = statistics.median(r["seconds"] for r in each)
                print(f"{beams} beams  {side:12}  {seconds:7.2f} s  {each[0]['tokens'] / seconds:7.0f} tokens/s  "
                      f"{peer / seconds:5.2f} x transformers", flush=True)
        print("load before the last round:", os.getloadavg())


if __name__ == "__main__":
    main()
