#!/usr/bin/env bash
# usage: test_exit_codes.sh MPIEXEC NUMPROC_FLAG PROGRAM
# Whoever fails, and whatever is open, all ranks end soon with the right exit code and the message is printed exactly
# once.
set -u
mpiexec=$1 flag=$2 program=$3
scratch=$(mktemp -d) && trap 'rm -rf "$scratch"' EXIT
case_number=0
expect() {  # ranks who how code [open FILE]
  local ranks=$1 who=$2 how=$3 code=$4 said got lines
  shift 4
  said=$(timeout -s KILL 60 "$mpiexec" "$flag" "$ranks" "$program" "$who" "$how" "$@" 2>&1 >/dev/null)
  got=$?
  lines=$(grep -c '^exit_code_program: ' <<<"$said")
  local want_lines=1; [ "$how" = good ] && want_lines=0
  if [ "$got" != "$code" ] || [ "$lines" != "$want_lines" ]; then
    echo "FAIL: $ranks ranks, $who $how $*: exit code $got (expected $code), $lines lines (expected $want_lines)"
    echo "$said"
  else
    echo ok
  fi
}
start() { case_number=$((case_number + 1)); expect "$@" >"$scratch/$case_number.out" & [ $((case_number % 4)) -ne 0 ] || wait; }
for ranks in 1 3; do
  start $ranks all good 0
  start $ranks all input 2
  start $ranks all check 3
  start $ranks all defect 1
done
start 3 one input 2
start 3 one defect 1
for state in writing appending reading; do
  for ranks in 2 3; do
    start $ranks one defect 1 $state "$scratch/${state}_$ranks.h5"
  done
  start 2 all input 2 $state "$scratch/${state}_all.h5"
  start 2 all good 0 $state "$scratch/${state}_good.h5"
done
wait
grep -v '^ok$' "$scratch"/*.out
failures=$(cat "$scratch"/*.out | grep -c '^FAIL')
[ "$(cat "$scratch"/*.out | grep -c '^ok$')" -eq $((case_number - failures)) ] || failures=$((failures + 1))
left=$(find "$scratch" -name '*.tmp')
[ -z "$left" ] || { echo "FAIL: left behind: $left"; failures=$((failures + 1)); }
echo "$case_number cases, $failures failures"
exit $((failures > 0))
