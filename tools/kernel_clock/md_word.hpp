// One line of a program's profile (md_profile.hpp), taken apart.
#pragma once

#include <string>

#include "tools/kernel_clock/work_record.hpp"

namespace wafermark {

struct MdWord {
  WorkEvent::Kind kind = WorkEvent::Kind::fence;
  RecordedKernel kernel;  ///< with bytes of an item also for copies and messages
  enum class Set { once, own, all, sent, received } set = Set::once;
  bool back = false;
};

/// Throws InputError that says what was found and expected, without a place.
MdWord parse_md_word(const std::string& text);

}  // namespace wafermark
