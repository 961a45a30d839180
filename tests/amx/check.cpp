// Whether AMX computes what kernels/amx_unit.hpp says of it: that header's assembly against its C++, on
// whatever machine the program of start.S runs on, without operating system or C library. Writes to the first
// serial port; the last line is "passed" or "FAILED".
#include <cstddef>
#include <cstring>
#include <new>

#include "sparse_llama/cluster/unit_check.hpp"

namespace {

void out_byte(std::uint16_t port, std::uint8_t byte) { asm volatile("outb %0, %1" ::"a"(byte), "Nd"(port)); }
std::uint8_t in_byte(std::uint16_t port) {
  std::uint8_t byte;
  asm volatile("inb %1, %0" : "=a"(byte) : "Nd"(port));
  return byte;
}
void say(const char* text) {
  constexpr std::uint16_t serial = 0x3f8, status = serial + 5;
  for (; *text != 0; ++text) {
    while ((in_byte(status) & 0x20) == 0) {
    }
    out_byte(serial, std::uint8_t(*text));
  }
}
void say(std::int64_t number) {
  char digits[24], *at = digits + sizeof digits;
  *--at = 0;
  do *--at = char('0' + number % 10);
  while ((number /= 10) > 0);
  say(at);
}

// Of memory, only what follows; it is given back all at once.
alignas(64) std::byte heap[64 << 20];
std::byte* next = heap;

[[noreturn]] void finish(const char* verdict) {
  say(verdict);
  while ((in_byte(0x3fd) & 0x40) == 0) {  // until all has left
  }
  for (const char letter : "Shutdown") out_byte(0x8900, std::uint8_t(letter));  // of Bochs
  while (true) asm volatile("hlt");
}

}  // namespace

void* operator new(std::size_t bytes) {
  std::byte* const here = next;
  next += (bytes + 63) / 64 * 64;
  if (next > heap + sizeof heap) finish("out of memory\nFAILED\n");
  return here;
}
void operator delete(void*) noexcept {}
void operator delete(void*, std::size_t) noexcept {}
namespace std {
void __throw_length_error(const char*) { finish("length error\nFAILED\n"); }
void __throw_bad_alloc() { finish("bad alloc\nFAILED\n"); }
void __throw_bad_array_new_length() { finish("bad array length\nFAILED\n"); }
}  // namespace std
namespace wafermark::llama {
namespace {

/// The unit as Bochs 3.1 has it: bytes without signs.
struct UnsignedUnit : amx::EmulatedUnit {
  using amx::EmulatedUnit::EmulatedUnit;
  template <class Value, int sums, int a, int b>
  void multiply() {
    EmulatedUnit::multiply<std::conditional_t<std::is_same_v<Value, std::int8_t>, std::uint8_t, Value>, sums,
                           a, b>();
  }
};

template <class Value>
UnitSample<Value> without_signs(UnitSample<Value> s) {
  for (Value& w : s.values) w = Value(std::max(-float(w), float(w)) / 2);
  for (float& x : s.x) x = float(std::int32_t(x) & 0x1fbf);  // high and low parts, too
  return s;
}

/// Numbers of all sizes within 2^-`spread` and 2^`spread`: what is added differs in size, what is small
/// becomes zero.
UnitSample<BFloat16> of_all_sizes(UnitSample<BFloat16> s, int spread) {
  std::mt19937 engine(7);
  const auto number = [&] {
    const std::uint32_t exponent = 127 + engine() % std::uint32_t(2 * spread + 1) - std::uint32_t(spread);
    const std::uint32_t random = engine();
    return Kokkos::bit_cast<float>((random & 0x807fffffu) | exponent << 23);
  };
  for (BFloat16& w : s.values) w = BFloat16(number());
  for (float& x : s.x) x = number();
  return s;
}

std::int64_t failures = 0;

/// Counts the samples of which the sums of `a` have other bits than those of `b`.
template <class Make, class A, class B>
std::int64_t compare(const char* what, const Make& make, const A& a, const B& b) {
  std::int64_t samples = 0, different = 0;
  for (const std::int64_t words : {1, 2, 3, 8})
    for (const double density : {0.0, 0.3, 1.0})
      for (const std::int64_t vectors : {1, 2, 15, 16, 17, 33, 49, 70}) {
        next = heap;
        const auto sample = make(words, vectors, density);
        const std::vector<float> found = a(sample), wanted = b(sample);
        ++samples;
        different += std::memcmp(found.data(), wanted.data(), found.size() * sizeof(float)) != 0;
      }
  say(what);
  say(": ");
  say(samples - different);
  say(" of ");
  say(samples);
  say(" samples have the same bits\n");
  return different;
}

void run() {
  const auto amx = [](const auto& s) { return sums_by_unit<amx::Unit>(s); };
  const auto emulated = [](const auto& s) { return sums_by_unit<amx::EmulatedUnit>(s); };
  const auto tile_dots = [](const auto& s) { return sums_by_tile_dots(s); };
  const auto bf16 = [](auto... of) { return UnitSample<BFloat16>(of...); };
  const auto int8 = [](auto... of) { return UnitSample<std::int8_t>(of...); };
  failures += compare("bf16, exact sums, AMX and tile_dots", bf16, amx, tile_dots);
  failures += compare(
      "bf16, numbers of all sizes, AMX and its emulation",
      [](auto... of) { return of_all_sizes({of...}, 10); }, amx, emulated);
  failures += compare(
      "bf16, numbers near the smallest, AMX and its emulation",
      [](auto... of) { return of_all_sizes({of...}, 70); }, amx, emulated);
  failures += compare(
      "int8, numbers without signs, AMX and tile_dots",
      [](auto... of) { return without_signs<std::int8_t>({of...}); }, amx, tile_dots);
  if (compare("int8, AMX and tile_dots", int8, amx, tile_dots) > 0)
    failures += compare("  this machine takes bytes without signs: AMX and such an emulation", int8, amx,
                        [](const auto& s) { return sums_by_unit<UnsignedUnit>(s); });
}

}  // namespace
}  // namespace wafermark::llama

extern "C" void run_alone() {
  out_byte(0x3fb, 3);  // of the serial port: eight bits a character
  wafermark::llama::run();
  finish(wafermark::llama::failures == 0 ? "passed\n" : "FAILED\n");
}
