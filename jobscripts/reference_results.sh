#!/usr/bin/env bash
# Makes the results that `wafermark-report` sets beside a user's own again: the SC24 slabs on the emulated wafer, on simulated
# clusters as this program runs there, and as LAMMPS ran there in 2023. Keeps result.json of each and nothing else. A result that
# is there stays; remove it to make it anew.
#   jobscripts/reference_results.sh [--out DIR] [--machines NAME,NAME,...] [--ranks N,N,...] [--no-build]
#     --out DIR             default: results/reference of this source
#     --machines NAME,...   of inputs/clusters/simulated, for this program (default: frontier, alps, eos)
#     --ranks N,...         sizes of the clusters (default: 64,256)
#     --no-build            take build/release and build/cluster-sim as they are
# Takes some quarter of an hour on one core.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
fail() { echo "reference_results.sh: $*" >&2; exit 2; }

out=$source_dir/results/reference machines=frontier,alps,eos ranks=64,256 build_first=yes
while [ $# -gt 0 ]; do
  case "$1" in
    -h | --help) sed -n '2,11s/^# \{0,1\}//p' "$0"; exit 0 ;;
    --no-build) build_first=no; shift ;;
    --out | --machines | --ranks)
      [ $# -ge 2 ] || fail "$1: found nothing after it, expected a value"
      case "$1" in --out) out=$(realpath -m "$2") ;; --machines) machines=$2 ;; --ranks) ranks=$2 ;; esac
      shift 2 ;;
    *) fail "$1: no such option (--help lists what there is)" ;;
  esac
done
[[ "$ranks" =~ ^[1-9][0-9]{0,5}(,[1-9][0-9]{0,5})*$ ]] || fail "--ranks $ranks: expected whole numbers from 1, with commas between"
IFS=, read -r -a machine_list <<<"$machines"
IFS=, read -r -a rank_list <<<"$ranks"
for machine in "${machine_list[@]}"; do
  [ -f "$source_dir/inputs/clusters/simulated/$machine.toml" ] || fail "--machines $machine: found no such file in inputs/clusters/simulated"
done

work=$(mktemp -d -t wafermark-reference-XXXXXX)
trap 'rm -rf "$work"' EXIT
cd "$source_dir"  # so that results name their inputs as the source does
# keep FOLDER NAME: the result of a run as a reference, its inputs named from the top of the source.
keep() {
  mkdir -p "$out/$2"
  sed "s#\"$source_dir/#\"#; s#\"$work/#\"#" "$1/result.json" >"$out/$2/result.json"
  echo "$out/$2/result.json"
}
# replayed NAME WORDS...: a replay, unless it is there.
replayed() {
  local name=$1
  shift
  [ -f "$out/$name/result.json" ] && return
  "$python" jobscripts/cluster_replay.py "$@" --out "$work/$name" >/dev/null
  keep "$work/$name" "$name"
}
python=$(python_with tomllib)

[ $build_first = no ] || build release tungsten_md >&2
for metal in Ta Cu W; do
  [ -f "$out/sc24_${metal}_wafer/result.json" ] && continue
  build/release/apps/tungsten_md/tungsten_md run "inputs/tungsten/sc24_$metal.toml" --target wafer \
    --set run.steps=10 --set output.thermo_every_steps=10 --out "$work/wafer_$metal" >/dev/null
  keep "$work/wafer_$metal" "sc24_${metal}_wafer"
done

[ $build_first = no ] || build cluster-sim tungsten_md wafermark_kernel_clock cluster_platform cluster_step cluster_replay >&2
for metal in Ta Cu W; do
  for n in 32 256; do
    replayed "sc24_${metal}_frontier_lammps_$n" --profile lammps_kokkos_2023 --workload "sc24_${metal}_gpu" --machine frontier --ranks "$n"
  done
  # SimGrid takes a quarter of an hour for 14,400 ranks; the modelled step stands for it.
  for n in 2304 14400; do
    replayed "sc24_${metal}_quartz_lammps_modelled_$n" --modelled --profile lammps_cpu_2023 --workload "sc24_${metal}_cpu" --machine quartz --ranks "$n"
  done
done
# This program: recorded once for each size, then carried out on each machine. Ten steps hold no new list, and start a perfect
# crystal: its energy is not yet to be judged.
for metal in Ta Cu W; do
  for n in "${rank_list[@]}"; do
    record=$work/$metal/frontier_ranks_$n/work
    for machine in "${machine_list[@]}"; do
      [ -f "$out/sc24_${metal}_${machine}_$n/result.json" ] && continue
      [ -f "$record" ] || jobscripts/cluster_sim.sh "inputs/tungsten/sc24_$metal.toml" --no-build --record --machine frontier --ranks "$n" \
        --out "$work/$metal" --set run.steps=10 --set output.thermo_every_steps=0 --set check.energy_tolerance_ev_per_atom=1 >/dev/null
      replayed "sc24_${metal}_${machine}_$n" --work "$record" --machine "$machine"
    done
  done
done
