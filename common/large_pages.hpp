// Fewer address translations for arrays that are read from end to end.
#pragma once

#include <cstddef>

namespace wafermark {

/// Asks the kernel to back these bytes by large pages (2 MiB on x86-64, `madvise(MADV_HUGEPAGE)`), which it
/// often gives only when asked. Before the memory is first written; a wish, never an error. Does nothing for
/// memory of a device or for less than a sixteenth of a large page.
void prefer_large_pages(const void* begin, std::size_t bytes);

}  // namespace wafermark
