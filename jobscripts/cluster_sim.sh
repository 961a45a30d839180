#!/usr/bin/env bash
# Runs a deck of tungsten_md, or sparse_llama, on a simulated cluster: the same program and its messages, all ranks in one
# process of SimGrid, kernels and links timed by a machine file (docs/cluster_sim.md). One folder a size, OUT/MACHINE_nodes_N.
#   jobscripts/cluster_sim.sh DECK --machine frontier --nodes 1,2,4 --out DIR
#   jobscripts/cluster_sim.sh --llama llama2-7b:hollow=1 --machine frontier --ranks 1,2,4 --out DIR [-- --tokens 8 ...]
#     --machine NAME|FILE   of inputs/clusters/simulated
#     --nodes N,N,...       all workers of each; or --ranks N,N,...
#     --into DIR            instead of --out, for one size: its folder
#     --set KEY=VALUE       of the deck, as in tungsten_md; --machine-set KEY=VALUE: of the machine file
#     --record              keep what the ranks did in the timed steps, OUT/.../work, for cluster_replay.py
#     --overwrite           remove earlier runs in these folders
#     --no-build            take build/cluster-sim as it is
#     --llama MODEL         weights made up, as of sparse_llama run --synthetic; hollow=1: sizes without numbers.
#                           Behind --: more options of sparse_llama run
# No checkpoints and no HDF5 trajectories: that library belongs to another MPI.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

usage() { sed -n '2,16s/^# \{0,1\}//p' "$0"; }
fail() { echo "cluster_sim.sh: $*" >&2; exit 2; }

deck="" llama="" machine="" sizes="" unit="" out="" into="" build_first=yes record=no
settings=() machine_changes=() run_options=() llama_options=()
while [ $# -gt 0 ]; do
  case "$1" in
    -h | --help) usage; exit 0 ;;
    --no-build) build_first=no; shift; continue ;;
    --) shift; llama_options=("$@"); break ;;
    --record) record=yes; shift; continue ;;
    --overwrite) run_options+=(--overwrite); shift; continue ;;
    --machine | --nodes | --ranks | --out | --into | --set | --machine-set | --llama)
      [ $# -ge 2 ] || fail "$1: found nothing after it, expected a value"
      case "$1" in
        --machine) machine=$2 ;;
        --llama) llama=$2 ;;
        --nodes | --ranks)
          [ -z "$sizes" ] || fail "$1: found a second list of sizes, expected one of --nodes and --ranks"
          unit=$1 sizes=$2 ;;
        --out) out=$2 ;;
        --into) into=$2 ;;
        --set) settings+=(--set "$2") ;;
        --machine-set) machine_changes+=("$2") ;;
      esac
      shift 2; continue ;;
    -*) fail "$1: no such option (--help lists what there is)" ;;
    *) [ -z "$deck" ] || fail "found a second deck, '$1', expected one"; deck=$1; shift ;;
  esac
