#include "wse_emulator/tile_memory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "common/errors.hpp"

namespace wafermark::wse {

TileMemory::TileMemory(const Machine& machine)
    : machine_(machine.name),
      bank_bytes_(static_cast<double>(machine.sram_bytes) / machine.banks),
      capacity_(machine.sram_bytes) {
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

void TileMemory::begin_bank() {
  const auto bank = static_cast<std::int64_t>(bank_bytes_);
  if (bank > 0 && used_ % bank != 0) allocate("gap", bank - used_ % bank);
}

double TileMemory::share_a_bank(const std::string& one, const std::string& other) const {
  if (one == other) return 1.0;
  const auto begin_end = [&](const std::string& name) {
    double begin = 0.0;
    for (const Buffer& b : buffers_) {
      const auto bytes = static_cast<double>(b.bytes);
      if (b.name == name) return std::pair{begin, begin + bytes};
      begin += bytes;
    }
    throw std::logic_error("tile memory holds no buffer '" + name + "'");
  };
  const auto [a, a_end] = begin_end(one);
  const auto [b, b_end] = begin_end(other);
  if (a == a_end || b == b_end) return 0.0;
  double share = 0.0;
  for (double bank = 0.0; bank < static_cast<double>(capacity_); bank += bank_bytes_) {
    const auto within = [&](double begin, double end) {
      return std::max(0.0, std::min(end, bank + bank_bytes_) - std::max(begin, bank)) / (end - begin);
    };
    share += within(a, a_end) * within(b, b_end);
  }
  return share;
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
