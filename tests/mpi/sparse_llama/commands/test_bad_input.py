#!/usr/bin/env python3
"""Every mistake gets one clear line and exit code 2, on any number of ranks, and leaves no result that looks like one.

usage: test_bad_input.py SPARSE_LLAMA MPIEXEC
"""
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from made_model import make_model

binary, mpiexec = sys.argv[1:3]
DECK = """[text]
train = "text.txt"
tokenizer = "model/tokenizer.json"
[model]
dim = 16
layers = 1
heads = 2
hidden = 32
context = 32
[training]
steps = 2
batch_sequences = 2
sequence_tokens = 16
"""
RUN = "run --model model --tokens 2 --prompt-tokens 2"
PRUNE = "prune model --method magnitude --out out"
TRAIN = "train d.toml --out out"
LONG = "x" * 4000
# (words, part of the message)
CASES = [
    # values of options
    *((f"{RUN} {option} {value}", f"--{option[2:]}: found") for option, value in (
        ("--temperature", "nan"), ("--temperature", "-1"), ("--top-p", "2"), ("--seed", "1.5"), ("--sequences", "1e30"),
        ("--activation-threshold", "inf"), ("--target", "moon"), ("--cache", "int4"), ("--cache", "BF16"))),
    *((f"{command} --cache fp16", "--cache: found 'fp16', expected one of fp32, bf16, int8") for command in ("compare --model model", "evaluate model text.txt")),
    (f"{RUN} --format DENSE", "--format: found 'DENSE'"), (f"{RUN} --nosuch 1", "--nosuch"), (f"{RUN} --overwrite", "--overwrite requires --out"),
    *(([*command.split(), option, ""], f"{option}: found '', expected a")
      for command, option in ((RUN, "--tokenizer"), ("run --model model", "--prompt-file"), (RUN, "--out"), (PRUNE, "--evaluate"),
                              (PRUNE, "--calibration"), ("evaluate model text.txt", "--tokenizer"), ("export model -o e", "--tokenizer"))),
    ("prune model --method sparsegpt --calibration text.txt --out out --sequences 1 --damping 0", "damping"),
    (f"{PRUNE} --sparsity nan", "--sparsity: found 'nan'"), (f"{PRUNE} --sparsity-of down_proj=nan", "with a share from 0 to 1"),
    (f"{PRUNE} --block 0", "--block: found '0'"), ("tokenizer text.txt -o t.model --vocabulary 1e7", "--vocabulary"),
    ("tokenizer text.txt -o t.model --vocabulary 100000", "text.txt"), ("evaluate model text.txt --window 0", "--window"),
    ("compare --model model --formats dense", "--formats: found 1"), ("compare --model model --rounds nan", "--rounds"),
    *((f"info --synthetic llama2-7b:{words}", expected) for words, expected in (
        ("layers=1.5", "expected a whole number"), ("seed=-1", "expected a number from 0"), ("sparsity=nan", "expected a number from 0 to 1"),
        ("sparsity=0,sparsity=0.7", "found sparsity twice"), ("sparsity", "sparsity = ''"))),
    ("info --model model --out out", "--out: found --target cluster"), ("validate --machine nosuch --out out", "nosuch"),
    # files that are none, or of another kind
    *((f"{command}", expected) for command, expected in (
        ("run --model /dev/zero", "/dev/zero: cannot be read"), ("evaluate model /dev/zero", "more than 1073741824 bytes"), ("evaluate model pipe", "found an empty file"),
        ("evaluate model .", "cannot be read, expected a text"), ("tokenizer pipe -o t.model", "expected a file"), ("tokenizer empty.txt -o t.model", "found an empty file"),
        ("prune empty --method magnitude --out out", "empty"), ("prune text.txt --method magnitude --out out", "unknown kind"), ("train empty.txt --out out", "found an empty file"),
        ("train text.txt --out out", "not TOML"), ("export packed.h5 -o e", "packed.h5"), ("compare --model packed.h5", "found weights packed"),
        ("run --model packed.h5 --target wafer", "packed.h5"), ("recover r.toml --out out --set recover.model=packed.h5", "packed.h5"),
        ("recover r.toml --out out --set recover.teacher=other", "expected the same shape"), (f"run --model {LONG}", "xxx"))),
    # places to write
    *((f"{command} {place}", expected) for command in (RUN + " --out", "prune model --method magnitude --out", "train d.toml --out", "evaluate model text.txt --out", "export model -o")
      for place, expected in (("text.txt", "text.txt"), (f"d/{LONG}", "cannot be made"))),
    ("convert --model model --out /dev/null", "not a folder or device"), ("convert --model model --out nowhere/m.h5", "in a folder that there is"),
    ("convert --model model --out m.txt", "ends in .h5"), (f"tokenizer text.txt --vocabulary 50 -o {LONG}", "cannot be written to"),
    # decks
    *((f"{TRAIN} --set {key}", expected) for key, expected in (
        ("model.layers=1e6", "a whole number from 1 to 4096"), ("model.hidden=16777216", "are available"), ("model.dim=1e6", "are available"),
        ("model.layers=inf", "model.layers"), ("model.heads=3", "multiple of the 3 heads"), ("model.kv_heads=3", "a divisor of the 2 heads"),
        ("training.batch_sequences=1000000", "are available"), ("training.steps=0", "training.steps"), ("training.learning_rate=nan", "learning_rate"),
        ("training.sequence_tokens=64", "at most the model's context 32"), ("training.speed=1", "unknown key"))),
    # sizes, before anything is built
    *((f"{command}", "found shape [258,16], expected [258,16777216]") for command in (  # these take rows as they come
        "evaluate wide text.txt", "prune wide --method magnitude --out out", "run --model wide", "info --model wide", "export wide -o e", "convert --model wide --out w.h5", "compare --model wide",
        "run --model wide --target wafer", "evaluate wide text.txt --format csr")),
    ("run --model model --prompt-file huge.txt", "huge.txt: needs"), ("evaluate model large.txt", "bytes to encode: needs"),
    ("run --model long --prompt-tokens 1e9 --tokens 1", "at most the model's context"),
    ("run --model model --prompt-tokens 1 --tokens 60 --sequences 1e6 --target wafer", "tile memory of wse2"),
    # command lines
    ("", "subcommand"), ("nosuch", "found 'nosuch'"), ("run a b", "b"), ("evaluate", "found 0 words, expected the model and the text"), (f"{TRAIN} --restart --overwrite", "excludes"),
]
RANKS = {f"{TRAIN} --set model.heads=3": 2, "prune empty --method magnitude --out out": 3, "run --model wide": 2, "evaluate model /dev/zero": 2,
         "tokenizer empty.txt -o t.model": 3, f"{RUN} --out text.txt": 2, "export model -o text.txt": 2, f"{PRUNE} --sparsity nan": 3}


