#!/usr/bin/env bash
# Set-up, build, all tests (one of them is lint.sh). What CI runs; the last lines are ctest's summary.
#   jobscripts/test.sh [--slow] [--no-setup] [--preset release|debug|asan] [ctest arguments, as -L mpi or -R forces]
# Tests labelled `slow` (minutes each, physics over many cascades) run with --slow only.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

setup=yes preset=release selection=(-LE slow)
while [ $# -gt 0 ]; do
  case "$1" in
    --slow) selection=() ;;
    --no-setup) setup=no ;;
    --preset) preset=${2:?--preset needs a name}; shift ;;
    -h | --help) sed -n '2,4s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) break ;;
  esac
  shift
done

[ $setup = no ] || "$source_dir/jobscripts/setup.sh"
build "$preset"
# For the test of simulated clusters, which is skipped without SimGrid.
if command -v smpirun >/dev/null; then build cluster-sim tungsten_md sparse_llama wafermark_kernel_clock cluster_platform cluster_step cluster_replay; fi
# Potentials that come from Debian packages; tests that need one which is missing are skipped and say so.
"$source_dir/jobscripts/fetch_potentials.sh" --binary "$source_dir/build/$preset/apps/tungsten_md/tungsten_md" || true
echo "== test ($preset)"
cd "$source_dir"
# Twice as many as cores: programs that are killed, refused or wait for others leave half of the time unused.
exec ctest --preset "$preset" --parallel $((2 * $(cores))) "${selection[@]}" "$@"
