#!/usr/bin/env python3
"""Pictures classified by fewsh and by transformers, by turns in one run.

usage: bench/vit.py [--pictures N] [--rounds N] [--threads N] [--precisions fp32,int8]

The model is of ViT-base's shape (224 × 224, patches of 16, 86 million parameters, 1,000 classes) with random weights, the pictures are
JPEG files of 640 × 480; both are made for the run. Each side reads the files, makes them fit with Pillow's filter, and
classifies them; transformers in batches of 8. PEER_PYTHON names a Python with torch, transformers and Pillow. Each side is one
process that has classified something before it is measured.
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
BATCH = 8


def make(folder, pictures):
    import numpy
    import torch
    import transformers
    from PIL import Image
    torch.manual_seed(1)
    net = transformers.ViTForImageClassification(transformers.ViTConfig(num_labels=1000))
    with torch.no_grad():
        for p in net.parameters():
            if p.dim() == 1:
                p.add_(0.1 * torch.randn(p.shape))
    net.save_pretrained(f"{folder}/model")
    pathlib.Path(f"{folder}/model/preprocessor_config.json").write_text(json.dumps({"image_processor_type": "ViTImageProcessor"}))
    os.mkdir(f"{folder}/pictures")
    random = numpy.random.default_rng(1)
    for i in range(pictures):
        small = Image.fromarray(random.integers(0, 256, (12, 16, 3), dtype=numpy.uint8))
        small.resize((640, 480), Image.Resampling.BICUBIC).save(f"{folder}/pictures/{i:04}.jpg", quality=90)


def peer(folder, threads):
    begin = time.perf_counter()
    import torch
    import transformers
    from PIL import Image
    from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil
    torch.set_num_threads(threads)
    processor = ViTImageProcessorPil.from_pretrained(f"{folder}/model")
    net = transformers.ViTForImageClassification.from_pretrained(f"{folder}/model").eval()
    files = sorted(pathlib.Path(folder, "pictures").iterdir())

    def classify(files):
        scores = []
        with torch.inference_mode():
            for at in range(0, len(files), BATCH):
                pictures = [Image.open(f).convert("RGB") for f in files[at:at + BATCH]]
                scores += net(**processor(pictures, return_tensors="pt")).logits.softmax(-1)
        return scores

    classify(files[:1])
    print(time.perf_counter() - begin, flush=True)
    for _ in sys.stdin:
        begin = time.perf_counter()
        scores = classify(files)
        print(time.perf_counter() - begin, flush=True)
    for row in scores:
        print(*row.tolist())


def main():
    if sys.argv[1:2] == ["--make"]:
        return make(sys.argv[2], int(sys.argv[3]))
    if sys.argv[1:2] == ["--peer"]:
        return peer(sys.argv[2], int(sys.argv[3]))
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--pictures", type=int, default=32)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--precisions", default="fp32,int8")
    a = arguments.parse_args()
    subprocess.run([ROOT / "mvnw", "-q", "-o", "-pl", "runtime", "compile", "dependency:build-classpath",
                    "-Dmdep.outputFile=target/classpath"], cwd=ROOT, check=True)
    path = f"{CLASSES}:{(CLASSES.parent / 'classpath').read_text()}"
    with tempfile.TemporaryDirectory() as folder:
        measure(a, folder, path)


def measure(a, folder, path):
    python = [os.environ.get("PEER_PYTHON", sys.executable), __file__]
    env = dict(os.environ, ORT_DISABLE_TELEMETRY="1")
    subprocess.run(python + ["--make", folder, str(a.pictures)], check=True, stderr=subprocess.DEVNULL)
    ours = ["java", "--enable-native-access=ALL-UNNAMED", "-Djava.awt.headless=true", "-cp", path, str(ROOT / "bench" / "Vit.java"),
            f"{folder}/model", f"{folder}/pictures"]
    sides = {"transformers fp32": python + ["--peer", folder, str(a.threads)]}
    sides |= {f"fewsh {p}": ours + [p, str(a.threads), f"{folder}/home"] for p in a.precisions.split(",")}
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
    scores = {name: [[float(x) for x in line.split()] for line in process.communicate()[0].splitlines()]
              for name, process in started.items()}
    exact = scores["transformers fp32"]
    print(f"{len(exact)} pictures, {a.threads} threads, {a.rounds} rounds after one that does not count, load {os.getloadavg()[0]:.2f}\n")
    print("| | pictures/s, best | median | × transformers, best | load to first class, s | same class | probability, most apart |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    base = min(times["transformers fp32"][1:])
    for name in sides:
        t = times[name][1:]
        same = sum(u.index(max(u)) == v.index(max(v)) for u, v in zip(exact, scores[name]))
        apart = max(abs(x - y) for u, v in zip(exact, scores[name]) for x, y in zip(u, v))
        print(f"| {name} | {len(exact) / min(t):.2f} | {len(exact) / statistics.median(t):.2f} | {base / min(t):.2f} | "
              f"{started[name].first:.2f} | {same} of {len(exact)} | {apart:.6f} |")


if __name__ == "__main__":
    main()
