#!/usr/bin/env bash
# All that a GPU is asked in one go, when one is at hand: tests, slabs of the SC24 paper, 1,000 atoms, Llama decoding
# dense and sparse, alone and in batches. Under six minutes on one device; each part has its own limit, and one that fails or is cut leaves
# the others alone.
#   tests/gpu/check.sh [--build DIR] [--out DIR] [--short]
#   --build  build folder of a GPU preset, built (default: build/cluster-cuda, or build/cluster-hip)
#   --out    where result.json files, logs and the table go (default: results/gpu)
#   --short  sizes at which a CPU build goes through all of it in minutes: whether the script works, no rates
# The table, on stdout and in OUT/table.md, is what docs/gpus.md shows. Exit code 1 when a part failed.
# A profile too, where `nsys` is installed: OUT/kernels.txt.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../../jobscripts/environment.sh"

folder='' out=$source_dir/results/gpu short=no
while [ $# -gt 0 ]; do
  case "$1" in
    --build) folder=${2:?--build needs a folder}; shift ;;
    --out) out=${2:?--out needs a folder}; shift ;;
    --short) short=yes ;;
    -h | --help) sed -n '2,10s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "check.sh: unknown argument '$1' (--help)" >&2; exit 2 ;;
  esac
  shift
done
if [ -z "$folder" ]; then
  for preset in cluster-cuda cluster-hip; do
    [ -e "$source_dir/build/$preset/CMakeCache.txt" ] && folder=$source_dir/build/$preset && break
  done
fi
tungsten=$folder/apps/tungsten_md/tungsten_md llama=$folder/apps/sparse_llama/sparse_llama
for program in "$tungsten" "$llama"; do
  [ -x "$program" ] || { echo "check.sh: found no program $program, expected a build (--build DIR)" >&2; exit 2; }
done
python=$(python_with json) || exit 2
mkdir -p "$out" || exit 2
failed=0

# part NAME SECONDS command...: runs it with a limit; its words go to OUT/NAME.log.
part() {
  local name=$1 limit=$2 begin=$SECONDS code=0
  shift 2
  timeout "$limit" "$@" >"$out/$name.log" 2>&1 || code=$?
  if [ $code -ne 0 ]; then
    failed=1
    echo "FAIL $name: exit code $code after $((SECONDS - begin)) s (124: cut), $out/$name.log:"
    tail -5 "$out/$name.log"
  else
    echo "ok   $name ($((SECONDS - begin)) s)"
  fi
}

# slab NAME element cells steps precision [launch [lanes]]: a slab open on all sides, from the deck of its element.
slab() {
  part "$1" 60 "$tungsten" run "$source_dir/inputs/tungsten/sc24_$2.toml" --out "$out/$1" --overwrite \
    --set "structure.cells=$3" --set "run.steps=$4" --set "output.thermo_every_steps=$4" --set run.skin_angstrom=1.0 \
    --set "run.precision=$5" --set "run.launch=${6:-kernels}" \
    --set "run.lanes_per_atom=${7:-0}"
}

# few_atoms STEPS: 1,000, by each way to launch a step, with 1, 8 and 32 lanes an atom; graphs on AMD's GPUs have 1.
few_atoms() {
  local launch lanes
  for launch in kernels graph persistent; do
    for lanes in 1 8 32; do
      [[ $folder == *hip* && $launch == graph && $lanes != 1 ]] || slab "W_1000_atoms_${launch}_${lanes}_lanes" W '[10, 10, 5]' "$1" double $launch $lanes
    done
  done
}

decode() {
  part "$1" 60 "$llama" run --synthetic "$2" --format "$3" --value bf16 --prompt-tokens 16 --tokens "$4" --quiet \
    --out "$out/$1" --overwrite
}

# batch NAME model format sequences prompt tokens: by the device's library of matrix products, and by warps.
batch() {
  local way
  for way in library warps; do
    part "$1_$way" 60 env WAFERMARK_BATCH_PRODUCTS=$way "$llama" run --synthetic "$2" --format "$3" --value bf16 \
      --sequences "$4" --prompt-tokens "$5" --tokens "$6" --quiet --out "$out/$1_$way" --overwrite
  done
}

tests='^(test_forces|test_lennard_jones|test_simulation|test_dynamics_drivers|test_electrons|test_step_counts|test_many_steps|test_llama_decoder|test_llama_token_counts)_1$|^test_llama_(row_dots|packed_matrix|device_kernels|batch_products|token_choice)$'
part tests 150 ctest --test-dir "$folder" -R "$tests" --output-on-failure
part two_ranks_on_one_device 60 ctest --test-dir "$folder" -R '^(test_forces|test_lennard_jones|test_llama_device_sums)_2$' --output-on-failure

if [ $short = yes ]; then
  slab W_double W '[16, 16, 6]' 20 double
  few_atoms 50
  decode dense "llama2-7b:layers=1,sparsity=0.0" dense 2
  decode sparse "llama2-7b:layers=1,sparsity=0.7" bit_mask 2
  batch batch16 "tinyllama-1.1b:layers=1,sparsity=0.7" bit_mask 16 2 3
else
  slab W_double W '[256, 261, 6]' 2000 double
  slab W_mixed W '[256, 261, 6]' 2000 mixed
  slab Ta_double Ta '[256, 261, 6]' 1000 double
  slab Cu_double Cu '[174, 192, 6]' 1000 double
  few_atoms 10000
  decode tinyllama_dense tinyllama-1.1b dense 128
  decode tinyllama_sparse tinyllama-1.1b:sparsity=0.7 bit_mask 128
  decode llama2_7b_sparse llama2-7b:sparsity=0.7 bit_mask 64
  batch batch16 tinyllama-1.1b:sparsity=0.7 bit_mask 16 16 64
  batch batch64 tinyllama-1.1b:sparsity=0.7 bit_mask 64 16 64
  batch batch64_dense tinyllama-1.1b dense 64 16 64
  batch prompt512 tinyllama-1.1b:sparsity=0.7 bit_mask 1 512 2
fi
if command -v nsys >/dev/null; then
  part kernels 60 nsys profile --force-overwrite true --stats true --output "$out/kernels" "$tungsten" run \
    "$source_dir/inputs/tungsten/sc24_W.toml" --out "$out/profiled" --overwrite --set run.steps=100
fi

"$python" - "$out" <<'TABLE' | tee "$out/table.md"
import json, sys
from pathlib import Path
rows = []
for file in sorted(Path(sys.argv[1]).glob("*/result.json")):
    result = json.loads(file.read_text())
    machine, build = result["machine"], result["build"]
    for figure in result["figures"]:
        if figure["value"] is not None and figure["name"] in (
                "steps_per_second", "atom_steps_per_second", "joules_per_atom_step", "decode_tokens_per_second",
                "prefill_tokens_per_second", "joules_per_token", "bytes_per_token"):
            rows.append((file.parent.name, figure["name"], f"{figure['value']:.4g} {figure['unit']}".strip()))
    head = f"{result['started'][:10]}, {machine.get('device') or machine['cpu']}, {build['backend']}, Kokkos {build['kokkos']}, " \
           f"{machine.get('device_messages', '')}, commit {build['commit']}"
if not rows:
    sys.exit("no results")
print(head, "\n")
print("| run | figure | value |\n|---|---|---|")
for row in rows:
    print("|", " | ".join(row), "|")
TABLE
[ "${PIPESTATUS[0]}" -eq 0 ] || failed=1
exit $failed
