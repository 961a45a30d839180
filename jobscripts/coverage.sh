#!/usr/bin/env bash
# Which lines the tests run, and whether one of them leaves an array: builds the preset `checked` (bounds of Kokkos' views and of the
# standard library's containers are checked, lines are counted), runs tests, and prints the share of lines and branches that ran.
#   jobscripts/coverage.sh [--limit PERCENT] [ctest arguments, default: -L unit -LE slow]
# Each file's lines: build/checked/coverage/index.html. Exit code 1 where a test fails or fewer lines ran than --limit says.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
limit=0
case "${1:-}" in
  -h | --help) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 0 ;;
  --limit) [[ ${2:-} =~ ^[0-9]{1,2}$ ]] || { echo "coverage.sh: --limit: found '${2:-}', expected a whole percentage below 100" >&2; exit 2; }
    limit=$2; shift 2 ;;
esac
command -v gcovr >/dev/null || { echo "coverage: SKIPPED: gcovr not found (Debian: gcovr)"; exit 77; }
build checked
folder=$source_dir/build/checked
find "$folder" -name '*.gcda' -delete  # counts of earlier runs
[ $# -gt 0 ] || set -- -L unit -LE slow
tests=0
ctest --test-dir "$folder" --output-on-failure --parallel $((2 * $(cores))) "$@" || tests=1
mkdir -p "$folder/coverage"
cd "$source_dir"
gcovr --root . --object-directory "$folder" --filter '(apps|common|wse_emulator|tools)/' --gcov-ignore-parse-errors -j "$(cores)" \
  --html-details "$folder/coverage/index.html" --print-summary --fail-under-line "$limit" "$folder" >"$folder/coverage/log" 2>&1 ||
  { tail -n 5 "$folder/coverage/log" >&2; exit 1; }
grep -E '^(lines|branches):' "$folder/coverage/log"
echo "coverage: $folder/coverage/index.html"
exit $tests
