// Random numbers that depend on what they are for, not on who draws them: a counter-based generator
// (Philox4x32-10, Salmon et al., SC11) keyed by the seed and counting by atom, step and purpose. Any rank
// count draws the same.
#pragma once

#include <Kokkos_Core.hpp>
#include <cstdint>
#ifdef KOKKOS_ENABLE_HIP  // Random123 does this for nvcc and for no other compiler of device code
#define R123_CUDA_DEVICE KOKKOS_FUNCTION
#define R123_USE_SSE 0
#endif
#include <Random123/philox.h>

namespace wafermark::tungsten {

/// What a number is drawn for; streams never overlap.
enum class Stream : std::uint32_t {
  velocity = 1,
  langevin = 2,
  pka = 3,
  electrons = 5,
  composition = 6,
  barostat = 7,
  dose = 8,
  swaps = 9
};

struct Triple {
  double x, y, z;
};

/// The counter holds 63 bits of id, 56 of step and the stream; no two triples of these share one.
KOKKOS_INLINE_FUNCTION r123::Philox4x32::ctr_type random_words(std::uint64_t seed, std::uint64_t id,
                                                               std::uint64_t step, Stream stream) {
  const r123::Philox4x32::key_type key = {
      {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)}};
  const r123::Philox4x32::ctr_type counter = {
      {static_cast<std::uint32_t>(id),
       (static_cast<std::uint32_t>(id >> 32) & 0xffffffu) | (static_cast<std::uint32_t>(stream) << 24),
       static_cast<std::uint32_t>(step),
       static_cast<std::uint32_t>(step >> 32) | (static_cast<std::uint32_t>(id >> 56) << 24)}};
  return r123::Philox4x32()(counter, key);
}

/// Uniform in (0, 1].
KOKKOS_INLINE_FUNCTION double uniform(std::uint32_t word) { return (word + 1.0) * (1.0 / 4294967296.0); }

template <class T>
struct Normals {
  T x, y, z;
};
/// Three independent standard normal numbers from four uniform ones (Box and Muller, Ann. Math. Stat. 29
/// (1958) 610).
template <class T>
KOKKOS_INLINE_FUNCTION Normals<T> box_muller(T u0, T u1, T u2, T u3) {
  using Kokkos::cos;
  using Kokkos::log;
  using Kokkos::sin;
  using Kokkos::sqrt;
  const T two_pi = T(6.283185307179586);
  const T a = T(sqrt(T(-2.0) * T(log(u0)))), b = T(sqrt(T(-2.0) * T(log(u2))));
  return {a * T(cos(two_pi * u1)), a * T(sin(two_pi * u1)), b * T(cos(two_pi * u3))};
}

/// Three normal numbers for a purpose.
KOKKOS_INLINE_FUNCTION Triple gaussian_triple(std::uint64_t seed, std::uint64_t id, std::uint64_t step,
                                              Stream stream) {
  const auto w = random_words(seed, id, step, stream);
  const auto n = box_muller(uniform(w[0]), uniform(w[1]), uniform(w[2]), uniform(w[3]));
  return {n.x, n.y, n.z};
}
/// Integer instructions of random_words(): ten rounds of two wide products (two words each), four exclusive
/// ors and two additions to the key.
inline constexpr int random_words_instructions = 10 * (2 * 2 + 4 + 2);

/// A direction uniform on the sphere.
KOKKOS_INLINE_FUNCTION Triple random_direction(std::uint64_t seed, std::uint64_t id, std::uint64_t step,
                                               Stream stream) {
  const auto w = random_words(seed, id, step, stream);
  const double z = 2.0 * uniform(w[0]) - 1.0, angle = 6.283185307179586 * uniform(w[1]);
  const double s = Kokkos::sqrt(Kokkos::max(0.0, 1.0 - z * z));
  return {s * Kokkos::cos(angle), s * Kokkos::sin(angle), z};
}

}  // namespace wafermark::tungsten
