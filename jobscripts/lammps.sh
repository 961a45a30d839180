#!/usr/bin/env bash
# Builds the newest LAMMPS of Debian's source archive for this CPU, outside this source: what tests/bench/compare_lammps.py
# and tests/oracle (where lmp is found on PATH) compare with. Prints the path of the program; what is there already stays.
#
#   jobscripts/lammps.sh [DIR]
#
# DIR: default ${XDG_CACHE_HOME:-$HOME/.cache}/wafermark/lammps. Packages MANYBODY, ML-UF3, MC, EXTRA-FIX, OPT and INTEL, MPI, no OpenMP.
# LAMMPS_CXXFLAGS: default -O3 -march=native -ffast-math and, where the CPU has AVX-512, the switches that make GCC 12 use
# gathers, which its tables of costs for newer CPUs avoid (worth up to 1.25 x to LAMMPS on Intel's).
# DEBIAN_MIRROR: default http://deb.debian.org/debian.
set -euo pipefail

case ${1:-} in
  -h | --help) sed -n '2,11s/^# \{0,1\}//p' "$0"; exit 0 ;;
  -*) echo "lammps.sh: found $1, expected a folder or nothing" >&2; exit 2 ;;
esac
folder=${1:-${XDG_CACHE_HOME:-${HOME:?is not set: name a folder}/.cache}/wafermark/lammps}
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
flags="-O3 -march=native -ffast-math"
if grep -qw avx512f /proc/cpuinfo; then
  flags+=" -mtune=icelake-server -mtune-ctrl=use_gather_2parts,use_gather_4parts,use_gather"
fi
flags=${LAMMPS_CXXFLAGS:-$flags}

if [[ -x $folder/build/lmp ]]; then
  echo "$folder/build/lmp"
  exit 0
fi
mkdir -p "$folder"
cd "$folder"
log() { echo "lammps.sh: $*" >&2; }

# The package's entry names the archive and its checksum.
curl -fsS "$mirror/dists/sid/main/source/Sources.xz" | xz -dc | awk -v RS= '/^Package: lammps\n/' > entry
read -r checksum _ archive < <(awk '/^Checksums-Sha256:/ {on = 1; next} /^[^ ]/ {on = 0} on && /orig\.tar/' entry)
log "$archive, from Debian's unstable distribution"
curl -fsS -O "$mirror/pool/main/l/lammps/$archive"
echo "$checksum  $archive" | sha256sum --check --quiet
mkdir -p source
tar xzf "$archive" -C source --exclude=doc --exclude=examples --exclude=bench --exclude=potentials --exclude=unittest
[[ -d source/cmake ]] || { mv source/*/* source/; }

log "building with $flags; some 5 minutes on two cores"
launcher=()
command -v ccache > /dev/null && launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
cmake -S source/cmake -B build -G Ninja -DCMAKE_BUILD_TYPE=Release "-DCMAKE_CXX_FLAGS_RELEASE=$flags -DNDEBUG" "${launcher[@]}" \
  -DPKG_MANYBODY=on -DPKG_ML-UF3=on -DPKG_MC=on -DPKG_EXTRA-FIX=on -DPKG_OPT=on -DPKG_INTEL=on -DPKG_KSPACE=off \
  -DINTEL_LRT_MODE=none -DBUILD_MPI=on -DBUILD_OMP=off \
  -DWITH_JPEG=off -DWITH_PNG=off -DWITH_GZIP=off -DWITH_FFMPEG=off -DWITH_CURL=off > configure.log 2>&1 ||
  { tail -20 configure.log >&2; exit 1; }
cmake --build build --target lmp > build.log 2>&1 || { tail -20 build.log >&2; exit 1; }
rm -f "$archive"
echo "$folder/build/lmp"
