#!/usr/bin/env bash
# From a fresh clone to a displacement cascade in tungsten and a sparse Llama: installs what is missing, builds, runs, draws.
#   jobscripts/quickstart.sh [--ranks N] [--out DIR] [--no-setup]
# Takes three to four minutes after the build on two cores. Results go to results/quickstart: the cascade, the first steps of the
# same deck natively and on the emulated wafer (native, wafer), and Llama natively, on the wafer, and dense beside sparse in one process (llama_*).
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

compared=200  # before the recoil, so that both have the same steps
ranks=2 setup=yes out=$source_dir/results/quickstart
while [ $# -gt 0 ]; do
  case "$1" in
    --ranks) ranks=${2:?--ranks needs a number}; shift ;;
    --out) out=${2:?--out needs a folder}; shift ;;
    --no-setup) setup=no ;;
    -h | --help) sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) printf 'quickstart.sh: unknown option %q, expected --ranks N, --out DIR or --no-setup\n' "$1" >&2; exit 2 ;;
  esac
  shift
done

[[ $ranks =~ ^[1-9][0-9]*$ ]] || { printf 'quickstart.sh: --ranks %q: expected a number of MPI ranks\n' "$ranks" >&2; exit 2; }

[ $setup = no ] || "$source_dir/jobscripts/setup.sh"
build release tungsten_md sparse_llama
tungsten_md=$source_dir/build/release/apps/tungsten_md/tungsten_md
sparse_llama=$source_dir/build/release/apps/sparse_llama/sparse_llama

echo "== potential"
deck=$source_dir/inputs/tungsten/quickstart.toml
changes=()
"$source_dir/jobscripts/fetch_potentials.sh" --binary "$tungsten_md" || echo "quickstart: some potentials are missing"
if ! "$tungsten_md" info "$deck" >/dev/null; then
  echo "quickstart: the deck's potential is not here; going on with the built-in one (Ackland and Thetford 1987)"
  changes=(--set 'potential.file=""' --set potential.table_points=0 --set potential.core=zbl_dft
    --set structure.lattice_constant_angstrom=3.1652)
fi

echo "== run on $ranks ranks"
mpirun -np "$ranks" "$tungsten_md" run "$deck" "${changes[@]}" --out "$out" --overwrite

echo "== the deck's first $compared steps on both targets"
for target in cluster wafer; do
  folder=$out/$([ $target = cluster ] && echo native || echo wafer)
  mpirun -np "$ranks" "$tungsten_md" run "$deck" "${changes[@]}" --target $target --out "$folder" --overwrite \
    --set run.steps=$compared --set 'output.trajectory_formats=[]' >"$out/$target.log" 2>&1 ||
    { tail -n 20 "$out/$target.log" >&2; exit 1; }
done
if python=$(python_with tomllib jsonschema); then "$python" "$source_dir/apps/report/side_by_side.py" "$out/native" "$out/wafer"; fi

echo
echo "== sparse_llama: the model that comes with the project, 70 % of its weights zero"
"$sparse_llama" run --model "$source_dir/inputs/llama/sparse70" --prompt "And the LORD said" --tokens 48 --out "$out/llama_shipped" --overwrite |
  sed '/^$/q'
echo "== the same on an emulated wafer"
"$sparse_llama" run --model "$source_dir/inputs/llama/sparse70" --prompt "And the LORD said" --tokens 48 --quiet --target wafer --tiles 32x32 \
  --out "$out/llama_wafer" --overwrite >"$out/llama_wafer.log" 2>&1 || { tail -n 20 "$out/llama_wafer.log" >&2; exit 1; }
if python=$(python_with tomllib jsonschema); then
  "$python" "$source_dir/apps/report/side_by_side.py" "$out/llama_shipped" "$out/llama_wafer" --names native,wafer
fi
echo "== sparse_llama: made-up weights in the shapes of TinyLlama 1.1B, bf16, 70 % zeros stored dense and sparse, in turn in one process"
OMP_NUM_THREADS=$ranks "$sparse_llama" compare --synthetic tinyllama-1.1b:sparsity=0.7 --formats dense,bit_mask --rounds 5 --tokens 12 \
  --out "$out/llama_compare" --overwrite
echo

picture="not drawn"
if python=$(python_with tomllib jsonschema numpy matplotlib); then
  echo "== picture"
  "$python" "$source_dir/apps/report/plot_cascade.py" "$out" -o "$out/cascade.png" && picture=$out/cascade.png
fi

report="not made"
echo "== report"
"$source_dir/apps/report/wafermark-report" "$out" -o "$out/report.html" && report=$out/report.html

echo
echo "report      $report"
echo "result      $out/result.json"
echo "trajectory  $out/trajectory.h5 (H5MD: MDAnalysis, h5py), $out/trajectory.xyz (OVITO)"
echo "picture     $picture"
