#include "wse_emulator/tile_memory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "common/errors.hpp"

namespace wafermark::wse {

TileMemory::TileMemory(const Machine& machine) : machine_(machine.name), capacity_(machine.sram_bytes) {
  allocate("program", machine.program_bytes);
}

void TileMemory::allocate(const std::string& name, std::int64_t bytes) {
  buffers_.push_back({name, bytes});
  used_ += bytes;
  high_water_ = std::max(high_water_, used_);
  if (used_ > capacity_)
    throw InputError(
        fmt::format("tile memory of {}: '{}' needs {} bytes and {} are free, expected all of {} to fit {}",
                    machine_, name, bytes, capacity_ - used_ + bytes, list(), capacity_));
}

void TileMemory::release(const std::string& name) {
  const auto found =
      std::find_if(buffers_.begin(), buffers_.end(), [&](const Buffer& b) { return b.name == name; });
  if (found == buffers_.end()) throw std::logic_error("tile memory holds no buffer '" + name + "'");
  used_ -= found->bytes;
  buffers_.erase(found);
}

std::string TileMemory::list() const {
  std::string text;
  for (const auto& b : buffers_) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", b.name, b.bytes);
  return text;
}

std::string TileMemory::ledger() const {
  std::string text;
  for (const auto& b : buffers_) text += fmt::format("  {:<28} {:>7} B\n", b.name, b.bytes);
  return text + fmt::format("  {:<28} {:>7} of {} B", "sum", used_, capacity_);
}

}  // namespace wafermark::wse
