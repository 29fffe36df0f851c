"""Prints real_models.json: CRC-32 of what published files hold, as other people's code reads them.

    pip install gguf==0.19.0 safetensors==0.8.0 ml_dtypes==0.6.0
    python real_models.py path/to/models > real_models.json

"floats": of the float32 values of all tensors, little-endian, tensor after tensor in the order of their names.
Of each key that is a text or a list of texts or whole numbers: of its UTF-8, items joined by line feeds.
"""
import json
import sys
import zlib
from pathlib import Path

import ml_dtypes
import numpy as np
from gguf import GGUFReader, dequantize
from safetensors import safe_open

MODELS = Path(sys.argv[1])


def floats(tensors):
    crc = 0
    for _, values in sorted(tensors.items()):
        crc = zlib.crc32(np.ascontiguousarray(values, dtype="<f4").tobytes(), crc)
    return {"tensors": len(tensors), "floats": crc}


def gguf(path):
    reader = GGUFReader(path)
    result = floats({t.name: dequantize(t.data, t.tensor_type) for t in reader.tensors})
    keys = {}
    for name, field in reader.fields.items():
        value = field.contents()
        items = value if isinstance(value, list) else [value]
        if not name.startswith("GGUF.") and all(type(i) in (str, int) for i in items):
            keys[name] = zlib.crc32("\n".join(map(str, items)).encode())
    return result | {"keys": keys}


def safetensors(folder):
    tensors = {}
    for path in folder.glob("model*.safetensors"):
        raw = path.read_bytes()
        length = int.from_bytes(raw[:8], "little")
        for name, entry in json.loads(raw[8:8 + length]).items():
            if name == "__metadata__":
                continue
            begin, end = entry["data_offsets"]
            data = raw[8 + length + begin:8 + length + end]
            dtype = {"F32": np.float32, "BF16": ml_dtypes.bfloat16}[entry["dtype"]]
            tensors[name] = np.frombuffer(data, dtype).astype(np.float32)
        with safe_open(path, "np") as file:
            assert set(file.keys()) <= set(tensors)
    return floats(tensors)


print(json.dumps({
    **{path: gguf(MODELS / path) for path in [
        "smollm2-135m-instruct-gguf/SmolLM2-135M-Instruct.Q4_1.gguf", "stories260K-gguf/tinyllm.gguf",
        "tokenizer-vectors/ggml-vocab-gpt-2.gguf", "tokenizer-vectors/ggml-vocab-llama-spm.gguf",
        "tokenizer-vectors/ggml-vocab-bert-bge.gguf"]},
    **{path: safetensors(MODELS / path) for path in ["tiny/llama-bfloat16-sharded", "tiny/gpt2"]},
}, indent=1))
