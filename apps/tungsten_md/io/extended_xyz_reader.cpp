#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "tungsten_md/io/extended_xyz.hpp"
#include "tungsten_md/io/extended_xyz_header.hpp"
#include "tungsten_md/io/text_frame.hpp"
#include "tungsten_md/model/element_symbols.hpp"

namespace wafermark::tungsten {

/// Rank 0's way through the file.
class ExtendedXyzReader::Parser final : public FrameParser {
 public:
  Parser(const std::string& path, std::vector<std::string> elements)
      : FrameParser(std::move(elements)), file_(path) {}

  std::optional<FrameHeader> header() override {
    do
      if (!file_.next()) return std::nullopt;
    while (file_.words().empty());
    if (file_.words().size() != 1) file_.fail(TextFile::quoted(file_.line()), "a number of atoms");
    rows_left_ = file_.integer(0, "a positive number of atoms", 1);
    rows_read_ = 0;
    file_.require_next("the comment line of a frame");
    header_ = ExtendedXyzHeader::parse(file_);
    if (header_.momenta && header_.v == ExtendedXyzHeader::absent)
      note("momenta are passed over: atoms are at rest");
    return FrameHeader{.step = header_.step,
                       .time_ps = header_.time_ps,
                       .box = header_.box,
                       .ids = header_.id != ExtendedXyzHeader::absent,
                       .velocities = header_.v != ExtendedXyzHeader::absent};
  }

  bool row(std::int64_t& id, double* values) override {
    if (rows_left_ == 0) return false;
    file_.require_next(fmt::format("{} more atoms", rows_left_));
    if (file_.words().size() != header_.columns)
      file_.fail(fmt::format("{} columns", file_.words().size()), fmt::format("{}", header_.columns));
    ++rows_read_;
    id = header_.id == ExtendedXyzHeader::absent ? rows_read_
                                                 : file_.integer(header_.id, "a positive atom id", 1);
    values[0] = type_of_row();
    const bool moves = header_.v != ExtendedXyzHeader::absent;
    for (std::size_t d = 0; d < 3; ++d) {
      values[1 + d] = file_.number(header_.x + d, "a coordinate");
      values[4 + d] = moves ? file_.number(header_.v + d, "a velocity") : 0.0;
    }
    if (--rows_left_ == 0 && file_.cut()) note("the last line has no newline: is the file cut off?");
    return true;
  }

 private:
  void note(const std::string& text) {
    const std::string line = file_.path() + ": " + text;
    if (std::find(notes_.begin(), notes_.end(), line) == notes_.end()) notes_.push_back(line);
  }

  int type_of_row() {
    using Species = ExtendedXyzHeader::Species;
    if (header_.species_kind == Species::none) {
      if (elements_.empty()) elements_.emplace_back();
      return 0;
    }
    std::string name = file_.name(file_.words()[header_.species]);
    if (header_.species_kind == Species::atomic_number)
      name = element_symbol(static_cast<int>(file_.integer(header_.species, "an atomic number", 1, 200)));
    int number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error == std::errc{} && end == name.data() + name.size()) {
      if (number < 1 || number > 1000) file_.fail(TextFile::quoted(name), "an atom type from 1 to 1000");
      if (static_cast<std::size_t>(number) > elements_.size())
        elements_.resize(static_cast<std::size_t>(number));
      return number - 1;
    }
    const auto at = std::find(elements_.begin(), elements_.end(), name);
    const auto index = static_cast<int>(at - elements_.begin());
    if (at == elements_.end()) {
      if (elements_.size() == 1000) file_.fail(TextFile::quoted(name), "at most 1000 elements");
      elements_.push_back(name);
    }
    return index;
  }

  TextFile file_;
  ExtendedXyzHeader header_;
  std::int64_t rows_left_ = 0, rows_read_ = 0;
};

ExtendedXyzReader::ExtendedXyzReader(const Communicator& comm, const std::string& path,
                                     std::vector<std::string> elements)
    : comm_(comm), path_(path), parser_(parser_on_root<Parser>(comm, path, std::move(elements))) {}

ExtendedXyzReader::~ExtendedXyzReader() = default;

std::optional<Configuration> ExtendedXyzReader::next() {
  const auto header = next_header(comm_, parser_.get());
  if (!header) return std::nullopt;
  return deal_frame(comm_, path_, *header, parser_.get());
}

}  // namespace wafermark::tungsten
