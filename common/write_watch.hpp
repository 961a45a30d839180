// HDF5 1.10 gets its own collectives out of step when a write fails on some ranks only: one waits inside
// H5Fflush or H5Fclose for a rank that has left. No return value can then be agreed upon; this ends the job.
#pragma once

#include <hdf5.h>

#include <string>

#include "common/communicator.hpp"

namespace wafermark {

/// Looks at every MPI-IO operation of a file that `comm` has open together. When one fails on this rank and
/// the ranks have not settled it within seconds, the program prints "PROGRAM: rank R of N: NAME: data cannot
/// be written: <MPI's text>" and aborts the job with exit code 1. One rank alone waits for nobody: nothing is
/// done there.
void watch_writes(const Communicator& comm, hid_t file, const std::string& name);

/// The same for a failure that a caller found, with its message.
void note_write_failure(const std::string& message);

/// Whether an operation of a watched file failed on this rank since the last settle_writes(). HDF5 does not
/// pass on all of them.
bool write_failed();

/// The ranks know of the failure: they are not stuck.
void settle_writes();

}  // namespace wafermark
