#!/usr/bin/env bash
# Submits a run to a site's Slurm.
#   submit.sh SITE --ranks N [options of sbatch] -- COMMAND... --out DIR
#   submit.sh frontier --ranks 64 --account=ABC123 --time=30 -- tungsten_md run deck.toml --out results/strong_64
# SITE: a name in sites/, or the path of such a file. --dry-run instead of --ranks N: ... with it, prints the sbatch line only.
# Options after the site's own win, so that every one of them can be changed on the command line.
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)

fail() { echo "submit.sh: $1" >&2; exit 2; }

[ $# -gt 0 ] || { sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 2; }
case $1 in -h | --help) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 0 ;; esac
site=$1
shift
[ -e "$site" ] || site=$here/sites/$site.sh
[ -f "$site" ] || fail "$site: not found, expected a file or one of: $(cd "$here/sites" && echo *.sh | sed 's/\.sh//g')"
site=$(readlink -f "$site")

ranks= dry_run=no options=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
  case $1 in
    --ranks) ranks=${2:-}; shift ;;
    --dry-run) dry_run=yes ;;
    *) options+=("$1") ;;
  esac
  shift
done
[[ $ranks =~ ^[1-9][0-9]*$ ]] || fail "--ranks '$ranks': expected a number of MPI ranks"
for word in "$@" "${options[@]}"; do
  [[ $word != *[[:cntrl:]]* ]] || fail "$(printf '%q' "$word"): found a control character, expected words of one line"
done
[ $# -gt 1 ] || fail "found no command, expected '-- tungsten_md run ...' or '-- sparse_llama run ...'"
shift

. "$site"
per_node=$((ranks < ranks_per_node ? ranks : ranks_per_node))
submission=(sbatch --nodes=$(((ranks + ranks_per_node - 1) / ranks_per_node)) --ntasks="$ranks" --ntasks-per-node=$per_node
  "${sbatch_options[@]}" "${options[@]}" "$here/job.sh" "$site" "$@")
if [ $dry_run = yes ]; then
  printf '%q ' "${submission[@]}"
  echo
else
  exec "${submission[@]}"
fi
