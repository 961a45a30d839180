"""Llama, Mistral, Qwen2 and Qwen3 in double precision with numpy, written from their definition: no cache, no blocks, whole sequences.

Sources: the modelling files of transformers (llama, mistral, qwen2, qwen3).
"""
import json
import struct
from pathlib import Path

import numpy as np


def read_tensors(path):
    raw = Path(path).read_bytes()
    length = struct.unpack("<Q", raw[:8])[0]
    header, data = json.loads(raw[8:8 + length]), raw[8 + length:]
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        part = data[slice(*entry["data_offsets"])]
        if entry["dtype"] == "BF16":
            values = (np.frombuffer(part, "<u2").astype(np.uint32) << 16).view(np.float32)
        else:
            assert entry["dtype"] == "F32"
            values = np.frombuffer(part, "<f4")
        tensors[name] = values.reshape(entry["shape"]).astype(np.float64)
    return tensors


class Reference:
    def __init__(self, folder):
        self.c = json.loads((Path(folder) / "config.json").read_text())
        self.w = read_tensors(Path(folder) / "model.safetensors")
        self.heads, self.kv_heads = self.c["num_attention_heads"], self.c["num_key_value_heads"]
        self.head_dim = self.c.get("head_dim") or self.c["hidden_size"] // self.heads

    def norm(self, x, name):
        return x / np.sqrt((x * x).mean(-1, keepdims=True) + self.c["rms_norm_eps"]) * self.w[name]

    def project(self, x, name, heads):
        y = x @ self.w[name + ".weight"].T
        if name + ".bias" in self.w:
            y = y + self.w[name + ".bias"]
        return y.reshape(len(x), heads, self.head_dim)

    def rotate(self, x):
        half = self.head_dim // 2
        angle = np.outer(np.arange(len(x)), self.c.get("rope_theta", 10000.0) ** (-np.arange(half) * 2.0 / self.head_dim))[:, None, :]
        a, b = x[..., :half], x[..., half:]
        return np.concatenate([a * np.cos(angle) - b * np.sin(angle), b * np.cos(angle) + a * np.sin(angle)], -1)

    def attend(self, x, at):
        q, k, v = self.project(x, at + "q_proj", self.heads), self.project(x, at + "k_proj", self.kv_heads), self.project(x, at + "v_proj", self.kv_heads)
        if at + "q_norm.weight" in self.w:
            q, k = self.norm(q, at + "q_norm.weight"), self.norm(k, at + "k_norm.weight")
        q, k = self.rotate(q), self.rotate(k)
        back = np.arange(len(x))[:, None] - np.arange(len(x))[None, :]
        seen = back >= 0
        if self.c["model_type"] == "mistral" and self.c.get("sliding_window"):
            seen &= back < self.c["sliding_window"]
        out = np.empty_like(q)
        for h in range(self.heads):
            shared = h // (self.heads // self.kv_heads)
            scores = np.where(seen, q[:, h] @ k[:, shared].T / np.sqrt(self.head_dim), -np.inf)
            weights = np.exp(scores - scores.max(-1, keepdims=True))
            out[:, h] = weights / weights.sum(-1, keepdims=True) @ v[:, shared]
        return out.reshape(len(x), -1) @ self.w[at + "o_proj.weight"].T

    def logits(self, tokens):
        """Behind every token, [tokens, vocabulary]."""
        x = self.w["model.embed_tokens.weight"][tokens]
        for layer in range(self.c["num_hidden_layers"]):
            at = f"model.layers.{layer}."
            x = x + self.attend(self.norm(x, at + "input_layernorm.weight"), at + "self_attn.")
            y = self.norm(x, at + "post_attention_layernorm.weight")
            gate = y @ self.w[at + "mlp.gate_proj.weight"].T
            x = x + (gate / (1 + np.exp(-gate)) * (y @ self.w[at + "mlp.up_proj.weight"].T)) @ self.w[at + "mlp.down_proj.weight"].T
        head = "model.embed_tokens.weight" if self.c.get("tie_word_embeddings") else "lm_head.weight"
        return self.norm(x, "model.norm.weight") @ self.w[head].T

    def log_probabilities(self, shown, targets):
        """ln p of each target behind the tokens up to its own place."""
        logits = self.logits(shown)
        top = logits.max(-1, keepdims=True)
        return (logits - top - np.log(np.exp(logits - top).sum(-1, keepdims=True)))[np.arange(len(targets)), targets]

    def greedy(self, tokens, more):
        made = []
        for _ in range(more):
            made.append(int(self.logits([*tokens, *made])[-1].argmax()))
        return made
