// The emulated machine in numbers, each with its source. Begin reading the emulator here.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "common/quantity.hpp"
#include "wse_emulator/fabric/fabric_timing.hpp"
#include "wse_emulator/operations.hpp"

namespace wafermark::wse {

struct Machine {
  std::string name;
  std::string file;
  std::string sha256;                ///< of the file
  std::vector<std::string> changes;  ///< to the file's numbers, as they were asked for
  int width = 0, height = 0;         ///< tiles that programs may use
  double clock_hz = 0.0;
  std::int64_t sram_bytes = 0, program_bytes = 0;  ///< of a tile; of these, for code
  int read_bytes_per_cycle = 0, write_bytes_per_cycle = 0;
  double vector_startup_cycles = 0.0, vector_cycles_per_element = 0.0;
  double vector_restart_cycles = 0.0;  ///< startup when the operands' descriptors stay loaded
  double half_lanes = 1.0;             ///< fp16 or bf16 multiply-adds of a vector instruction in a cycle
  double mixed_lanes = 1.0;            ///< the same of fp16 products that go into fp32 sums
  int banks = 1;                       ///< of a tile's memory, one after the other, each one access a cycle
  double bank_conflict_cycles_per_element = 1.0;  ///< of an instruction of which two operands share a bank
  double task_start_cycles = 0.0;
  double fabric_read_cycles = 0.0;      ///< of an instruction that waits for one word
  double arriving_weight_cycles = 0.0;  ///< before the multiply-adds that an arriving weight starts
  double edge_bits_per_second = 0.0;    ///< that enter the wafer from outside
  double step_overhead_cycles = 0.0;    ///< of a program's time step: what its phases do not explain
  std::array<double, operation_classes> cycles{};  ///< issue cycles by class; load and store have none
  FabricTiming fabric;
  double hop_pj = 0.0, sram_word_pj = 0.0, flop_pj = 0.0, instruction_pj = 0.0;
  double half_multiply_add_pj = 0.0;           ///< of 16-bit numbers in lanes, all in
  double idle_watts = 0.0;                     ///< of the whole wafer, whatever part of it a program uses
  std::map<std::string, Quantity> quantities;  ///< every number as the file has it, by key

  /// Reads a machine file (inputs/wafers). Throws InputError "FILE:LINE: ..." for anything missing, unknown,
  /// without source or out of range: numbers that no machine has turn into cycles that no clock holds.
  /// `changes`: "core.clock_mhz.value=425"; a value that is changed alone counts as known, without range.
  /// `option`: where they come from, for messages.
  static Machine read(const std::string& path, const std::vector<std::string>& changes = {},
                      const std::string& option = "wafer.changes");
  /// `name` as a file, or NAME.toml in `folder`, in $WAFERMARK_WAFERS, or among those that came with the
  /// program. Throws InputError with the names of the machines that there are.
  static std::string find(const std::string& name, const std::string& folder);
  /// The machine with another value of a number; counts are rounded. Throws std::out_of_range for a key that
  /// there is not.
  Machine with(const std::string& key, double value) const;
  /// Which machine it is, for results: name, file, digest, changes.
  nlohmann::json record() const;
  /// Every number with value, range, kind and source, for results.
  nlohmann::json numbers() const;
};

}  // namespace wafermark::wse
