#include "wse_emulator/machine.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>

#include "common/deck.hpp"
#include "common/errors.hpp"

namespace wafermark::wse {
namespace {

class Reader {
 public:
  Reader(Deck& deck, std::map<std::string, Quantity>& quantities) : deck_(deck), quantities_(quantities) {}

  double number(const std::string& key, const char* meaning, Range range) {
    Quantity q;
    q.value = deck_.number(key + ".value", std::nullopt, meaning, range);
    q.kind = deck_.choice(key + ".kind", std::nullopt, {"measured", "published", "estimated", "calibrated"},
                          "where the number comes from");
    q.source = deck_.text(key + ".source", std::nullopt, "publication or reason");
    if (q.source.empty()) deck_.reject(key + ".source", "a source");
    return (quantities_[key] = q).value;
  }
  int whole(const std::string& key, const char* meaning, Range range) {
    const double value = number(key, meaning, range);
    if (value != static_cast<double>(static_cast<int>(value))) deck_.reject(key + ".value", "a whole number");
    return static_cast<int>(value);
  }

 private:
  Deck& deck_;
  std::map<std::string, Quantity>& quantities_;
};

}  // namespace

Machine Machine::read(const std::string& path, const std::vector<std::string>& overrides) {
  Deck deck = Deck::read(path, overrides);
  Machine m;
  m.file = path;
  m.name = deck.text("name", std::nullopt, "what results call the machine");
  Reader r(deck, m.quantities);
  m.width = r.whole("grid.width", "tiles from west to east", {1, 1e5});
  m.height = r.whole("grid.height", "tiles from north to south", {1, 1e5});
  m.clock_hz = 1e6 * r.number("core.clock_mhz", "clock of cores and fabric", positive);
  m.sram_bytes = r.whole("core.sram_bytes", "memory of a tile", {1, 1e9});
  m.program_bytes = r.whole("core.program_bytes", "of it for code and stack", {0, 1e9});
  m.read_bytes_per_cycle =
      r.whole("core.read_bytes_per_cycle", "SRAM words read beside an instruction", {1, 1e4});
  m.write_bytes_per_cycle = r.whole("core.write_bytes_per_cycle", "SRAM words written beside it", {1, 1e4});
  m.vector_startup_cycles = r.number("core.vector_startup_cycles", "of a vector instruction", non_negative);
  m.vector_cycles_per_element =
      r.number("core.vector_cycles_per_element", "of a vector instruction", positive);
  m.vector_restart_cycles = r.number("core.vector_restart_cycles",
                                     "startup when the operands' descriptors stay loaded", non_negative);
  m.half_lanes =
      r.number("core.half_lanes", "fp16 multiply-adds of a vector instruction in a cycle", positive);
  m.task_start_cycles =
      r.number("core.task_start_cycles", "from a wavelet to the task that it starts", non_negative);
  m.fabric_read_cycles =
      r.number("core.fabric_read_cycles", "of an instruction that waits for one word", non_negative);
  m.step_overhead_cycles =
      r.number("core.step_overhead_cycles", "of a time step, beyond what its phases explain", non_negative);
  for (std::size_t k = 0; k < operation_classes; ++k) {
    const auto op = static_cast<Operation>(k);
    if (op == Operation::load || op == Operation::store) continue;
    m.cycles[k] = r.number(fmt::format("cycles.{}", operation_names[k]), "issue cycles of one instruction",
                           non_negative);
  }
  m.fabric.hop_cycles = r.whole("fabric.hop_cycles", "router to neighbouring router", {1, 1e6});
  m.fabric.ramp_cycles = r.whole("fabric.ramp_cycles", "router to core, and back", {0, 1e6});
  m.fabric.words_per_cycle = r.whole("fabric.words_per_cycle", "of a link and direction", {1, 1e3});
  m.fabric.colors = r.whole("fabric.colors", "virtual channels", {1, 1e3});
  m.fabric.queue_words = r.whole("fabric.queue_words", "of an input queue", {1, 1e4});
  m.hop_pj = r.number("energy.hop_pj", "one word over one link", non_negative);
  m.sram_word_pj = r.number("energy.sram_word_pj", "one word read or written", non_negative);
  m.flop_pj = r.number("energy.flop_pj", "one fp32 operation", non_negative);
  m.instruction_pj = r.number("energy.instruction_pj", "one instruction", non_negative);
  m.idle_watts_per_tile = 1e-3 * r.number("energy.idle_mw_per_tile", "whatever the tile does", non_negative);
  deck.finish();
  if (m.program_bytes > m.sram_bytes) deck.reject("core.program_bytes.value", "at most core.sram_bytes");
  return m;
}

std::string Machine::find(const std::string& name, const std::string& folder) {
  namespace fs = std::filesystem;
  std::vector<std::string> tried;
  const auto there = [&](const fs::path& path) {
    tried.push_back(path.string());
    return fs::is_regular_file(path);
  };
  if (there(name)) return name;
  std::vector<fs::path> folders{folder, fs::path(folder) / ".." / "wafers"};
  if (const char* own = std::getenv("WAFERMARK_WAFERS")) folders.emplace_back(own);
  folders.emplace_back(WAFERMARK_WAFERS_INSTALLED);
  folders.emplace_back(WAFERMARK_WAFERS_SOURCE);
  for (const auto& f : folders)
    for (const auto& file : {f / name, f / (name + ".toml")})
      if (there(file)) return file.lexically_normal().string();
  throw InputError(fmt::format("wafer machine '{}': found no such file, expected one of: {}", name,
                               fmt::join(tried, ", ")));
}

}  // namespace wafermark::wse
