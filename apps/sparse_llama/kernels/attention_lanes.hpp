// Numbers of a cache in the lanes of a host's vector registers, as fp32.
#pragma once

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include "sparse_llama/kernels/value_types.hpp"

namespace wafermark::llama::attention_lanes {

#if defined(__AVX512F__)
constexpr int lanes = 16;
#elif defined(__AVX__)
constexpr int lanes = 8;
#else
constexpr int lanes = 4;
#endif
/// The numbers of a vector register.
using Lanes = float __attribute__((vector_size(4 * lanes), aligned(4), may_alias));

inline Lanes load(const float* from) { return *reinterpret_cast<const Lanes*>(from); }
// GCC 12 makes several instructions of __builtin_convertvector, of bytes one for each lane.
inline Lanes load(const BFloat16* from) {
#if defined(__AVX512F__)
  const __m256i halves = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  return reinterpret_cast<Lanes>(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16));
#elif defined(__AVX2__)
  const __m128i halves = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  return reinterpret_cast<Lanes>(_mm256_slli_epi32(_mm256_cvtepu16_epi32(halves), 16));
#else
  Lanes own;
  for (int i = 0; i < lanes; ++i) own[i] = float(from[i]);
  return own;
#endif
}
inline Lanes load(const std::int8_t* from) {
#if defined(__AVX512F__)
  return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))));
#elif defined(__AVX2__)
  return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from))));
#else
  Lanes own;
  for (int i = 0; i < lanes; ++i) own[i] = float(from[i]);
  return own;
#endif
}
/// For several uses: where compilers see that lanes come from memory, they load them for each (1.3 times the
/// time of attention on a Zen 5).
template <class Cached>
inline Lanes load_once(const Cached* from) {
  Lanes own = load(from);
#if defined(__AVX512F__)
  asm("" : "+v"(own));
#elif defined(__AVX__)
  asm("" : "+x"(own));
#endif
  return own;
}
inline void store(float* to, Lanes own) { *reinterpret_cast<Lanes*>(to) = own; }

}  // namespace wafermark::llama::attention_lanes
