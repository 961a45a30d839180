#!/usr/bin/env bash
# usage: test_mpi_stays_in_common.sh SOURCE_FOLDER
# What MPI returns is looked at in common/ (communicator.hpp and its siblings): no other folder calls it.
set -u
found=$(grep -rnE '\bMPI_[A-Z][A-Za-z_]*[a-z][A-Za-z_]*\(' "$1"/apps "$1"/wse_emulator --include=*.cpp --include=*.hpp |
  grep -v 'MPI_Wtime()')
[ -z "$found" ] || { echo "MPI is called outside common/:"; echo "$found"; exit 1; }
