#!/usr/bin/env bash
# Makes the results that answer the suite's question again (docs/study.md): the SC24 slabs on the emulated wafer and on simulated
# clusters, curves over size and thickness, sparse Llama on both, what this machine measures, one campaign of cascades. They are what
# `wafermark-report` sets beside a user's own. Keeps result.json of each run. A result that is there stays, so that a study that was
# cut goes on; remove one to make it anew.
#   jobscripts/study.sh [PART...] [--out DIR] [--no-build]
#     PART         slabs records clusters curves llama streamed surface llama-clusters here campaign   (default: all, in this order)
#     --out DIR    default: results/reference of this source
#     --host NAME  this machine's name in its results (part here); default: its host name
#     --no-build   take build/release and build/cluster-sim as they are
#     --list       what is there of each part and what is missing; runs nothing
# Hours on two cores; docs/study.md says how long each part took. Parts that need SimGrid are left out, with a line, where it is missing.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
fail() { echo "study.sh: $*" >&2; exit 2; }

all_parts=(slabs records clusters curves llama streamed surface llama-clusters here campaign)
out=$source_dir/results/reference build_first=yes list=no host=$(hostname) parts=()
while [ $# -gt 0 ]; do
  case "$1" in
    -h | --help) sed -n '2,13s/^# \{0,1\}//p' "$0"; exit 0 ;;
    --no-build) build_first=no ;;
    --list) list=yes ;;
    --out) [ $# -ge 2 ] || fail "--out: found nothing after it, expected a folder"; out=$(realpath -m "$2"); shift ;;
    --host) [ $# -ge 2 ] || fail "--host: found nothing after it, expected a name"; host=$2; shift ;;
    -*) fail "$1: no such option (--help lists what there is)" ;;
    *) [[ " ${all_parts[*]} " == *" $1 "* ]] || fail "$1: found no such part, expected some of: ${all_parts[*]}"; parts+=("$1") ;;
  esac
  shift
