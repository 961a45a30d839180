// Of which CPU level this program is, and whether all ranks run programs of one level: unlike instructions
// round differently, and the slowest would pace the rest.
#pragma once

#include <string>

#include "common/communicator.hpp"

namespace wafermark {

/// Its level where the program is one of a portable build; empty where it was built for one CPU.
std::string cpu_level_of_build();

/// Collective. `own` is the level of this rank's program (as above). Throws InputError, on all ranks, where
/// they are unlike.
void expect_one_cpu_level(const Communicator& comm, const std::string& own);

/// Throws InputError where `wanted`, the value of WAFERMARK_CPU_LEVEL, is neither empty nor the level of the
/// program `own`: only the launcher of a portable build chooses.
void expect_wanted_cpu_level(const std::string& own, const std::string& wanted);

/// Both, of this program and its environment. Collective.
void check_cpu_level(const Communicator& comm);

}  // namespace wafermark