def files(folder):
    make_model(folder / "model")
    make_model(folder / "other", config={"intermediate_size": 48})
    for name, config in (("wide", {"hidden_size": 1 << 24, "num_attention_heads": 1 << 17, "num_key_value_heads": 1 << 17}), ("long", {"max_position_embeddings": 1 << 24})):
        made = make_model(folder / name)
        (made / "config.json").write_text(json.dumps({**json.loads((made / "config.json").read_text()), **config}))
    (folder / "text.txt").write_text("In the beginning there was a text, and it was short. " * 20)
    (folder / "empty.txt").write_text("")
    for text, size in (("huge.txt", 1 << 40), ("large.txt", 1 << 33)):  # holes
        with open(folder / text, "wb") as file:
            file.truncate(size)
    (folder / "empty").mkdir()
    (folder / "d").mkdir()
    os.mkfifo(folder / "pipe")
    (folder / "d.toml").write_text(DECK)
    (folder / "r.toml").write_text(DECK.split("[model]")[0] + '[recover]\nmodel = "model"\n[training]' + DECK.split("[training]")[1])
    subprocess.run([binary, "convert", "--model", "model", "--out", "packed.h5"], cwd=folder, check=True, capture_output=True)


def tried(case, number, folder):
    words, expected = case
    ranks = RANKS.get(words, 1) if isinstance(words, str) else 1
    words = words.split() if isinstance(words, str) else words
    words = [f"out{number}" if word == "out" else word for word in words]  # a folder for each
    done = subprocess.run([*((mpiexec, "-np", str(ranks)) if ranks > 1 else ()), binary, *words], cwd=folder, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=120)
    lines = [line for line in done.stderr.splitlines() if line.startswith("sparse_llama: ")]
    others = [] if ranks > 1 else [line for line in done.stderr.splitlines() if line not in lines]  # mpirun has its own
    good = done.returncode == 2 and len(lines) == 1 and expected in lines[0] and not others
    shown = " ".join(w if len(w) < 60 else w[:20] + "..." for w in words)
    return good, f"{'ok  ' if good else 'FAIL'} {shown} on {ranks}: exit {done.returncode}: {done.stderr.strip()[-400:] if not good else lines[0][14:200]}"


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files(folder)
        before = {p.name for p in folder.iterdir()}
        with ThreadPoolExecutor(4) as pool:
            outcomes = list(pool.map(lambda item: tried(item[1], item[0], folder), enumerate(CASES)))
        left = [p for p in folder.iterdir() if p.name not in before and not (p.is_dir() and {q.name for q in p.iterdir()} <= {".lock"})]
    for _, text in outcomes:
        print(text)
    for path in left:
        print(f"FAIL left behind: {path.name}")
    failed = sum(not good for good, _ in outcomes) + len(left)
    print(f"{len(outcomes)} tried, {failed} failed")
    sys.exit(1 if failed else 0)


main()