done
[ -n "$deck$llama" ] || fail "found no deck, expected cluster_sim.sh DECK --machine NAME --nodes N,... --out DIR"
if [ -n "$llama" ]; then
  [ -z "$deck" ] || fail "found a deck, '$deck', and --llama, expected one of the two"
  [ $record = no ] || fail "--record: found --llama, expected a deck"
  [ ${#settings[@]} -eq 0 ] || fail "--set: found --llama, which has no deck, expected options of sparse_llama behind --"
else
  [ ${#llama_options[@]} -eq 0 ] || fail "'${llama_options[0]}': found behind --, expected it with --llama only"
  [ -f "$deck" ] || fail "$deck: found no such file, expected a deck"
fi
[ -n "$machine" ] || fail "found no --machine, expected one of inputs/clusters/simulated"
[ -n "$sizes" ] || fail "found no sizes, expected --nodes or --ranks"
[ -n "$out$into" ] || fail "found no --out, expected a folder"
[ -z "$out" ] || [ -z "$into" ] || fail "found --out and --into, expected one of them"
[ -z "$into" ] || [[ "$sizes" != *,* ]] || fail "--into: found several sizes, expected one"
[[ "$sizes" =~ ^[1-9][0-9]{0,5}(,[1-9][0-9]{0,5})*$ ]] || fail "$unit $sizes: expected whole numbers from 1, with commas between"

# smpirun takes its command line apart at spaces.
for word in "$deck" "$llama" "$out" "$into" "${settings[@]}" "${llama_options[@]}"; do
  [[ "$word" != *[[:space:]]* ]] || fail "'$word': found a space, expected none: smpirun cannot pass it on"
done
[ -z "$out" ] || out=$(realpath -m "$out")
[ -z "$into" ] || into=$(realpath -m "$into")
[ -z "$deck" ] || deck=$(realpath "$deck")

machines=$source_dir/inputs/clusters/simulated
if [ ! -f "$machine" ]; then
  [ -f "$machines/$machine.toml" ] ||
    fail "--machine $machine: found no such file or name, expected a machine file or one of: $(cd "$machines" && printf '%s\n' *.toml | sed 's/\.toml$//' | paste -sd' ')"
  machine=$machines/$machine.toml
fi
machine=$(realpath "$machine")
command -v smpirun >/dev/null || { echo "cluster_sim.sh: smpirun not found: install SimGrid (Debian: libsimgrid-dev)" >&2; exit 1; }

folder=$source_dir/build/cluster-sim
app=${llama:+sparse_llama} app=${app:-tungsten_md}
[ $build_first = no ] || build cluster-sim $app wafermark_kernel_clock cluster_platform cluster_step cluster_replay >&2
program=$folder/apps/$app/$app

work=$(mktemp -d -t wafermark-cluster-sim-XXXXXX)
trap 'rm -rf "$work"' EXIT
# Before the first size runs, every size is found good.
IFS=, read -r -a list <<<"$sizes"
workers=$("$folder/tools/kernel_clock/cluster_platform" --workers "$machine" "${machine_changes[@]}")
for size in "${list[@]}"; do
  ranks=$size
  if [ "$unit" = --nodes ]; then ranks=$((size * workers)); fi
  mkdir -p "$work/$size"
  "$folder/tools/kernel_clock/cluster_platform" "$machine" "$ranks" "$work/$size" "${machine_changes[@]}"
  echo "$ranks" >"$work/$size/ranks"
done

name=$(basename "$machine" .toml)
export KOKKOS_TOOLS_LIBS=$folder/tools/kernel_clock/libwafermark_kernel_clock.so
export WAFERMARK_CLUSTER_MACHINE=$machine OMP_NUM_THREADS=1
WAFERMARK_CLUSTER_CHANGES=$(printf '%s\n' "${machine_changes[@]}")
export WAFERMARK_CLUSTER_CHANGES
cd "$work"  # smpirun leaves its files where it stands
for size in "${list[@]}"; do
  here=$work/$size to=${into:-$out/${name}_${unit#--}_$size}
  mapfile -t options <"$here/options"
  mapfile -t of_machine <"$here/deck"
  mapfile -t ranks <"$here/ranks"
  if [ -n "$llama" ]; then
    words=(--synthetic "$llama" --quiet "${llama_options[@]}")
  else
    words=("$deck")
    for setting in "${of_machine[@]}" output.checkpoint_every_steps=0 output.trajectory_every_steps=0; do
      words+=(--set "$setting")
    done
  fi
  mkdir -p "$to"
  work_file=""
  [ $record = no ] || work_file=$to/work
  WAFERMARK_CLUSTER_PLATFORM=$(cat "$here/platform.txt") WAFERMARK_CLUSTER_KERNELS=$to/kernels.csv WAFERMARK_CLUSTER_WORK=$work_file \
    smpirun -quiet -np "${ranks[0]}" -platform "$here/platform.xml" -hostfile "$here/hosts" "${options[@]}" \
    --log=root.thresh:critical "$program" run "${words[@]}" --out "$to" "${settings[@]}" "${run_options[@]}"
done
