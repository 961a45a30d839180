#!/usr/bin/env bash
# Builds a Kokkos for GPUs, with OpenMP and Serial beside them, outside this source; prints its folder, for -DKokkos_ROOT. Needs no GPU:
# nvcc or hipcc. What is there already stays. `ctest -L gpu-build` builds the suite with it.
#   jobscripts/device_kokkos.sh cuda|hip [--arch ARCH] [--source DIR] [--prefix DIR]
#     --arch    cuda: sm_80, sm_86, sm_89, sm_90 (default), sm_100; hip: gfx90a, gfx942 (default)
#     --source  a source tree of Kokkos 5; default: that of Debian's unstable distribution, fetched once
#     --prefix  where to install; default: ${XDG_CACHE_HOME:-$HOME/.cache}/wafermark/kokkos/VERSION-BACKEND-ARCH-COMPILER
# DEBIAN_MIRROR: default http://deb.debian.org/debian. NVCC_WRAPPER_DEFAULT_COMPILER: nvcc's host compiler, default g++.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

fail() { echo "device_kokkos.sh: $*" >&2; exit "${code:-2}"; }
log() { echo "device_kokkos.sh: $*" >&2; }

backend='' arch='' source='' prefix=''
while [ $# -gt 0 ]; do
  case "$1" in
    cuda | hip) [ -z "$backend" ] || fail "found '$backend' and '$1', expected one of cuda and hip"; backend=$1 ;;
    --arch) arch=${2:?--arch needs a name}; shift ;;
    --source) source=${2:?--source needs a folder}; shift ;;
    --prefix) prefix=${2:?--prefix needs a folder}; shift ;;
    -h | --help) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) fail "found '$1', expected cuda or hip (--help)" ;;
  esac
  shift
done
[ -n "$backend" ] || fail "found nothing, expected cuda or hip (--help)"
[ $backend = cuda ] && arch=${arch:-sm_90} || arch=${arch:-gfx942}
case "$backend $arch" in
  'cuda sm_80') option=AMPERE80 ;;
  'cuda sm_86') option=AMPERE86 ;;
  'cuda sm_89') option=ADA89 ;;
  'cuda sm_90') option=HOPPER90 ;;
  'cuda sm_100') option=BLACKWELL100 ;;
  'hip gfx90a') option=AMD_GFX90A ;;
  'hip gfx942') option=AMD_GFX942 ;;
  *) fail "--arch: found '$arch' for $backend, expected one that --help lists" ;;
esac

cache=${XDG_CACHE_HOME:-${HOME:?is not set: set XDG_CACHE_HOME}/.cache}/wafermark/kokkos
# The first x.y of what a compiler says of itself.
version_of() { "$@" 2>&1 | grep -oE '[0-9]+\.[0-9]+' | head -n 1; }
if [ $backend = cuda ]; then
  command -v nvcc >/dev/null || PATH=/usr/local/cuda/bin:$PATH
  command -v nvcc >/dev/null || code=1 fail "found no nvcc on the PATH or in /usr/local/cuda/bin, expected one"
  compiler=nvcc$(version_of nvcc --version | head -n 1)-$(basename "${NVCC_WRAPPER_DEFAULT_COMPILER:-g++}")$("${NVCC_WRAPPER_DEFAULT_COMPILER:-g++}" -dumpversion)
else
  command -v hipcc >/dev/null || PATH=/opt/rocm/bin:$PATH
  command -v hipcc >/dev/null || code=1 fail "found no hipcc on the PATH or in /opt/rocm/bin, expected one"
  compiler=hipcc$(version_of hipcc --version)
fi

# Debian's source archive; its entry in the list of sources names the file and its checksum.
fetch_source() {
  local mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian} part checksum archive
  part=$(mktemp -d)
  trap 'rm -rf "$part"' EXIT
  curl -fsS "$mirror/dists/sid/main/source/Sources.xz" 2>/dev/null | xz -dc 2>/dev/null | awk -v RS= '/^Package: kokkos\n/' >"$part/entry" || true
  read -r checksum _ archive < <(awk '/^Checksums-Sha256:/ {on = 1; next} /^[^ ]/ {on = 0} on && /orig\.tar/' "$part/entry") || true
  [ -n "${archive:-}" ] || code=1 fail "$mirror: found no entry of the source package kokkos in sid, expected one; --source takes any Kokkos 5 source tree"
  curl -fsS -o "$part/$archive" "$mirror/pool/main/k/kokkos/$archive" 2>/dev/null ||
    code=1 fail "$mirror: has no pool/main/k/kokkos/$archive, which its list of sources names; --source takes any Kokkos 5 source tree"
  (cd "$part" && echo "$checksum  $archive" | sha256sum --check --status) || code=1 fail "$archive: found another checksum than the list of sources names"
  mkdir -p "$part/source" "$cache"
  tar xf "$part/$archive" -C "$part/source" --strip-components=1
  mv "$part/source" "$cache/source"
}
if [ -z "$source" ]; then
  source=$cache/source
  [ -e "$source/CMakeLists.txt" ] || fetch_source
fi
number() { sed -nE "s/^set\(Kokkos_VERSION_$1 ([0-9]+)\)/\1/p" "$source/CMakeLists.txt" 2>/dev/null; }
version=$(number MAJOR).$(number MINOR).$(number PATCH)
[ "$(number MAJOR)" = 5 ] || fail "$source: found ${version/#../no Kokkos}, expected a source tree of Kokkos 5"
source=$(cd "$source" && pwd)

prefix=${prefix:-$cache/$version-$backend-$arch-$compiler}
if ! compgen -G "$prefix/lib*/cmake/Kokkos/KokkosConfig.cmake" >/dev/null; then
  mkdir -p "$prefix"
  prefix=$(cd "$prefix" && pwd)
  build=$prefix.build
  options=(-DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_STANDARD=20 -DCMAKE_INSTALL_PREFIX="$prefix" -DCMAKE_INSTALL_LIBDIR=lib
    -DKokkos_ENABLE_"${backend^^}"=ON -DKokkos_ARCH_$option=ON -DKokkos_ENABLE_OPENMP=ON -DKokkos_ENABLE_SERIAL=ON)
  if [ $backend = cuda ]; then options+=(-DCMAKE_CXX_COMPILER="$source/bin/nvcc_wrapper"); else options+=(-DCMAKE_CXX_COMPILER=hipcc -DKokkos_ENABLE_ROCTHRUST=OFF); fi  # which only Kokkos::sort needs
  command -v ccache >/dev/null && options+=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
  command -v ninja >/dev/null && options+=(-G Ninja)
  log "Kokkos $version for $arch by $compiler; some 10 minutes on two cores ($build.log)"
  { cmake -S "$source" -B "$build" "${options[@]}" && cmake --build "$build" --parallel "$(cores)" && cmake --install "$build"; } >"$build.log" 2>&1 ||
    { tail -n 20 "$build.log" >&2; code=1 fail "$source: does not build, see above and $build.log"; }
  rm -rf "$build" "$build.log"
fi
echo "$prefix"
