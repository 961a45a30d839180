#include "wse_emulator/machine.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "common/deck.hpp"
#include "common/errors.hpp"
#include "common/file_digest.hpp"
#include "common/printable.hpp"

namespace fs = std::filesystem;

namespace wafermark::wse {
namespace {

// Wide enough for any machine that could be built.
constexpr double most_tiles = 1e4, most_bytes = 1 << 30;
constexpr Range of_cycles{0, 1e6}, of_energy{0, 1e9};

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
    deck_.integer(key + ".value", std::nullopt, meaning, range);
    return static_cast<int>(number(key, meaning, range));
  }

 private:
  Deck& deck_;
  std::map<std::string, Quantity>& quantities_;
};

/// The machine files of a folder, which may hold decks too.
std::set<std::string> machines_in(const fs::path& folder) {
  std::set<std::string> names;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder.empty() ? "." : folder, none)) {
    if (entry.path().extension() != ".toml" || !entry.is_regular_file(none)) continue;
    std::string head(1 << 16, ' ');
    std::ifstream(entry.path()).read(head.data(), static_cast<std::streamsize>(head.size()));
    if (head.find("clock_mhz") != std::string::npos) names.insert(entry.path().stem().string());
  }
  return names;
}

}  // namespace

Machine Machine::read(const std::string& path, const std::vector<std::string>& changes,
                      const std::string& option) {
  Deck deck = Deck::read(path, changes, option);
  Machine m;
  m.file = path;
  m.sha256 = sha256_of_file(path);
  m.changes = changes;
  m.name = deck.text("name", std::nullopt, "what results call the machine");
  if (m.name.empty()) deck.reject("name", "a name");
  Reader r(deck, m.quantities);
  m.width = r.whole("grid.width", "tiles from west to east", {1, most_tiles});
  m.height = r.whole("grid.height", "tiles from north to south", {1, most_tiles});
  m.clock_hz = 1e6 * r.number("core.clock_mhz", "clock of cores and fabric", {1, 1e5});
  m.sram_bytes = r.whole("core.sram_bytes", "memory of a tile", {1024, most_bytes});
  m.program_bytes = r.whole("core.program_bytes", "of it for code and stack", {0, most_bytes});
  m.read_bytes_per_cycle =
      r.whole("core.read_bytes_per_cycle", "SRAM words read beside an instruction", {1, 1e4});
  m.write_bytes_per_cycle = r.whole("core.write_bytes_per_cycle", "SRAM words written beside it", {1, 1e4});
  m.vector_startup_cycles = r.number("core.vector_startup_cycles", "of a vector instruction", of_cycles);
  m.vector_cycles_per_element =
      r.number("core.vector_cycles_per_element", "of a vector instruction", {1e-3, 1e6});
  m.vector_restart_cycles =
      r.number("core.vector_restart_cycles", "startup when the operands' descriptors stay loaded", of_cycles);
  m.half_lanes =
      r.number("core.half_lanes", "fp16 multiply-adds of a vector instruction in a cycle", {1e-2, 1e3});
  m.task_start_cycles =
      r.number("core.task_start_cycles", "from a wavelet to the task that it starts", of_cycles);
  m.fabric_read_cycles =
      r.number("core.fabric_read_cycles", "of an instruction that waits for one word", of_cycles);
  m.step_overhead_cycles =
      r.number("core.step_overhead_cycles", "of a time step, beyond what its phases explain", of_cycles);
  for (std::size_t k = 0; k < operation_classes; ++k) {
    const auto op = static_cast<Operation>(k);
    if (op == Operation::load || op == Operation::store) continue;
    m.cycles[k] =
        r.number(fmt::format("cycles.{}", operation_names[k]), "issue cycles of one instruction", of_cycles);
  }
  m.fabric.hop_cycles = r.whole("fabric.hop_cycles", "router to neighbouring router", {1, 1e4});
  m.fabric.ramp_cycles = r.whole("fabric.ramp_cycles", "router to core, and back", {0, 1e4});
  m.fabric.words_per_cycle = r.whole("fabric.words_per_cycle", "of a link and direction", {1, 1e3});
  m.fabric.colors = r.whole("fabric.colors", "virtual channels", {1, 1e3});
  m.fabric.queue_words = r.whole("fabric.queue_words", "of an input queue", {1, 1e4});
  m.hop_pj = r.number("energy.hop_pj", "one word over one link", of_energy);
  m.sram_word_pj = r.number("energy.sram_word_pj", "one word read or written", of_energy);
  m.flop_pj = r.number("energy.flop_pj", "one fp32 operation", of_energy);
  m.instruction_pj = r.number("energy.instruction_pj", "one instruction", of_energy);
  m.idle_watts_per_tile = 1e-3 * r.number("energy.idle_mw_per_tile", "whatever the tile does", of_energy);
  deck.finish();
  if (m.program_bytes > m.sram_bytes) deck.reject("core.program_bytes.value", "at most core.sram_bytes");
  return m;
}

nlohmann::json Machine::record() const {
  return {
      {"machine", name}, {"machine_file", file}, {"machine_sha256", sha256}, {"machine_changes", changes}};
}

std::string Machine::find(const std::string& name, const std::string& folder) {
  std::error_code none;
  if (fs::is_regular_file(name, none)) return name;
  std::vector<fs::path> folders{folder, fs::path(folder) / ".." / "wafers"};
  if (const char* own = std::getenv("WAFERMARK_WAFERS")) folders.emplace_back(own);
  folders.emplace_back(WAFERMARK_WAFERS_INSTALLED);
  folders.emplace_back(WAFERMARK_WAFERS_SOURCE);
  for (const auto& f : folders)
    for (const auto& file : {f / name, f / (name + ".toml")})
      if (fs::is_regular_file(file, none)) return file.lexically_normal().string();
  std::set<std::string> names;
  for (const auto& f : folders) names.merge(machines_in(f));
  throw InputError(
      fmt::format("wafer machine '{}': found no such file or name, expected a machine file or one of: {}",
                  excerpt(name), fmt::join(names, ", ")));
}

}  // namespace wafermark::wse
