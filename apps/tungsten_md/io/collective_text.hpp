// A text file whose parts the ranks write at once, in the order of the ranks (MPI-IO).
#pragma once

#include <string>
#include <vector>

#include "common/communicator.hpp"

namespace wafermark::tungsten {

/// A table: rank 0's header, then the ranks' rows. Headers of other ranks are not written.
struct TextPart {
  std::string header, rows;
};

/// Writes the parts one after the other to `path`: under a temporary name in the same folder that replaces
/// `path` when all is written, or, with `append`, behind what `path` holds. Collective. Throws InputError on
/// all ranks when the file cannot be opened, std::runtime_error when it cannot be written (a full disk);
/// `path` is then as it was before.
void write_collective_text(const Communicator& comm, const std::string& path,
                           const std::vector<TextPart>& parts, bool append = false);

}  // namespace wafermark::tungsten
