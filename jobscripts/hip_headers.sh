#!/usr/bin/env bash
# Brings AMD's headers of HIP and rocBLAS from Debian's unstable distribution into the cache, where `ctest -L gpu-build` finds them: enough to compile device code for
# MI200 and MI300, not to link or run it. Installs nothing. A machine with ROCm needs none of this.
#   jobscripts/hip_headers.sh      then configure again; the check also needs clang-19 or later and its omp.h (Debian: clang-19 libomp-19-dev)
# Goes into ${XDG_CACHE_HOME:-$HOME/.cache}/wafermark/hip; what is there already stays. Needs `sid` among apt's sources (setup.sh adds it for Kokkos).
set -euo pipefail
case "${1:-}" in
  -h | --help) sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 0 ;;
  "") ;;
  *) printf 'hip_headers.sh: found %q, expected nothing\n' "$1" >&2; exit 2 ;;
esac
folder=${XDG_CACHE_HOME:-${HOME:?is not set: set XDG_CACHE_HOME}/.cache}/wafermark/hip
version() { sed -nE 's/^#define HIP_VERSION_(MAJOR|MINOR) ([0-9]+)/\2/p' "$folder/usr/include/hip/hip_version.h" | paste -sd.; }
if [ ! -e "$folder/usr/include/hip/hip_runtime.h" ] || [ ! -e "$folder/usr/include/rocblas/rocblas.h" ]; then
  part=$(mktemp -d)
  trap 'rm -rf "$part"' EXIT
  (cd "$part" && apt-get download -q libamdhip64-dev/sid librocblas-dev/sid >log 2>&1) ||
    { echo "hip_headers.sh: apt finds no libamdhip64-dev and librocblas-dev in sid, expected it among its sources: $(grep '^E:' "$part/log" | head -n 1)" >&2; exit 1; }
  mkdir -p "$folder"
  for package in "$part"/*.deb; do dpkg -x "$package" "$folder"; done
fi
echo "hip_headers: HIP $(version) in $folder/usr"
