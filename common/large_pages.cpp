#include "common/large_pages.hpp"

#ifdef __linux__
#include <sys/mman.h>

#include <cstdint>
#endif

namespace wafermark {

void prefer_large_pages([[maybe_unused]] const void* begin, [[maybe_unused]] std::size_t bytes) {
#ifdef __linux__
  constexpr std::uintptr_t page = std::uintptr_t(1) << 21;
  if (bytes < page / 16) return;
  // Whole pages around the array: its neighbours in memory are arrays like it.
  const auto first = reinterpret_cast<std::uintptr_t>(begin) / page * page;
  const auto end = (reinterpret_cast<std::uintptr_t>(begin) + bytes + page - 1) / page * page;
  madvise(reinterpret_cast<void*>(first), end - first, MADV_HUGEPAGE);
#endif
}

}  // namespace wafermark
