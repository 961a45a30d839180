#!/usr/bin/env bash
# Has a struct of views the same size on the device as on the host? With nvcc 12.9 and later and a Kokkos whose mdspan leaves out empty members
# ([[no_unique_address]]) it has not, and kernels read the wrong arrays.
#   view_layout.sh nvcc words...    for view_layout.cpp: includes, definitions
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$@" -x cu -ptx -std=c++20 --expt-extended-lambda --expt-relaxed-constexpr -Xcompiler=-fopenmp -o "$folder/layout.ptx" "$(dirname "$0")/view_layout.cpp"
host=$(grep -oE '\b77[0-9]{4}\b' "$folder/layout.ptx" | head -n 1)
device=$(grep -oE 'layout_param_1\[[0-9]+\]' "$folder/layout.ptx" | head -n 1 | grep -oE '[0-9]+\]' | tr -d ']')
echo "a struct of three views and an integer: $((host - 770000)) bytes on the host, $device on the device"
[ $((host - 770000)) -eq "$device" ]
