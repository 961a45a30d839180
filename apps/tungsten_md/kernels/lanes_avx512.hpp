// lanes.hpp for AVX-512: eight doubles. Floats stay eight wide (lanes_avx2.hpp): rows of neighbours are too
// short for sixteen. Only what Kokkos::simd cannot express is written with intrinsics. Included by lanes.hpp.
#pragma once

#include <immintrin.h>

#define WAFERMARK_LANES_AVX512

namespace wafermark {
namespace avx512 {

namespace kx = Kokkos::Experimental;
using Abi = kx::simd_abi::avx512_fixed_size<8>;
using Double8 = kx::basic_simd<double, Abi>;
using Int8 = kx::basic_simd<std::int32_t, Abi>;

}  // namespace avx512

template <>
struct Lanes<avx512::Double8> {
  using Value = double;
  using Int = avx512::Int8;
  using Mask = avx512::Double8::mask_type;
  static constexpr int width = 8;
};

inline avx512::Double8 select(const Lanes<avx512::Double8>::Mask& m, const avx512::Double8& yes,
                              const avx512::Double8& no) {
  return avx512::Double8(
      _mm512_mask_blend_pd(static_cast<__mmask8>(m), static_cast<__m512d>(no), static_cast<__m512d>(yes)));
}
inline avx512::Int8 truncate(const avx512::Double8& x) {
  return avx512::Int8(_mm512_cvttpd_epi32(static_cast<__m512d>(x)));
}
inline double sum_of_lanes(const avx512::Double8& x) {
  const __m512d v = static_cast<__m512d>(x);
  const __m256d s = _mm256_add_pd(_mm512_castpd512_pd256(v), _mm512_extractf64x4_pd(v, 1));
  const __m128d t = _mm_add_pd(_mm256_castpd256_pd128(s), _mm256_extractf128_pd(s, 1));
  return _mm_cvtsd_f64(_mm_add_sd(t, _mm_unpackhi_pd(t, t)));
}

/// The machine's estimate y of 1 / sqrt(x) has e = 1 - x y^2 below 2^-13; of the series
/// (1 - e)^-1/2 = 1 + e/2 + 3 e^2/8 + 5 e^3/16 + ... the next term is below the rounding of double.
inline Roots<avx512::Double8> quick_roots(const avx512::Double8& x) {
  const __m512d v = static_cast<__m512d>(x), y = _mm512_rsqrt14_pd(v), vy = _mm512_mul_pd(v, y);
  const __m512d e = _mm512_fnmadd_pd(vy, y, _mm512_set1_pd(1.0));
  __m512d series = _mm512_fmadd_pd(e, _mm512_set1_pd(0.3125), _mm512_set1_pd(0.375));
  series = _mm512_mul_pd(e, _mm512_fmadd_pd(e, series, _mm512_set1_pd(0.5)));
  return {avx512::Double8(_mm512_fmadd_pd(vy, series, vy)), avx512::Double8(_mm512_fmadd_pd(y, series, y))};
}

template <class T>
requires std::is_same_v<T, avx512::Double8>
inline avx512::Double8 load_values(const double* p) { return avx512::Double8(_mm512_loadu_pd(p)); }
inline void store_values(double* p, const avx512::Double8& x) {
  _mm512_storeu_pd(p, static_cast<__m512d>(x));
}
template <class T>
requires std::is_same_v<T, avx512::Double8>
inline avx512::Int8 load_indices(const int* p) {
  return avx512::Int8(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
template <class T>
requires std::is_same_v<T, avx512::Double8>
inline void store_indices(int* p, const avx512::Int8& index) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), static_cast<__m256i>(index));
}
template <class T>
inline Lanes<avx512::Double8>::Mask lane_less(const avx512::Int8& index, int bound) {
  return Lanes<avx512::Double8>::Mask(
      _mm256_cmplt_epi32_mask(static_cast<__m256i>(index), _mm256_set1_epi32(bound)));
}
template <class T>
inline avx512::Int8 gather_int(const int* base, const avx512::Int8& index) {
  return avx512::Int8(_mm256_i32gather_epi32(base, static_cast<__m256i>(index), 4));
}

namespace avx512 {

/// Two quads side by side in one register.
inline __m512d two_rows(const double* base, std::size_t low, std::size_t high) {
  return _mm512_insertf64x4(_mm512_castpd256_pd512(_mm256_load_pd(base + low)), _mm256_load_pd(base + high),
                            1);
}
/// Of each half of a and of b the first two values, or the last two.
inline __m512d first_pairs(__m512d a, __m512d b) {
  return _mm512_permutex2var_pd(a, _mm512_setr_epi64(0, 1, 8, 9, 4, 5, 12, 13), b);
}
inline __m512d last_pairs(__m512d a, __m512d b) {
  return _mm512_permutex2var_pd(a, _mm512_setr_epi64(2, 3, 10, 11, 6, 7, 14, 15), b);
}

}  // namespace avx512

