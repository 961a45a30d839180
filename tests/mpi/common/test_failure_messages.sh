#!/usr/bin/env bash
# usage: test_failure_messages.sh MPIEXEC NUMPROC_FLAG PROGRAM
# Whatever is thrown, the user reads one printable line; and Kokkos' own words go to Kokkos alone.
set -u
mpiexec=$1 flag=$2 program=$3 failures=0
expect() {  # code text command ...
  local code=$1 text=$2 said got
  shift 2
  said=$("$@" 2>&1 >/dev/null)
  got=$?
  if [ "$got" != "$code" ] || [ "$(grep -c '^exit_code_program: ' <<<"$said")" != 1 ] || [[ $said != *"$text"* ]]; then
    echo "FAIL: $*: exit code $got (expected $code), expected one line with '$text':"
    echo "$said"
    failures=$((failures + 1))
  fi
}
expect 2 "found 'a\\nb\\x1b[31m', expected b" "$program" all escapes
expect 1 '' "$program" all silent
expect 1 'out of memory: an array does not fit' "$program" all memory
expect 1 'out of memory: an array would have more elements' "$program" all array
expect 1 "out of memory: no room for the array 'neighbours'" "$program" all view
expect 1 'a defect of this program (map::at)' "$program" all map
expect 1 'an exception of unknown type' "$program" all unknown
expect 2 'the cause' "$mpiexec" "$flag" 3 "$program" all mixture  # the highest code speaks
expect 2 '--kokkos-foo=3: Kokkos has no such option' "$program" all good --kokkos-foo=3
expect 2 '--kokkos-num-threads=abc: expected a whole number' "$program" all good --kokkos-num-threads=abc
expect 2 '--kokkos-num-threads=0: expected a whole number' "$program" all good --kokkos-num-threads=0
expect 2 'KOKKOS_NUM_THREADS=1e3: expected a whole number' env KOKKOS_NUM_THREADS=1e3 "$program" all good
# Where MPI fails on one rank while the ranks open a file together, no rank waits for it in closing the file.
folder=$(mktemp -d)
for opening in "writing 2" "appending 10" "appending 11" "appending 12"; do
  read -r how call <<<"$opening"
  expect 1 'MPI_Allreduce' timeout 100 "$mpiexec" "$flag" 2 "$program" one good "$how" "$folder/$how$call.h5" "$call"
done
rm -rf "$folder"
pages() { "$program" all good "$1" 2>&1 | grep -c 'Kokkos command line arguments'; }
[ "$(pages --help)" = 0 ] || { echo "FAIL: --help prints Kokkos' page"; failures=$((failures + 1)); }
[ "$(pages --kokkos-help)" = 1 ] || { echo "FAIL: --kokkos-help prints no page"; failures=$((failures + 1)); }
echo "$failures failures"
exit $((failures > 0))
