#include "common/large_pages.hpp"

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace wafermark {

void prefer_large_pages([[maybe_unused]] const void* begin, [[maybe_unused]] std::size_t bytes) {
#ifdef __linux__
  madvise(const_cast<void*>(begin), (bytes + large_page / 2) / large_page * large_page, MADV_HUGEPAGE);
#endif
}

}  // namespace wafermark
