#include "tungsten_md/io/text_frame.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <unordered_set>

#include "common/errors.hpp"

namespace wafermark::tungsten {

using nlohmann::json;

std::vector<std::string> FrameParser::names_of_types() const {
  std::vector<std::string> names;
  for (std::size_t t = 0; t < elements_.size(); ++t)
    names.push_back(elements_[t].empty() ? std::to_string(t + 1) : elements_[t]);
  return names;
}

std::optional<FrameHeader> next_header(const Communicator& comm, FrameParser* parser) {
  const std::string text = ask_root(comm, [&]() -> std::string {
    const auto h = parser->header();
    if (!h) return "";
    return json{{"step", h->step},     {"time", h->time_ps},          {"lo", h->box.lo},
                {"hi", h->box.hi},     {"periodic", h->box.periodic}, {"ids", h->ids},
                {"forces", h->forces}, {"velocities", h->velocities}}
        .dump();
  });
  if (text.empty()) return std::nullopt;
  const json h = json::parse(text);
  return FrameHeader{
      h.at("step"),
      h.at("time"),
      {h.at("lo").get<Vec3>(), h.at("hi").get<Vec3>(), h.at("periodic").get<std::array<bool, 3>>()},
      h.at("ids"),
      h.at("velocities"),
      h.at("forces")};
}

Configuration deal_frame(const Communicator& comm, const std::string& path, const FrameHeader& header,
                         FrameParser* parser, std::size_t columns,
                         const std::function<void(const double* row)>& take_more) {
  Configuration c;
  c.step = header.step;
  c.time_ps = header.time_ps;
  c.box = header.box;
  c.ids_known = header.ids;
  std::string problem;
  std::unordered_set<std::int64_t> seen;
  deal_rows(
      comm, columns, [&](std::int64_t& id, double* row) { return parser->row(id, row); },
      [&](std::int64_t id, const double* row) {
        if (!seen.insert(id).second)
          problem =
              fmt::format("{}: found atom id {} twice in step {}, expected unique ids", path, id, c.step);
        c.atoms.id.push_back(id);
        c.atoms.type.push_back(static_cast<int>(row[0]));
        c.atoms.x.push_back(c.box.wrap({row[1], row[2], row[3]}));
        c.atoms.v.push_back({row[4], row[5], row[6]});
        if (take_more) take_more(row);
      });
  comm.throw_together(!problem.empty(), problem);
  if (comm.is_root()) {
    c.elements = parser->names_of_types();
    c.notes = parser->notes();
  }
  comm.broadcast(c.elements);
  c.masses.assign(c.elements.size(), 0.0);
  return c;
}

}  // namespace wafermark::tungsten
