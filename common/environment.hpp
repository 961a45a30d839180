// Choices that a user or a site makes by variables of the environment.
#pragma once

#include <optional>
#include <string>

#include "common/communicator.hpp"

namespace wafermark {

/// The value of a variable; empty where it is not set.
std::string environment_value(const char* variable);
/// Rank 0's, on all ranks: a launcher need not give all of them the same. Collective.
std::string environment_value(const char* variable, const Communicator& comm);

/// 1 or 0 as true or false, nothing where the value is empty. Throws InputError for others.
std::optional<bool> yes_or_no(const char* variable, const std::string& value);

}  // namespace wafermark
