"""Writes the golden files beside it with other people's code: what the readers and the block layouts are compared with.

    pip install gguf==0.19.0 safetensors==0.8.0 onnx==1.23.2
    python make_weights.py

blocks.gguf          written by the `gguf` package: for each encoding X a tensor "X" of random blocks and "X.expected", the
                     float32 values that the package's `dequantize` gives (numpy's for the plain types that it leaves out);
                     and a key of every value type
metadata.json        the keys of blocks.gguf as this script put them
mixed.safetensors    written by the `safetensors` package; mixed.json: what is in it
matmul{4,8}.onnx     one MatMulNBits node, all of whose inputs are the graph's
"""
import json
from pathlib import Path

import gguf
import numpy as np
import onnx
from onnx import TensorProto, helper
from safetensors.numpy import save_file

HERE = Path(__file__).parent
random = np.random.default_rng(20261124)
T = gguf.GGMLQuantizationType

# Where the float16 scales of a block are.
HALVES = {
    T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2], T.Q8_0: [0],
    T.Q2_K: [80, 82], T.Q3_K: [108], T.Q4_K: [0, 2], T.Q5_K: [0, 2], T.Q6_K: [208],
}


def random_blocks(kind, rows, columns):
    """Random bytes, with scales that are random, zero, subnormal or negative but finite."""
    elements, size = gguf.GGML_QUANT_SIZES[kind]
    blocks = random.integers(0, 256, (rows * columns // elements, size), dtype=np.uint8)
    for at in HALVES[kind]:
        scales = random.normal(0, 0.05, len(blocks)).astype(np.float16)
        scales[0] = 0
        scales[1] = np.float16(3e-7)
        blocks[:, at:at + 2] = scales.view(np.uint8).reshape(-1, 2)
    return blocks.reshape(rows, -1)


writer = gguf.GGUFWriter(HERE / "blocks.gguf", "llama")
writer.add_custom_alignment(64)
metadata = {"general.architecture": "llama", "general.alignment": 64}
for key, value, kind in [
    ("a.uint8", 255, gguf.GGUFValueType.UINT8), ("a.int8", -128, gguf.GGUFValueType.INT8),
    ("a.uint16", 65535, gguf.GGUFValueType.UINT16), ("a.int16", -32768, gguf.GGUFValueType.INT16),
    ("a.uint32", 4294967295, gguf.GGUFValueType.UINT32), ("a.int32", -2147483648, gguf.GGUFValueType.INT32),
    ("a.uint64", 2**63 - 1, gguf.GGUFValueType.UINT64), ("a.int64", -2**63, gguf.GGUFValueType.INT64),
    ("a.float32", 0.15625, gguf.GGUFValueType.FLOAT32), ("a.float64", 1e-300, gguf.GGUFValueType.FLOAT64),
    ("a.bool", True, gguf.GGUFValueType.BOOL), ("a.string", "né 🐱\0 ▁x", gguf.GGUFValueType.STRING),
    ("a.empty", "", gguf.GGUFValueType.STRING),
]:
    writer.add_key_value(key, value, kind)
    metadata[key] = value
for key, values in [
    ("a.strings", ["", "a", "Ġthe", "é"]), ("a.ints", [1, -2, 3]), ("a.floats", [0.5, -0.25]), ("a.bools", [True, False]),
    ("a.lists", [[1, 2], [3]]),
]:
    writer.add_array(key, values)
    metadata[key] = values

expected = []
for kind in HALVES:
    data = random_blocks(kind, 3, 512)
    writer.add_tensor(kind.name, data, raw_dtype=kind)
    expected.append((kind.name, gguf.dequantize(data, kind)))
plain = random.normal(0, 1, (2, 3, 5))
plain[0, 0, 0] = 1 + 2**-11
for name, kind, values in [
    ("F64", T.F64, plain), ("F32", T.F32, plain.astype(np.float32)), ("F16", T.F16, plain.astype(np.float16)),
    ("I64", T.I64, random.integers(-2**62, 2**62, (2, 3, 5))),
    ("I32", T.I32, random.integers(-2**31, 2**31, (2, 3, 5)).astype(np.int32)),
    ("I16", T.I16, random.integers(-2**15, 2**15, (2, 3, 5)).astype(np.int16)),
    ("I8", T.I8, random.integers(-128, 128, (2, 3, 5)).astype(np.int8)),
]:
    writer.add_tensor(name, values, raw_dtype=None if kind in (T.F32, T.F16) else kind)
    expected.append((name, values.astype(np.float32)))
bf16 = gguf.quantize(plain.astype(np.float32), T.BF16)
writer.add_tensor("BF16", bf16, raw_dtype=T.BF16)
expected.append(("BF16", gguf.dequantize(bf16, T.BF16)))
for name, values in expected:
    writer.add_tensor(name + ".expected", np.ascontiguousarray(values, dtype=np.float32))
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
(HERE / "metadata.json").write_text(json.dumps(metadata, indent=1) + "\n")

tensors = {
    "a": np.arange(6, dtype=np.float32).reshape(2, 3) / 8, "b.i64": np.array([-2**63, 2**63 - 1]),
    "c.bool": np.array([True, False, True]), "d.f16": np.array([[0.5], [65504]], dtype=np.float16),
    "e.u8": np.array([0, 255], dtype=np.uint8), "f.i8": np.array([-128, 127], dtype=np.int8),
    "g.i32": np.array(7, dtype=np.int32), "h.f64": np.array([1e-300]), "i.empty": np.zeros((0, 4), dtype=np.float32),
    "j.é \"x\"\n": np.array([1.5], dtype=np.float32),
}
save_file(tensors, HERE / "mixed.safetensors", {"format": "np"})
(HERE / "mixed.json").write_text(json.dumps(
    {name: {"shape": list(v.shape), "values": v.astype(np.float64).ravel().tolist()} for name, v in tensors.items()},
    indent=1) + "\n")

ROWS, COLUMNS = 5, 96
for bits in (4, 8):
    blocks = COLUMNS // 32
    inputs = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", COLUMNS]),
        helper.make_tensor_value_info("quants", TensorProto.UINT8, [ROWS, blocks, 4 * bits]),
        helper.make_tensor_value_info("scales", TensorProto.FLOAT, [ROWS * blocks]),
    ]
    node = helper.make_node("MatMulNBits", [i.name for i in inputs], ["y"], domain="com.microsoft",
                            K=COLUMNS, N=ROWS, bits=bits, block_size=32, accuracy_level=1)
    graph = helper.make_graph([node], "g", inputs, [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", ROWS])])
    model = helper.make_model(graph, ir_version=10, opset_imports=[
        helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)])
    onnx.save(model, HERE / f"matmul{bits}.onnx")
