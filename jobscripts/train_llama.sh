#!/usr/bin/env bash
# Makes the small Llama that the project ships, and everything that its table compares: dense training, one-shot
# pruning by each method, two recovery stages with and without distillation, the small dense model.
#   jobscripts/train_llama.sh DIR     results in DIR/<stage>/result.json; stages that are done are not repeated
# SPARSE_LLAMA: the program (default: build/release); RANKS: MPI ranks (default 2); STAGES: what to run (default: all)
# SHRINK=n: n times fewer steps everywhere, for a trial. A full run takes about two hours on 2 cores.
set -euo pipefail
source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
case ${1:-} in
  -h | --help) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 0 ;;
  "" | -*) echo "$(basename "$0"): found '${1:-}', expected a folder" >&2; exit 2 ;;
esac
dir=$1
program=${SPARSE_LLAMA:-$source_dir/build/release/apps/sparse_llama/sparse_llama}
ranks=${RANKS:-2}
shrink=${SHRINK:-1}
stages=${STAGES:-text tokenizer dense oneshot stage1 stage2 stage1-distilled stage2-distilled stage1-long stage2-long small longer}
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1} OPENBLAS_NUM_THREADS=1
dense_steps=$((4000 / shrink)) stage1_steps=$((400 / shrink)) stage2_steps=$((800 / shrink))
stage1_long_steps=$((4 * stage1_steps)) stage2_long_steps=$((8 * stage2_steps))
mkdir -p "$dir"
cp "$source_dir"/inputs/llama/{train_dense,train_small,recover}.toml "$dir/"
cd "$dir"

launch() { mpiexec -n "$ranks" "$program" "$@"; }
stage() {  # stage NAME COMMAND...: once, with a log
  local name=$1; shift
  grep -qs '"valid": true' "$name/result.json" && return  # that of a run that was cut is there too
  echo "$name: $*"
  "$@" >"$name.log" 2>&1 || { tail -n 3 "$name.log" >&2; echo "train_llama.sh: $name failed, see $dir/$name.log" >&2; exit 1; }
}
prune() {  # prune NAME MODEL METHOD SPARSITY
  stage "$1" launch prune "$2" --out "$1" --overwrite --method "$3" --sparsity "$4" --tokenizer tokenizer.model \
    --calibration text/train.txt --sequences 128 --evaluate text/heldout.txt
}
recover() {  # recover NAME MODEL STEPS [deck keys...]
  local name=$1 model=$2 steps=$3; shift 3
  local sets=(--set "recover.model=$model" --set "training.steps=$steps")
  for key in "$@"; do sets+=(--set "$key"); done
  stage "$name" launch recover recover.toml --out "$name" --restart "${sets[@]}"
}
distilled=(recover.teacher=dense training.logit_distillation=1 training.feature_distillation=1)
rewarm=$((40 / shrink + 1))

for part in $stages; do
  case $part in
    text) [ -e text/heldout.txt ] || "$source_dir/jobscripts/bible_text.sh" text ;;
    tokenizer) [ -e tokenizer.model ] || "$program" tokenizer text/train.txt --vocabulary 512 -o tokenizer.model ;;
    dense) stage dense launch train train_dense.toml --out dense --restart --set training.steps=$dense_steps \
      --set training.warmup_steps=$((100 / shrink + 1)) ;;
    oneshot)
      for sparsity in 50 70; do
        for method in magnitude wanda sparsegpt; do prune "$method-$sparsity" dense $method 0.$sparsity; done
      done ;;
    stage1) recover stage1 sparsegpt-50 $stage1_steps training.warmup_steps=$rewarm ;;
    stage2)
      prune stage2-pruned stage1 sparsegpt 0.70
      recover stage2 stage2-pruned $stage2_steps training.warmup_steps=$rewarm training.seed=3 ;;
    stage1-distilled) recover stage1-distilled sparsegpt-50 $stage1_steps training.warmup_steps=$rewarm "${distilled[@]}" ;;
    stage2-distilled)
      prune stage2-distilled-pruned stage1-distilled sparsegpt 0.70
      recover stage2-distilled stage2-distilled-pruned $stage2_steps training.warmup_steps=$rewarm training.seed=3 \
        "${distilled[@]}" ;;
    stage1-long) recover stage1-long sparsegpt-50 $stage1_long_steps training.warmup_steps=$rewarm training.learning_rate=4e-3 \
      "${distilled[@]}" ;;
    stage2-long)  # ships
      prune stage2-long-pruned stage1-long sparsegpt 0.70
      recover stage2-long stage2-long-pruned $stage2_long_steps training.warmup_steps=$rewarm training.seed=3 \
        training.learning_rate=4e-3 "${distilled[@]}" ;;
    small) stage small launch train train_small.toml --out small --restart \
      --set training.steps=$((dense_steps + stage1_long_steps + stage2_long_steps)) \
      --set training.warmup_steps=$((100 / shrink + 1)) ;;
    longer)  # the dense model, no mask
      recover longer dense $((13 * stage1_steps)) training.warmup_steps=$rewarm ;;
    *) echo "train_llama.sh: unknown stage '$part'" >&2; exit 2 ;;
  esac
done
