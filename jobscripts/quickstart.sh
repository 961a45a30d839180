#!/usr/bin/env bash
# From a fresh clone to a displacement cascade in tungsten: installs what is missing, builds, runs, draws.
#   jobscripts/quickstart.sh [--ranks N] [--out DIR] [--no-setup]
# Takes two to three minutes after the build on two cores. Results go to results/quickstart, and those of the first steps
# of the same deck, natively and on the emulated wafer, to results/quickstart/native and results/quickstart/wafer.
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
    *) echo "quickstart.sh: unknown option '$1', expected --ranks N, --out DIR or --no-setup" >&2; exit 2 ;;
  esac
  shift
done

[ $setup = no ] || "$source_dir/jobscripts/setup.sh"
build release tungsten_md
tungsten_md=$source_dir/build/release/apps/tungsten_md/tungsten_md

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
mpirun -np "$ranks" "$tungsten_md" run "$deck" "${changes[@]}" --out "$out"

echo "== the deck's first $compared steps on both targets"
for target in cluster wafer; do
  folder=$out/$([ $target = cluster ] && echo native || echo wafer)
  mpirun -np "$ranks" "$tungsten_md" run "$deck" "${changes[@]}" --target $target --out "$folder" \
    --set run.steps=$compared --set 'output.trajectory_formats=[]' >"$out/$target.log" 2>&1 ||
    { tail -n 20 "$out/$target.log" >&2; exit 1; }
done
if python=$(python_with json); then "$python" "$source_dir/apps/report/side_by_side.py" "$out/native" "$out/wafer"; fi

picture="not drawn"
if python=$(python_with numpy matplotlib); then
  echo "== picture"
  "$python" "$source_dir/apps/report/plot_cascade.py" "$out" -o "$out/cascade.png" && picture=$out/cascade.png
fi

echo
echo "result      $out/result.json"
echo "trajectory  $out/trajectory.h5 (H5MD: MDAnalysis, h5py), $out/trajectory.xyz (OVITO)"
echo "picture     $picture"
