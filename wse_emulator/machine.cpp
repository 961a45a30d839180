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
#include "common/quantity_rows.hpp"

namespace fs = std::filesystem;

namespace wafermark::wse {
namespace {

// Wide enough for any machine that could be built.
constexpr double most_tiles = 1e4, most_bytes = 1 << 30;
constexpr Range of_cycles{0, 1e6}, of_energy{0, 1e9};

using Row = QuantityRow<Machine>;

template <class T>
Row row(const char* key, const char* meaning, Range range, T Machine::*member, double unit = 1.0) {
  const auto set = [=](Machine& m, double value) { m.*member = static_cast<T>(unit * value); };
  return {{key, meaning, range, std::is_integral_v<T>}, set};
}
template <class T>
Row fabric_row(const char* key, const char* meaning, Range range, T FabricTiming::*member) {
  const auto set = [=](Machine& m, double value) { m.fabric.*member = static_cast<T>(value); };
  return {{key, meaning, range, std::is_integral_v<T>}, set};
}

QuantityRows<Machine> all_rows() {
  using M = Machine;
  using F = FabricTiming;
  QuantityRows<Machine> rows = {
      row("grid.width", "tiles from west to east", {1, most_tiles}, &M::width),
      row("grid.height", "tiles from north to south", {1, most_tiles}, &M::height),
      row("core.clock_mhz", "clock of cores and fabric", {1, 1e5}, &M::clock_hz, 1e6),
      row("core.sram_bytes", "memory of a tile", {1024, most_bytes}, &M::sram_bytes),
      row("core.program_bytes", "of it for code and stack", {0, most_bytes}, &M::program_bytes),
      row("core.read_bytes_per_cycle", "SRAM words read beside an instruction", {1, 1e4},
          &M::read_bytes_per_cycle),
      row("core.write_bytes_per_cycle", "SRAM words written beside it", {1, 1e4}, &M::write_bytes_per_cycle),
      row("core.vector_startup_cycles", "of a vector instruction", of_cycles, &M::vector_startup_cycles),
      row("core.vector_cycles_per_element", "of a vector instruction", {1e-3, 1e6},
          &M::vector_cycles_per_element),
      row("core.vector_restart_cycles", "startup when the operands' descriptors stay loaded", of_cycles,
          &M::vector_restart_cycles),
      row("core.half_lanes", "fp16 multiply-adds of a vector instruction in a cycle", {1e-2, 1e3},
          &M::half_lanes),
      row("core.mixed_lanes", "fp16 products into fp32 sums in a cycle", {1e-2, 1e3}, &M::mixed_lanes),
      row("core.banks", "of a tile's memory, each one access a cycle", {1, 1e3}, &M::banks),
      row("core.bank_conflict_cycles_per_element", "of a vector instruction with two operands in a bank",
          {1e-3, 1e6}, &M::bank_conflict_cycles_per_element),
      row("core.task_start_cycles", "from a wavelet to the task that it starts", of_cycles,
          &M::task_start_cycles),
      row("core.fabric_read_cycles", "of an instruction that waits for one word", of_cycles,
          &M::fabric_read_cycles),
      row("core.arriving_weight_cycles", "before the multiply-adds that a weight from the fabric starts",
          of_cycles, &M::arriving_weight_cycles),
      row("core.step_overhead_cycles", "of a time step, beyond what its phases explain", of_cycles,
          &M::step_overhead_cycles)};
  for (std::size_t k = 0; k < operation_classes; ++k) {
    const auto op = static_cast<Operation>(k);
    if (op == Operation::load || op == Operation::store || op == Operation::half_fma) continue;
    rows.push_back(
        {{fmt::format("cycles.{}", operation_names[k]), "issue cycles of one instruction", of_cycles, false},
         [k](M& m, double value) { m.cycles[k] = value; }});
  }
  for (Row& more : QuantityRows<Machine>{
           fabric_row("fabric.hop_cycles", "router to neighbouring router", {1, 1e4}, &F::hop_cycles),
           fabric_row("fabric.ramp_cycles", "router to core, and back", {0, 1e4}, &F::ramp_cycles),
           fabric_row("fabric.cycles_per_word", "of a link and direction", {1e-3, 1e3}, &F::cycles_per_word),
           fabric_row("fabric.multicast_issue_cycles", "before a multicast's first word leaves", {0, 1e4},
                      &F::multicast_issue_cycles),
           fabric_row("fabric.colors", "virtual channels", {1, 1e3}, &F::colors),
           fabric_row("fabric.queue_words", "of an input queue", {1, 1e4}, &F::queue_words),
           row("edge.gigabits_per_second", "into the wafer from outside", {1e-3, 1e9},
               &M::edge_bits_per_second, 1e9),
           row("energy.half_multiply_add_pj", "one multiply-add of 16-bit numbers in lanes", of_energy,
               &M::half_multiply_add_pj),
           row("energy.hop_pj", "one word over one link", of_energy, &M::hop_pj),
           row("energy.sram_word_pj", "one word read or written", of_energy, &M::sram_word_pj),
           row("energy.flop_pj", "one fp32 operation", of_energy, &M::flop_pj),
           row("energy.instruction_pj", "one instruction", of_energy, &M::instruction_pj),
           row("energy.idle_watts", "of the wafer, whatever its tiles do", of_energy, &M::idle_watts)})
    rows.push_back(std::move(more));
  return rows;
}
const QuantityRows<Machine>& rows() {
  static const QuantityRows<Machine> all = all_rows();
  return all;
}

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
  read_quantities(deck, rows(), changes, m);
  deck.finish();
  if (m.program_bytes > m.sram_bytes) deck.reject("core.program_bytes.value", "at most core.sram_bytes");
  return m;
}

nlohmann::json Machine::record() const {
  return {
      {"machine", name}, {"machine_file", file}, {"machine_sha256", sha256}, {"machine_changes", changes}};
}

nlohmann::json Machine::numbers() const {
  nlohmann::json all = nlohmann::json::object();
  for (const auto& [key, q] : quantities)
    all[key] = {{"value", q.value}, {"range", {q.low, q.high}}, {"kind", q.kind}, {"source", q.source}};
  return all;
}

Machine Machine::with(const std::string& key, double value) const {
  return with_quantity(*this, rows(), key, value);
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
