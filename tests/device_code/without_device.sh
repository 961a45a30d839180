#!/usr/bin/env bash
# Programs for GPUs on a machine that shows none: --help and --version answer, anything else is refused in one line with exit code 2.
#   without_device.sh STUB program...    STUB: a libcuda.so to link with, which stands in for the driver where none is installed
set -euo pipefail
export CUDA_VISIBLE_DEVICES='' HIP_VISIBLE_DEVICES='' ROCR_VISIBLE_DEVICES='' OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
stub=$1
shift
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
if ldd "$1" | grep -q 'libcuda\.so\.1 => not found'; then
  ln -s "$stub" "$folder/libcuda.so.1"
  export LD_LIBRARY_PATH=$folder${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
fi
wrong() { echo "$*: exit code $code, said:"; cat "$folder/out" "$folder/err"; exit 1; }
for program in "$@"; do
  for question in --help --version 'run --help'; do
    code=0
    "$program" $question >"$folder/out" 2>"$folder/err" || code=$?
    [ $code -eq 0 ] && [ -s "$folder/out" ] && [ ! -s "$folder/err" ] || wrong "$program $question"
  done
  code=0
  "$program" validate >"$folder/out" 2>"$folder/err" || code=$?
  [ $code -eq 2 ] && [ "$(wc -l <"$folder/err")" -eq 1 ] && grep -q "^$(basename "$program"): found no GPU (.*), expected one" "$folder/err" ||
    wrong "$program validate"
  cat "$folder/err"
done