namespace avx512 {

/// The rows of lanes 0 and 4, 1 and 5, 2 and 6, 3 and 7.
inline Quad<Double8> transposed(__m512d r0, __m512d r1, __m512d r2, __m512d r3) {
  const __m512d t0 = _mm512_unpacklo_pd(r0, r1), t1 = _mm512_unpackhi_pd(r0, r1);
  const __m512d t2 = _mm512_unpacklo_pd(r2, r3), t3 = _mm512_unpackhi_pd(r2, r3);
  return {Double8(first_pairs(t0, t2)), Double8(first_pairs(t1, t3)), Double8(last_pairs(t0, t2)),
          Double8(last_pairs(t1, t3))};
}

}  // namespace avx512

/// The quads must be aligned to their size, 32 bytes, and pairs of them to 64.
template <class T>
requires std::is_same_v<T, avx512::Double8>
inline Quad<avx512::Double8> load_quads(const double* base, const int* index) {
  const avx2::Indices at(index);
  return avx512::transposed(
      avx512::two_rows(base, at.quad(0), at.quad(4)), avx512::two_rows(base, at.quad(1), at.quad(5)),
      avx512::two_rows(base, at.quad(2), at.quad(6)), avx512::two_rows(base, at.quad(3), at.quad(7)));
}
inline Quad<avx512::Double8> load_quads(const double* base, const avx512::Int8& index) {
  alignas(32) int at[8];
  _mm256_store_si256(reinterpret_cast<__m256i*>(at), static_cast<__m256i>(index));
  return load_quads<avx512::Double8>(base, at);
}
template <class T>
requires std::is_same_v<T, avx512::Double8>
inline QuadPair<avx512::Double8> load_quad_pairs(const double* base, const int* index) {
  const avx2::Indices at(index);
  const auto pair = [&](int l) { return _mm512_load_pd(base + 2 * at.quad(l)); };
  const __m512d p0 = pair(0), p1 = pair(1), p2 = pair(2), p3 = pair(3);
  const __m512d p4 = pair(4), p5 = pair(5), p6 = pair(6), p7 = pair(7);
  const auto low = [](__m512d a, __m512d b) { return _mm512_insertf64x4(a, _mm512_castpd512_pd256(b), 1); };
  const auto high = [](__m512d a, __m512d b) { return _mm512_shuffle_f64x2(a, b, 0xEE); };
  return {avx512::transposed(low(p0, p4), low(p1, p5), low(p2, p6), low(p3, p7)),
          avx512::transposed(high(p0, p4), high(p1, p5), high(p2, p6), high(p3, p7))};
}

inline void add_at(double* base, const int* index, const avx512::Double8& x) {
  const avx2::Indices at(index);
  alignas(64) double v[8];
  _mm512_store_pd(v, static_cast<__m512d>(x));
  for (int l = 0; l < 8; ++l) base[at[l]] += v[l];
}

inline void exchange_quads(double* base, int i, const int* index, const avx512::Double8& x,
                           const avx512::Double8& y, const avx512::Double8& z) {
  const avx2::Indices at(index);
  const __m512d w = _mm512_setzero_pd();
  const __m512d t0 = _mm512_unpacklo_pd(static_cast<__m512d>(x), static_cast<__m512d>(y));
  const __m512d t1 = _mm512_unpackhi_pd(static_cast<__m512d>(x), static_cast<__m512d>(y));
  const __m512d t2 = _mm512_unpacklo_pd(static_cast<__m512d>(z), w);
  const __m512d t3 = _mm512_unpackhi_pd(static_cast<__m512d>(z), w);
  const __m512d rows[4] = {avx512::first_pairs(t0, t2), avx512::first_pairs(t1, t3),
                           avx512::last_pairs(t0, t2), avx512::last_pairs(t1, t3)};
  const __m512d sum = _mm512_add_pd(_mm512_add_pd(rows[0], rows[1]), _mm512_add_pd(rows[2], rows[3]));
  double* to = base + 4 * static_cast<std::ptrdiff_t>(i);
  _mm256_store_pd(to, _mm256_add_pd(_mm256_load_pd(to), _mm256_add_pd(_mm512_castpd512_pd256(sum),
                                                                      _mm512_extractf64x4_pd(sum, 1))));
  for (int l = 0; l < 4; ++l) {
    double* low = base + at.quad(l);
    _mm256_store_pd(low, _mm256_sub_pd(_mm256_load_pd(low), _mm512_castpd512_pd256(rows[l])));
    double* high = base + at.quad(l + 4);
    _mm256_store_pd(high, _mm256_sub_pd(_mm256_load_pd(high), _mm512_extractf64x4_pd(rows[l], 1)));
  }
}

}  // namespace wafermark
