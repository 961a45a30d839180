#!/usr/bin/env bash
# Installs what Wafermark needs to build, run and test on this machine, and nothing that is there already.
#   jobscripts/setup.sh           install what is missing (Debian 12 and later; root or sudo only if something is)
#   jobscripts/setup.sh --check   only say what is missing; exit code 1 if anything is
# Elsewhere: use jobscripts/spack.yaml or your site's modules, then --check.
set -euo pipefail

check_only=no
case "${1:-}" in
  --check) check_only=yes ;;
  "") ;;
  *) echo "setup.sh: unknown option '$1' (expected --check or nothing)" >&2; exit 2 ;;
esac

debian_packages=(
  build-essential cmake ninja-build pkg-config git
  libopenmpi-dev openmpi-bin libhdf5-openmpi-dev
  libcli11-dev libtomlplusplus-dev nlohmann-json3-dev libfmt-dev librandom123-dev
  libgtest-dev libgmock-dev libbenchmark-dev
  lammps lammps-data openkim-models
  python3-numpy python3-h5py python3-matplotlib python3-jsonschema
)
kokkos_packages=(libkokkos-dev kokkos)

is_debian() { [ -r /etc/os-release ] && . /etc/os-release && [ "${ID:-} ${ID_LIKE:-}" != "${ID:-} ${ID_LIKE:-}" ] || grep -qiE '^(ID|ID_LIKE)=.*debian' /etc/os-release 2>/dev/null; }
installed() { [ "$(dpkg-query -W -f='${db:Status-Abbrev}' "$1" 2>/dev/null)" = "ii " ]; }

# Kokkos from anywhere (spack, modules) counts: CMake decides, not dpkg.
kokkos_found() {
  local try; try=$(mktemp -d)
  printf 'cmake_minimum_required(VERSION 3.22)\nproject(t CXX)\nfind_package(Kokkos 4.5...<6 REQUIRED)\n' > "$try/CMakeLists.txt"
  cmake -S "$try" -B "$try/b" >/dev/null 2>&1; local rc=$?
  rm -rf "$try"; return $rc
}
