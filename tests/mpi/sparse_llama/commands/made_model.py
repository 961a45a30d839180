"""A Hugging Face folder with a made-up model of a few thousand weights and a tokenizer of bytes, in plain Python."""
import json
import random
import struct
from pathlib import Path

SIZES = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 1,
         "vocab_size": 258, "max_position_embeddings": 64}


def byte_alphabet():
    """GPT-2's characters for bytes, in the order of the bytes."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = iter(range(256, 512))
    return [chr(b) if b in printable else chr(next(others)) for b in range(256)]


def write_safetensors(path, tensors):
    """tensors: {name: (dtype, shape, bytes)}"""
    header, data = {}, b""
    for name, (dtype, shape, content) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header).encode()
    Path(path).write_bytes(struct.pack("<Q", len(text)) + text + data)


def make_model(folder, config=(), tokenizer=(), tokenizer_config=None, generation_config=None, seed=1):
    """Writes the folder, with the biases and norms that its model_type has. Keys of `config` and `tokenizer` go over the made ones; None takes one away."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    c = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu", **SIZES, "rms_norm_eps": 1e-5,
         "tie_word_embeddings": False, "bos_token_id": 256, "eos_token_id": 257, **dict(config)}
    c = {key: value for key, value in c.items() if value is not None}
    rng = random.Random(seed)
    dim, hidden, head = c["hidden_size"], c["intermediate_size"], c.get("head_dim") or c["hidden_size"] // c["num_attention_heads"]
    query, kv = head * c["num_attention_heads"], head * c["num_key_value_heads"]
    shapes = {"model.embed_tokens": [c["vocab_size"], dim], "lm_head": [c["vocab_size"], dim], "model.norm": [dim]}
    others = {"qwen2": (("q_proj.bias", query), ("k_proj.bias", kv), ("v_proj.bias", kv)), "qwen3": (("q_norm.weight", head), ("k_norm.weight", head))}
    for layer in range(c["num_hidden_layers"]):
        for part, shape in (("input_layernorm", [dim]), ("post_attention_layernorm", [dim]), ("self_attn.q_proj", [query, dim]),
                            ("self_attn.k_proj", [kv, dim]), ("self_attn.v_proj", [kv, dim]), ("self_attn.o_proj", [dim, query]),
                            ("mlp.gate_proj", [hidden, dim]), ("mlp.up_proj", [hidden, dim]), ("mlp.down_proj", [dim, hidden])):
            shapes[f"model.layers.{layer}.{part}"] = shape
    tensors = {}
    for name, shape in shapes.items():
        count = shape[0] * (shape[1] if len(shape) > 1 else 1)
        values = [rng.gauss(0, 0.3) for _ in range(count)] if len(shape) > 1 else [1.0] * count
        tensors[name + ".weight"] = ("F32", shape, struct.pack(f"<{count}f", *values))
    for layer in range(c["num_hidden_layers"]):
        for part, size in others.get(c["model_type"], ()):
            values = [rng.gauss(1.0 if "norm" in part else 0.0, 0.3) for _ in range(size)]
            tensors[f"model.layers.{layer}.self_attn.{part}"] = ("F32", [size], struct.pack(f"<{size}f", *values))
    write_safetensors(folder / "model.safetensors", tensors)
    (folder / "config.json").write_text(json.dumps(c))
    def added(number, text):
        return {"id": number, "content": text, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    t = {"added_tokens": [added(256, "<s>"), added(257, "</s>")], "normalizer": None,
         "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False}, "post_processor": None, "decoder": {"type": "ByteLevel"},
         "model": {"type": "BPE", "vocab": {piece: byte for byte, piece in enumerate(byte_alphabet())}, "merges": []}, **dict(tokenizer)}
    (folder / "tokenizer.json").write_text(json.dumps(t))
    for name, content in (("tokenizer_config.json", tokenizer_config), ("generation_config.json", generation_config)):
        if content is not None:
            (folder / name).write_text(json.dumps(content))
    return folder
