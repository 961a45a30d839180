#!/usr/bin/env python3
"""How much memory the commands take at most: packed weights and a matrix, no copy of the model.

usage: test_memory.py SPARSE_LLAMA
A model of 175 million made-up weights (one block of TinyLlama, embedding and head): 350 MB as bf16, 700 MB as fp32.
"""
import filecmp
import json
import os
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

binary = sys.argv[1]
MB = 1e6
BASE = 80 * MB  # the program, its libraries and their buffers; export alone takes 51
PROBE = 268 * MB  # what run reads to find the bandwidth of memory, where the weights are fewer
failures = 0


def check(good, what):
    global failures
    print(("ok    " if good else "FAIL  ") + what, flush=True)
    failures += not good


def peak(*words):
    """Bytes that the program had resident at most, and its return code."""
    process = subprocess.Popen([binary, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                               env={**os.environ, "OMP_NUM_THREADS": "2"})
    output = process.stdout.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_maxrss * 1024, process.returncode, output


def within(limit, what, *words):
    used, code, output = peak(*words)
    check(code == 0 and used < limit, f"{what}: {used / MB:.0f} MB of at most {limit / MB:.0f} {output[-200:] if code else ''}")


def tensors_of(path):
    """name: shape and bf16 words of a safetensors file."""
    import numpy as np
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
    header.pop("__metadata__", None)
    data = np.memmap(path, np.uint8, "r", 8 + length)
    return {name: (t["shape"], data[slice(*t["data_offsets"])].view(np.uint16)) for name, t in header.items()}


def write_bitmask(folder, tensors):
    """The same model without the zeros of its blocks (compressed-tensors)."""
    import numpy as np
    parts = {}
    for name, (shape, words) in tensors.items():
        if "proj" not in name:
            parts[name] = ("BF16", shape, words)
            continue
        stored = words.reshape(shape) << 1 != 0  # zeros of either sign
        parts[name + ".shape"] = ("I64", [2], np.array(shape, np.int64))
        parts[name + ".compressed"] = ("BF16", [int(stored.sum())], words[stored.ravel()])
        parts[name + ".bitmask"] = ("U8", [shape[0], shape[1] // 8], np.packbits(stored, axis=1, bitorder="little"))
    header, end = {}, 0
    for name, (kind, shape, array) in parts.items():
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [end, end + array.nbytes]}
        end += array.nbytes
    text = json.dumps(header).encode()
    with open(folder / "model.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _, _, array in parts.values():
            file.write(array.tobytes())


def write_gguf(path, tensors, config):
    """The same model for llama.cpp, matrices in Q8_0."""
    import numpy as np
    def text(value):
        return struct.pack("<Q", len(value)) + value.encode()

    keys = text("general.architecture") + struct.pack("<I", 8) + text("llama")
    sizes = {"embedding_length": config["hidden_size"], "block_count": config["num_hidden_layers"],
             "attention.head_count": config["num_attention_heads"], "attention.head_count_kv": config["num_key_value_heads"],
             "feed_forward_length": config["intermediate_size"], "context_length": config["max_position_embeddings"]}
    for name, size in sizes.items():
        keys += text("llama." + name) + struct.pack("<II", 4, size)
    keys += text("llama.attention.layer_norm_rms_epsilon") + struct.pack("<If", 6, config["rms_norm_eps"])
    names = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output", "input_layernorm": "attn_norm",
             "post_attention_layernorm": "ffn_norm", "q_proj": "attn_q", "k_proj": "attn_k", "v_proj": "attn_v", "o_proj": "attn_output",
             "gate_proj": "ffn_gate", "up_proj": "ffn_up", "down_proj": "ffn_down"}
    head, data = b"", []
    offset = 0
    for name, (shape, words) in tensors.items():
        own = name.removesuffix(".weight").removeprefix("model.layers.0.").split(".")
        own = names.get(".".join(own)) or names[own[-1]]
        if "model.layers.0" in name:
            own = "blk.0." + own
        values = (words.astype(np.uint32) << 16).view(np.float32)
        if len(shape) == 1:
            block = values.tobytes()
        else:
            if own in ("blk.0.attn_q", "blk.0.attn_k"):  # pairs side by side
                size = config["hidden_size"] // config["num_attention_heads"]
                values = values.reshape(-1, 2, size // 2, shape[1]).swapaxes(1, 2).reshape(-1)
            groups = values.reshape(-1, 32)
            scales = (np.abs(groups).max(1) / 127).astype(np.float16)
            quants = np.rint(groups / np.maximum(scales.astype(np.float32), 1e-30)[:, None]).clip(-127, 127).astype(np.int8)
            block = np.concatenate([scales.view(np.uint8).reshape(-1, 2), quants.view(np.uint8)], 1).tobytes()
        block += bytes(-len(block) % 32)
        head += text(own + ".weight") + struct.pack("<I", len(shape)) + b"".join(struct.pack("<Q", s) for s in reversed(shape))
        head += struct.pack("<IQ", 0 if len(shape) == 1 else 8, offset)
        offset += len(block)
        data.append(block)
    start = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), 2 + len(sizes)) + keys + head
    with open(path, "wb") as file:
        file.write(start + bytes(-len(start) % 32))
        for block in data:
            file.write(block)


def make_others(scratch):
    """The other kinds of files. In a process of its own: a child's peak begins with its parent's size."""
    config = json.loads((scratch / "model/config.json").read_text())
    tensors = tensors_of(scratch / "model/model.safetensors")
    (scratch / "bitmask").mkdir()
    (scratch / "bitmask/config.json").write_text(json.dumps(config))
    write_bitmask(scratch / "bitmask", tensors)
    write_gguf(scratch / "model.gguf", tensors, config)


def compare_filled(scratch):
    filled = tensors_of(scratch / "filled/model.safetensors")
    sys.exit(any(((filled[n][1] ^ w) & 0x7fff).any() for n, (_, w) in tensors_of(scratch / "model/model.safetensors").items()))


if binary == "--make":
    make_others(Path(sys.argv[2]))
    sys.exit(0)
if binary == "--compare":
    compare_filled(Path(sys.argv[2]))

with tempfile.TemporaryDirectory() as name:
    scratch = Path(name)
    folder, bitmask = scratch / "model", scratch / "bitmask"
    within(BASE, "export --synthetic", "export", "--synthetic", "tinyllama-1.1b:layers=1,sparsity=0.7", "-o", folder)
    subprocess.run([sys.executable, __file__, "--make", scratch], check=True)
    packed = {"int8": 152 * MB, "bf16": 295 * MB}  # what info says of 70 %
    matrix = 131 * MB  # the embedding as bf16, mapped while it is packed
    # HDF5 gets a copy of an array, and makes one.
    within(packed["int8"] + matrix + BASE, "convert to int8", "convert", "--model", folder, "--value", "int8", "--out", scratch / "a.h5")
    within(packed["bf16"] + 2 * matrix + BASE, "convert to bf16", "convert", "--model", folder, "--out", scratch / "b.h5")
    for model, kind in ((folder, "folder"), (bitmask, "bitmask"), (scratch / "model.gguf", "GGUF"), (scratch / "a.h5", "packed")):
        out = scratch / f"run-{kind}"
        within(packed["int8"] + max(matrix, PROBE) + BASE, f"run of {kind}", "run", "--model", model, "--value", "int8",
               "--prompt-tokens", 2, "--tokens", 6, "--quiet", "--ignore-end", "--out", out)
    results = {kind: json.loads((scratch / f"run-{kind}" / "result.json").read_text())["tokens"] for kind in ("folder", "bitmask", "packed", "GGUF")}
    check(results["folder"] == results["bitmask"] == results["packed"], f"the same tokens from each of our files {results}")
    check(results["GGUF"][0][:1] == results["folder"][0][:1], "and from Q8_0 at first")  # its numbers are rounded twice
    within(matrix + BASE, "export of a folder", "export", folder, "-o", scratch / "again")
    check(filecmp.cmp(scratch / "again/model.safetensors", folder / "model.safetensors", shallow=False), "which is the same folder")
    within(matrix + BASE, "export of a bitmask", "export", bitmask, "-o", scratch / "filled")
    check(subprocess.run([sys.executable, __file__, "--compare", scratch]).returncode == 0, "which has all its weights")

print(f"{failures} failed")
sys.exit(1 if failures else 0)
