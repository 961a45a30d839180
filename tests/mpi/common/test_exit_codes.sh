#!/usr/bin/env bash
# usage: test_exit_codes.sh MPIEXEC NUMPROC_FLAG PROGRAM
# Whoever fails, all ranks end with the right exit code and the message is printed exactly once.
set -u
failures=0
expect() {  # ranks who how code
  local ranks=$1 who=$2 how=$3 code=$4 said got lines
  said=$("$mpiexec" "$flag" "$ranks" "$program" "$who" "$how" 2>&1 >/dev/null)
  got=$?
  lines=$(grep -c '^exit_code_program: ' <<<"$said")
  local want_lines=1; [ "$how" = good ] && want_lines=0
  if [ "$got" != "$code" ] || [ "$lines" != "$want_lines" ]; then
    echo "FAIL: $ranks ranks, $who $how: exit code $got (expected $code), $lines lines (expected $want_lines)"
    echo "$said"
    failures=$((failures + 1))
  fi
}
mpiexec=$1 flag=$2 program=$3
for ranks in 1 3; do
  expect $ranks all good 0
  expect $ranks all input 2
  expect $ranks all check 3
  expect $ranks all defect 1
done
expect 3 one input 2
expect 3 one defect 1
echo "$failures failures"
exit $((failures > 0))
