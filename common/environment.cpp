#include "common/environment.hpp"

#include <cstdlib>

#include "common/errors.hpp"

namespace wafermark {

std::string environment_value(const char* variable) {
  const char* value = std::getenv(variable);
  return value == nullptr ? "" : value;
}

std::string environment_value(const char* variable, const Communicator& comm) {
  std::string value = environment_value(variable);
  comm.broadcast(value);
  return value;
}

std::optional<bool> yes_or_no(const char* variable, const std::string& value) {
  if (value.empty()) return std::nullopt;
  if (value != "0" && value != "1")
    throw InputError(std::string(variable) + " = '" + value + "': expected 0 or 1");
  return value == "1";
}

}  // namespace wafermark
