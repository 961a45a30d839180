#include "common/digest.hpp"

#include <fmt/format.h>

namespace wafermark {

std::string Digest::text() const { return fmt::format("{:016x}", state_); }

}  // namespace wafermark
