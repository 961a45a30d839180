#!/usr/bin/env bash
# How busy this node is before a run: node_load.sh FILE looks for a second and writes FILE (JSON: host, cores, and the share of
# the cores' time that something used). The run rules of wafermark-report submit read it as load.json beside a result.
set -euo pipefail
case ${1:-} in
  -h | --help) sed -n '2,3s/^# \{0,1\}//p' "$0"; exit 0 ;;
  "" | -*) echo "$(basename "$0"): found '${1:-}', expected the file to write" >&2; exit 2 ;;
esac
file=$1
sample() { awk '/^cpu / { busy = $2 + $3 + $4 + $7 + $8 + $9; print busy, busy + $5 + $6 }' /proc/stat; }
read -r busy all < <(sample)
sleep 1
read -r busy_then all_then < <(sample)
share=$(awk -v b=$((busy_then - busy)) -v a=$((all_then - all)) 'BEGIN { printf "%.3f", (a > 0 ? b / a : 0) }')
printf '{"host": "%s", "cores": %d, "busy": %s, "seconds": 1}\n' "$(hostname)" "$(getconf _NPROCESSORS_ONLN)" "$share" >"$file.tmp"
mv -- "$file.tmp" "$file"
