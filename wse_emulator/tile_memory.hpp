// What a tile program keeps in a tile's SRAM, by name. The emulator may hold such data once for many tiles,
// or not at all; it is charged to each tile all the same.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "wse_emulator/machine.hpp"

namespace wafermark::wse {

class TileMemory {
 public:
  /// Begins with the machine's program_bytes, named "program".
  explicit TileMemory(const Machine& machine);

  /// Charges `bytes`. Throws InputError with all buffers when the tile's memory does not hold them.
  void allocate(const std::string& name, std::int64_t bytes);
  /// What is allocated next begins at the start of a bank (machine file); charges what that leaves free, as
  /// "gap".
  void begin_bank();
  /// Gives back what `name` holds. Throws std::logic_error when there is no such buffer.
  void release(const std::string& name);

  std::int64_t used() const { return used_; }
  std::int64_t high_water() const { return high_water_; }
  std::int64_t capacity() const { return capacity_; }
  std::int64_t free() const { return capacity_ - used_; }

  struct Buffer {
    std::string name;
    std::int64_t bytes;
  };
  const std::vector<Buffer>& buffers() const { return buffers_; }
  /// How often two operands of an instruction meet in a bank, from 0 to 1, when they move through two buffers
  /// independently; 1 for a buffer with itself. Buffers lie one after the other in the order of their
  /// allocation, and the machine's banks likewise. Throws std::logic_error when there is no such buffer.
  double share_a_bank(const std::string& one, const std::string& other) const;
  /// "program 6144, atom 56".
  std::string list() const;
  /// One line per buffer, and the sum.
  std::string ledger() const;

 private:
  std::string machine_;
  double bank_bytes_ = 0.0;
  std::int64_t capacity_ = 0, used_ = 0, high_water_ = 0;
  std::vector<Buffer> buffers_;
};

}  // namespace wafermark::wse
