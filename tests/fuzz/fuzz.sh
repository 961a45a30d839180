#!/usr/bin/env bash
# Runs targets under libFuzzer, each for so many seconds from its seeds; what it finds stays in the current folder.
#   fuzz.sh build/fuzz/tests/fuzz/fuzz_reader SECONDS TARGET...
set -euo pipefail
case ${1:-} in -h | --help) sed -n '2,3s/^# \{0,1\}//p' "$0"; exit 0 ;; esac
[[ -x ${1:-} && ${2:-} =~ ^[0-9]+$ && $# -gt 2 ]] || { echo "fuzz.sh: found '$*', expected READER SECONDS TARGET..." >&2; exit 2; }
reader=$1 seconds=$2
shift 2
# Leaks of the MPI library are not ours, and a reader that asks for gigabytes has believed a header.
export ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1
export OMPI_MCA_opal_signal=  # Open MPI would catch what libFuzzer is to see, and no input would be kept
corpus=$(mktemp -d)
trap 'rm -rf "$corpus"' EXIT
for FUZZ_TARGET in "$@"; do
  export FUZZ_TARGET
  mkdir -p "$corpus/$FUZZ_TARGET"
  FUZZ_SEEDS=$corpus/$FUZZ_TARGET "$reader" >/dev/null
  echo "== $FUZZ_TARGET"
  "$reader" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=3000 \
    -malloc_limit_mb=1500 -max_len=200000 -artifact_prefix="$FUZZ_TARGET-" -print_final_stats=1 "$corpus/$FUZZ_TARGET" 2>&1 |
    grep -vE '^(#|INFO|NEW_FUNC|Dictionary)' || exit 1
done
