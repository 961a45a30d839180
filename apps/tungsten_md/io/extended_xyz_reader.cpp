#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "common/errors.hpp"
#include "tungsten_md/io/atom_dealer.hpp"
#include "tungsten_md/io/extended_xyz.hpp"
#include "tungsten_md/io/extended_xyz_header.hpp"
#include "tungsten_md/model/element_symbols.hpp"

namespace wafermark::tungsten {

using nlohmann::json;

/// Rank 0's way through the file.
class ExtendedXyzReader::Parser {
 public:
  Parser(const std::string& path, std::vector<std::string> elements)
      : file_(path), elements_(std::move(elements)) {}

  /// Reads up to the rows of the next frame. What all ranks must know, as JSON; "" at the end of the file.
  std::string frame_header() {
    do
      if (!file_.next()) return "";
    while (file_.words().empty());
    if (file_.words().size() != 1) file_.fail(TextFile::quoted(file_.line()), "a number of atoms");
    rows_left_ = file_.integer(0, "a positive number of atoms", 1);
    rows_read_ = 0;
    file_.require_next("the comment line of a frame");
    header_ = ExtendedXyzHeader::parse(file_);
    if (header_.momenta && header_.v == ExtendedXyzHeader::absent)
      note("momenta are passed over: atoms are at rest");
    return json{{"step", header_.step},
                {"time", header_.time_ps},
                {"lo", header_.box.lo},
                {"hi", header_.box.hi},
                {"periodic", header_.box.periodic},
                {"ids", header_.id != ExtendedXyzHeader::absent}}
        .dump();
  }

  bool row(std::int64_t& id, double* values) {  // type, x, v
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

  /// Names of the types met so far, as JSON.
  std::string element_names() const {
    json names = json::array();
    for (std::size_t t = 0; t < elements_.size(); ++t)
      names.push_back(elements_[t].empty() ? std::to_string(t + 1) : elements_[t]);
    return names.dump(-1, ' ', false, json::error_handler_t::replace);
  }
  const std::vector<std::string>& notes() const { return notes_; }

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
  std::vector<std::string> elements_, notes_;
  ExtendedXyzHeader header_;
  std::int64_t rows_left_ = 0, rows_read_ = 0;
};

ExtendedXyzReader::ExtendedXyzReader(const Communicator& comm, const std::string& path,
                                     std::vector<std::string> elements)
    : comm_(comm), path_(path) {
  ask_root(comm_, [&] {
    parser_ = std::make_unique<Parser>(path, std::move(elements));
    return "";
  });
}

ExtendedXyzReader::~ExtendedXyzReader() = default;

std::optional<Configuration> ExtendedXyzReader::next() {
  const std::string text = ask_root(comm_, [&] { return parser_->frame_header(); });
  if (text.empty()) return std::nullopt;
  const json header = json::parse(text);
  Configuration c;
  c.step = header.at("step");
  c.time_ps = header.at("time");
  c.box = {header.at("lo").get<Vec3>(), header.at("hi").get<Vec3>(),
           header.at("periodic").get<std::array<bool, 3>>()};
  c.ids_known = header.at("ids");

  std::string problem;
  std::unordered_set<std::int64_t> seen;
  deal_rows(
      comm_, 7, [&](std::int64_t& id, double* row) { return parser_->row(id, row); },
      [&](std::int64_t id, const double* row) {
        if (!seen.insert(id).second)
          problem =
              fmt::format("{}: found atom id {} twice in step {}, expected unique ids", path_, id, c.step);
        c.atoms.id.push_back(id);
        c.atoms.type.push_back(static_cast<int>(row[0]));
        c.atoms.x.push_back(c.box.wrap({row[1], row[2], row[3]}));
        c.atoms.v.push_back({row[4], row[5], row[6]});
      });
  comm_.throw_together(!problem.empty(), problem);
  c.elements =
      json::parse(ask_root(comm_, [&] { return parser_->element_names(); })).get<std::vector<std::string>>();
  c.masses.assign(c.elements.size(), 0.0);
  if (comm_.is_root()) c.notes = parser_->notes();
  return c;
}

}  // namespace wafermark::tungsten
