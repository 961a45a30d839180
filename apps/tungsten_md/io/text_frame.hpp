// Frames of text files with many of them: rank 0 parses, every rank gets its share. Shared by LAMMPS dumps
// and extended XYZ.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/communicator.hpp"
#include "tungsten_md/io/atom_dealer.hpp"
#include "tungsten_md/model/configuration.hpp"

namespace wafermark::tungsten {

/// What all ranks must know of a frame before its rows.
struct FrameHeader {
  std::int64_t step = 0;
  double time_ps = 0.0;
  Box box;
  bool ids = true, velocities = true, forces = false;  ///< that the rows have
};

/// Rank 0's way through a file. Everything throws InputError "FILE:LINE: ...".
class FrameParser {
 public:
  explicit FrameParser(std::vector<std::string> elements) : elements_(std::move(elements)) {}
  virtual ~FrameParser() = default;
  /// Reads up to the rows of the next frame; none at the end of the file.
  virtual std::optional<FrameHeader> header() = 0;
  /// The next row: type, place, velocity, and what else the format has; false after the last.
  virtual bool row(std::int64_t& id, double* values) = 0;
  /// Names of the types met so far; a number stands for one that has none.
  std::vector<std::string> names_of_types() const;
  const std::vector<std::string>& notes() const { return notes_; }

 protected:
  std::vector<std::string> elements_;  ///< by type; "": no name
  std::vector<std::string> notes_;
};

/// Values of a row that every format has: type, place, velocity.
inline constexpr std::size_t common_columns = 7;

/// A parser on rank 0, null on the others. Collective, as the following.
template <class Parser>
std::unique_ptr<Parser> parser_on_root(const Communicator& comm, const std::string& path,
                                       std::vector<std::string> elements) {
  std::unique_ptr<Parser> parser;
  ask_root(comm, [&] {
    parser = std::make_unique<Parser>(path, std::move(elements));
    return "";
  });
  return parser;
}

/// The header of the next frame, on all ranks; none at the end of the file.
std::optional<FrameHeader> next_header(const Communicator& comm, FrameParser* parser);

/// The rows of a frame: rank r gets the atoms with id % size = r. `columns`: of a row; `take_more` gets each
/// of this rank's, in order. Throws InputError for an id that occurs twice.
Configuration deal_frame(const Communicator& comm, const std::string& path, const FrameHeader& header,
                         FrameParser* parser, std::size_t columns = common_columns,
                         const std::function<void(const double* row)>& take_more = {});

}  // namespace wafermark::tungsten
