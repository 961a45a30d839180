#!/usr/bin/env bash
# Installs what Wafermark needs to build, run and test on this machine, and nothing that is there already.
#   jobscripts/setup.sh           install what is missing (Debian 12 and later; root or sudo only if something is)
#   jobscripts/setup.sh --check   only say what is missing; exit code 1 if anything is
# Elsewhere it installs nothing: use jobscripts/spack.yaml or your site's modules; this script then checks.
set -euo pipefail
source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$source_dir/jobscripts/debian_kokkos.sh"

check_only=no
[ $# -le 1 ] || { printf 'setup.sh: found %q as well, expected --check or nothing\n' "$2" >&2; exit 2; }
case "${1:-}" in
  --check) check_only=yes ;;
  -h | --help) sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 0 ;;
  "") ;;
  *) printf 'setup.sh: unknown option %q, expected --check or nothing\n' "$1" >&2; exit 2 ;;
esac

packages=(
  g++ cmake ninja-build git
  libopenmpi-dev openmpi-bin libhdf5-openmpi-dev
  libcli11-dev libtomlplusplus-dev nlohmann-json3-dev libfmt-dev librandom123-dev libssl-dev
  libopenblas-dev libsentencepiece-dev libpcre2-dev
  zlib1g-dev libarchive-dev
  libgtest-dev libgmock-dev libbenchmark-dev
  python3-numpy python3-h5py python3-matplotlib python3-jsonschema python3-jinja2
)
# Without these some tests are skipped (oracles, jobs on a Slurm of their own), quickstart falls back to a built-in potential,
# builds take longer, reports have no PDF, no simulated clusters, no fuzzing (clang with its run-time libraries), no result
# sheets as XLSX, no checks of style or of PDFs, no pages of the sources' comments, no test of the JUBE file.
optional_packages=(lammps lammps-data openkim-models bible-kjv ccache chromium slurm-wlm munge clang libclang-rt-dev libomp-dev
  libsimgrid-dev python3-openpyxl clang-format-14 pyflakes3 poppler-utils doxygen jube gcovr)

# Prints those of its arguments that dpkg does not have.
missing_of() {
  local name have
  have=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^installed //p') || true
  for name in "$@"; do grep -qx -- "$name" <<<"$have" || echo "$name"; done
}

# Configures a project of nothing but our dependencies: what CMake finds is what counts, wherever it came from.
cmake_finds() {  # cmake_finds 'CMake commands'
  command -v cmake >/dev/null || { echo "cmake: not found"; return 1; }
  local probe status=0 generator=()
  command -v ninja >/dev/null && generator=(-G Ninja)
  probe=$(mktemp -d)
  printf '%s\n' 'cmake_minimum_required(VERSION 3.22)' 'project(probe C CXX)' \
    "list(APPEND CMAKE_MODULE_PATH $source_dir/cmake)" "$1" >"$probe/CMakeLists.txt"
  cmake "${generator[@]}" -S "$probe" -B "$probe/build" >"$probe/log" 2>&1 || { status=1; grep -vE '^-- |^$' "$probe/log"; }
  rm -rf "$probe"
  return $status
}

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
  if cmake_finds 'include(Dependencies)'; then
    echo "setup: everything needed to build is here"
    exit 0
  fi
  echo "setup: this is not Debian. Install the dependencies with jobscripts/spack.yaml or load your site's modules" >&2
  exit 1
fi

mapfile -t missing < <(missing_of "${packages[@]}")
mapfile -t missing_optional < <(missing_of "${optional_packages[@]}")
kokkos=present
if ! debian_kokkos_complete && ! cmake_finds 'find_package(Kokkos 4.5...<6 REQUIRED)' >/dev/null; then
  kokkos=missing
fi

if [ "$check_only" = yes ]; then
  for name in "${missing[@]}"; do echo "missing: $name"; done
  [ $kokkos = present ] || echo "missing: Kokkos 4.5 to 5 with complete CMake files"
  for name in "${missing_optional[@]}"; do echo "missing, optional: $name"; done
  [ ${#missing[@]} -eq 0 ] && [ $kokkos = present ] && echo "setup: everything needed is here"
  exit
fi
if [ ${#missing[@]} -eq 0 ] && [ $kokkos = present ] && [ ${#missing_optional[@]} -eq 0 ]; then
  echo "setup: nothing to install"
  exit 0
fi

if [ "$(id -u)" -eq 0 ]; then
  as_root=()
elif sudo -n true 2>/dev/null; then
  as_root=(sudo -n)
elif [ ${#missing[@]} -eq 0 ] && [ $kokkos = present ]; then
  echo "setup: going on without the optional ${missing_optional[*]} (root could install them)"
  exit 0
else
  [ $kokkos = present ] || missing+=(Kokkos)
  echo "setup: ${missing[*]}: not installed, and installing needs root (or sudo without a password)" >&2
  exit 1
fi

log=$(mktemp -t wafermark-setup-XXXXXX.log)
apt() {  # quiet and without questions; waits for another apt; the log is shown when something fails
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 apt-get -y -q --no-install-recommends \
    -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 -o Dpkg::Options::=--force-confold "$@" >>"$log" 2>&1 </dev/null ||
    { tail -n 40 "$log" >&2; echo "setup: 'apt-get $*' failed; the whole log: $log" >&2; exit 1; }
}

echo "setup: log in $log"
apt update
for name in "${missing_optional[@]}"; do
  if apt-cache show "$name" >/dev/null 2>&1; then
    missing+=("$name")
  else
    echo "setup: this release has no package $name; going on without it"
  fi
done
if [ ${#missing[@]} -gt 0 ]; then
  echo "setup: installing ${missing[*]}"
  apt install "${missing[@]}"
fi
if [ $kokkos = missing ]; then
  install_debian_kokkos
fi
cmake_finds 'include(Dependencies)' || { echo "setup: CMake does not find everything, see above" >&2; exit 1; }
echo "setup: done"