done
[ ${#parts[@]} -gt 0 ] || parts=("${all_parts[@]}")

work=$(mktemp -d -t wafermark-study-XXXXXX)
trap 'rm -rf "$work"' EXIT
cd "$source_dir"  # so that results name their inputs as the source does
release=build/release/apps sim=build/cluster-sim/tools/kernel_clock
python=$(python_with tomllib)
made=0 there=0 missing=0 failed=0

# settled NAME FILE: whether nothing is to be made, since the file is there or only a list is wanted.
settled() {
  if [ -f "$2" ]; then there=$((there + 1)); return 0; fi
  [ $list = yes ] || return 1
  missing=$((missing + 1))
  echo "missing: $1"
}
# runs NAME COMMAND...: runs it; one that fails is told of and counted.
runs() {
  local name=$1
  shift
  "$@" >"$work/log" 2>&1 && return
  echo "study.sh: $name failed: $(tail -n 1 "$work/log")" >&2
  failed=$((failed + 1))
  return 1
}

# result NAME COMMAND...: a result of the study, unless it is there. COMMAND gets --out FOLDER behind it.
result() {
  local name=$1 run=$work/${1//\//_}
  shift
  if settled "$name" "$out/$name/result.json"; then return; fi
  local began=$SECONDS
  runs "$name" "$@" --out "$run" || return 0
  mkdir -p "$out/$name"
  # Inputs are named from the top of a source, wherever that lay.
  sed -E 's#"/[^"]*/(inputs/[^"]*)"#"\1"#; s#"'"$work"'/#"#' "$run/result.json" >"$out/$name/result.json.new"
  [ ! -f "$work/load.json" ] || mv "$work/load.json" "$out/$name/load.json"
  mv "$out/$name/result.json.new" "$out/$name/result.json"
  rm -rf "$run"
  made=$((made + 1))
  echo "$name: $((SECONDS - began)) s"
}
deck() { echo "inputs/tungsten/sc24_$1.toml"; }
on_wafer=(--target wafer --set run.steps=10 --set output.thermo_every_steps=10)
# Ten steps hold no new list, and start a perfect crystal: its energy is not yet to be judged.
on_cluster=(--set run.steps=10 --set output.thermo_every_steps=0 --set check.energy_tolerance_ev_per_atom=1)
build_release() { [ $list = yes ] || [ $build_first = no ] || build release tungsten_md sparse_llama >&2; }
build_simulation() {
  if [ $list = no ] && ! command -v smpirun >/dev/null; then
    echo "study.sh: $1 is left out: smpirun not found (Debian: libsimgrid-dev)" >&2
    return 1
  fi
  [ $list = yes ] || [ $build_first = no ] ||
    build cluster-sim tungsten_md sparse_llama wafermark_kernel_clock cluster_platform cluster_step cluster_replay >&2
  [ $list = yes ] || [ -x $sim/cluster_step ] || { echo "study.sh: $1 is left out: build/cluster-sim is not built" >&2; return 1; }
}

# The slabs of SC24 on the wafer.
part_slabs() {
  build_release
  for metal in Ta Cu W; do
    result "sc24_${metal}_wafer" $release/tungsten_md/tungsten_md run "$(deck $metal)" "${on_wafer[@]}"
  done
}

# The same with the options of the later records, and Ta with four tiles an atom.
part_records() {
  build_release
  local options=(--set wafer.list_reuse_steps=10 --set wafer.squared_tables=true --set wafer.fused_density=true --set wafer.blocking_receives=true)
  for metal in Ta Cu W; do
    result "sc24_${metal}_wafer_lists" $release/tungsten_md/tungsten_md run "$(deck $metal)" "${on_wafer[@]}" "${options[@]}"
  done
}

# replay NAME WORDS...: a step of a simulated cluster.
replay() { result "$1" "$python" jobscripts/cluster_replay.py "${@:2}"; }

# on_clusters NAME METAL RANKS MACHINES WORDS...: this program's step, recorded once and carried out on each machine. WORDS: of the deck.
on_clusters() {
  local name=$1 metal=$2 n=$3 machines=$4 record=$work/record_$1_$3 machine
  shift 4
  for machine in $machines; do
    if [ $list = no ] && [ ! -f "$out/${name}_${machine}_$n/result.json" ] && [ ! -f "$record/work" ]; then
      jobscripts/cluster_sim.sh "$(deck "$metal")" --no-build --record --machine frontier --ranks "$n" --into "$record" "${on_cluster[@]}" "$@" >"$work/log" 2>&1 ||
        { echo "study.sh: ${name}, $n ranks: $(tail -n 1 "$work/log")" >&2; failed=$((failed + 1)); return; }
    fi
    replay "${name}_${machine}_$n" --work "$record/work" --machine "$machine"
  done
  rm -rf "$record"
}

# The slabs on simulated clusters: as LAMMPS ran there in 2023, and this program, recorded once for each size and carried out on each machine.
part_clusters() {
  build_simulation clusters || return 0
  for metal in Ta Cu W; do
    for n in 32 256; do
      replay "sc24_${metal}_frontier_lammps_$n" --profile lammps_kokkos_2023 --workload "sc24_${metal}_gpu" --machine frontier --ranks "$n"
    done
    # SimGrid takes a quarter of an hour for 14,400 ranks; the modelled step stands for it.
    for n in 2304 14400; do
      replay "sc24_${metal}_quartz_lammps_modelled_$n" --modelled --profile lammps_cpu_2023 --workload "sc24_${metal}_cpu" --machine quartz --ranks "$n"
    done
  done
  for metal in Ta Cu W; do
    for n in 64 256; do
      on_clusters "sc24_$metal" $metal $n "frontier alps eos"
    done
  done
}

# One thickness in five sizes, and some 50,000 atoms from a thin slab to a cube.
part_curves() {
  build_release
  local simulation=yes
  build_simulation "the clusters' side of curves" || simulation=no
  for metal in W Ta; do
    while read -r cells ranks; do
      local name="curve_${metal}_${cells//,/x}" cells_set=(--set "structure.cells=[$cells]")
      result "${name}_wafer" $release/tungsten_md/tungsten_md run "$(deck $metal)" "${on_wafer[@]}" "${cells_set[@]}"
      # Thick samples lie in layers where that is faster (docs/wafer.md).
      [ "${cells##*,}" -lt 24 ] ||
        result "${name}_wafer_layers" $release/tungsten_md/tungsten_md run "$(deck $metal)" "${on_wafer[@]}" "${cells_set[@]}" --set wafer.layer_cells=auto
      [ $simulation = yes ] || continue
      # The machines' decks never cut a slab in z, as was published; thick samples are cut along all axes.
      [ "${cells##*,}" -lt 12 ] || cells_set+=(--set "run.rank_grid=[0,0,0]")
      for n in $ranks; do on_clusters "$name" $metal "$n" "frontier alps" "${cells_set[@]}"; done
    done <<SAMPLES
16,16,6 1 4 16
32,33,6 1 4 16 64
64,65,6 1 4 16 64
128,130,6 4 16 64
91,92,3 1 4 16 64
46,45,12 1 4 16 64
32,33,24 1 4 16 64
29,30,29 1 4 16 64
SAMPLES
  done
}

# Keys of --synthetic for a share of zeros in percent, behind MODEL:KEY, and the storage that is fastest for it.
llama_of() { if [ "$1" = 0 ]; then echo "$2"; else echo "$2,sparsity=0.$1"; fi; }
form_of() { if [ "$1" = 0 ]; then echo dense; else echo bit_mask; fi; }

# One sequence, weights in the tiles.
part_llama() {
  build_release
  for zeros in 0 70; do
    result "llama2-7b_${zeros}_wafer" $release/sparse_llama/sparse_llama run --synthetic "$(llama_of $zeros llama2-7b:seed=1)" --format "$(form_of $zeros)" \
      --value bf16 --prompt-tokens 1 --tokens 2 --target wafer
  done
}

# Weights that stream in, tokens together: four layers by the number of tokens, and the whole model with most of them.
part_streamed() {
  build_release
  # streamed NAME MODEL:KEYS ZEROS SEQUENCES
  streamed() {
    local worked_out=4
    [ "$3" != 0 ] || worked_out=0
    result "$1" $release/sparse_llama/sparse_llama run --synthetic "$(llama_of "$3" "$2")" --format "$(form_of "$3")" --value bf16 \
      --prompt-tokens 4096 --sequences "$4" --tokens 1 --worked-out $worked_out --target wafer --weights streamed
  }
  for sequences in 2 8 32; do
    for zeros in 0 50 70 90; do
      streamed "llama2-7b_4_layers_${zeros}_streamed_$((4096 * sequences))" llama2-7b:context=5000,layers=4 $zeros $sequences
    done
  done
  for zeros in 0 70; do streamed "llama2-7b_${zeros}_streamed_131072" llama2-7b:context=5000 $zeros 32; done
}

# points NAME COMMAND...: points of the surface, unless they are there. COMMAND gets --json FILE behind it.
points() {
  local name=$1
  shift
  if settled "$name" "$out/$name.json"; then return; fi
  local began=$SECONDS
  runs "$name" "$python" "$@" --json "$work/$name.json" || return 0
  mkdir -p "$out"
  mv "$work/$name.json" "$out/$name.json"
  made=$((made + 1))
  echo "$name: $((SECONDS - began)) s"
}

# What zeros save by tokens together: weights in the tiles, weights that stream in, and this machine's cores.
part_surface() {
  build_release
  local program=$release/sparse_llama/sparse_llama
  points sparsity_resident tests/bench/wafer_sparsity.py --binary $program --together 1,4,16,64,256 --tiles ""
  points sparsity_streamed tests/bench/wafer_sparsity.py --binary $program --streamed --model llama2-7b:context=4096 --tiles ""
  points sparsity_native tests/bench/compare_sparsity.py --binary $program --value int8 --rounds 3 --tokens 10 --together 1,4,16,64,256
}

part_llama-clusters() {
  build_simulation llama-clusters || return 0
  llama_simulated() {
    local to=${*: -1} machine=$1 ranks=$2 zeros=$3
    jobscripts/cluster_sim.sh --no-build --llama "$(llama_of "$zeros" llama2-7b:hollow=1)" --machine "$machine" --ranks "$ranks" --into "$to" -- \
      --format "$(form_of "$zeros")" --value bf16 --prompt-tokens 16 --tokens 5
  }
  for machine in alps frontier; do
    for zeros in 0 70; do
      for n in 1 2 4 8 16; do
        result "llama2-7b_${zeros}_${machine}_$n" llama_simulated $machine $n $zeros
      done
    done
  done
}

# What this machine measures by the run rules: the slabs on all its cores, three times each, on a machine that does nothing else.
part_here() {
  build_release
  local ranks
  ranks=$(cores)
  loaded_run() {
    [ ! -d "$work" ] || jobscripts/node_load.sh "$work/load.json"
    mpirun -np "$ranks" $release/tungsten_md/tungsten_md run "$@"
  }
  for repeat in 1 2 3; do
    for metal in Ta Cu W; do
      result "here_${host//[^A-Za-z0-9-]/-}/sc24_${metal}_$repeat" loaded_run "$(deck $metal)" --set run.steps=500
    done
  done
}

# One campaign of cascades: an hour on two quiet cores. Its runs stay in results/study_campaign, so that a cut one goes on; the means are kept.
part_campaign() {
  build_release
  local name=campaign_w_1_2kev runs=$source_dir/results/study_campaign
  if settled "$name" "$out/$name/campaign.json"; then return; fi
  runs "$name" $release/tungsten_md/tungsten_md campaign inputs/damage/campaign_1_2kev.toml --out "$runs" || return 0
  mkdir -p "$out/$name"
  cp "$runs/campaign.json" "$out/$name/campaign.json.new"
  mv "$out/$name/campaign.json.new" "$out/$name/campaign.json"
  made=$((made + 1))
}

for part in "${parts[@]}"; do "part_$part"; done
echo "study: $made made, $there there already$([ $list = no ] || echo ", $missing missing")$([ $failed = 0 ] || echo ", $failed failed")"
[ $failed = 0 ]
