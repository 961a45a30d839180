#!/usr/bin/env bash
# Pages of the sources' comments and of docs/, by Doxygen; seconds, no build. Exit code 1 where a comment has a command that there is not.
#   jobscripts/api_docs.sh [--out DIR]     default: build/api; begin at DIR/html/index.html
set -euo pipefail
source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
out=$source_dir/build/api
case "${1:-}" in
  "") ;;
  -h | --help) sed -n '2,3s/^# \{0,1\}//p' "$0"; exit 0 ;;
  --out) [ $# -eq 2 ] || { echo "api_docs.sh: --out: expected one folder behind it" >&2; exit 2; }; out=$(realpath -m "$2") ;;
  *) printf 'api_docs.sh: found %q, expected --out DIR or nothing\n' "$1" >&2; exit 2 ;;
esac
command -v doxygen >/dev/null || { echo "api_docs: SKIPPED: doxygen not found (Debian: doxygen)"; exit 77; }
mkdir -p "$out"
cd "$source_dir"
# The main page is the README.md of the source and no other of that name.
{ cat docs/Doxyfile; echo "OUTPUT_DIRECTORY = \"$out\""; echo "USE_MDFILE_AS_MAINPAGE = \"$source_dir/README.md\""; } | doxygen - 2>"$out/log" ||
  { cat "$out/log" >&2; exit 1; }
# Doxygen itself stumbles over the specialisation of another project's template.
if grep -v 'Internal inconsistency' "$out/log" >&2; then exit 1; fi
echo "api_docs: $out/html/index.html"
