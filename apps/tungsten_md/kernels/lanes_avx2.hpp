// lanes.hpp for AVX2 packs: eight floats or four doubles. Only what Kokkos::simd cannot express is written
// with intrinsics: the transposes. Included by lanes.hpp.
#pragma once

#include <immintrin.h>

#define WAFERMARK_LANES_AVX2

namespace wafermark {
namespace avx2 {

namespace kx = Kokkos::Experimental;
template <int N>
using Abi = kx::simd_abi::avx2_fixed_size<N>;
using Float8 = kx::basic_simd<float, Abi<8>>;
using Int8 = kx::basic_simd<std::int32_t, Abi<8>>;
using Double4 = kx::basic_simd<double, Abi<4>>;
using Int4 = kx::basic_simd<std::int32_t, Abi<4>>;
template <class Real>
using Pack = std::conditional_t<std::is_same_v<Real, float>, Float8, Double4>;

}  // namespace avx2

template <>
struct Lanes<avx2::Float8> {
  using Value = float;
  using Int = avx2::Int8;
  using Mask = avx2::Float8::mask_type;
  static constexpr int width = 8;
};
template <>
struct Lanes<avx2::Double4> {
  using Value = double;
  using Int = avx2::Int4;
  using Mask = avx2::Double4::mask_type;
  static constexpr int width = 4;
};

inline avx2::Float8 select(const Lanes<avx2::Float8>::Mask& m, const avx2::Float8& yes,
                           const avx2::Float8& no) {
  return avx2::Float8(
      _mm256_blendv_ps(static_cast<__m256>(no), static_cast<__m256>(yes), static_cast<__m256>(m)));
}
inline avx2::Double4 select(const Lanes<avx2::Double4>::Mask& m, const avx2::Double4& yes,
                            const avx2::Double4& no) {
  return avx2::Double4(
      _mm256_blendv_pd(static_cast<__m256d>(no), static_cast<__m256d>(yes), static_cast<__m256d>(m)));
}
inline avx2::Int8 truncate(const avx2::Float8& x) {
  return avx2::Int8(_mm256_cvttps_epi32(static_cast<__m256>(x)));
}
inline avx2::Int4 truncate(const avx2::Double4& x) {
  return avx2::Int4(_mm256_cvttpd_epi32(static_cast<__m256d>(x)));
}
inline float sum_of_lanes(const avx2::Float8& x) {
  const __m256 v = static_cast<__m256>(x);
  __m128 s = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  s = _mm_add_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}
inline double sum_of_lanes(const avx2::Double4& x) {
  const __m256d v = static_cast<__m256d>(x);
  const __m128d s = _mm_add_pd(_mm256_castpd256_pd128(v), _mm256_extractf128_pd(v, 1));
  return _mm_cvtsd_f64(_mm_add_sd(s, _mm_unpackhi_pd(s, s)));
}

template <class T>
requires std::is_same_v<T, avx2::Double4>
inline avx2::Double4 load_values(const double* p) { return avx2::Double4(_mm256_loadu_pd(p)); }
inline void store_values(float* p, const avx2::Float8& x) { _mm256_storeu_ps(p, static_cast<__m256>(x)); }
inline void store_values(double* p, const avx2::Double4& x) { _mm256_storeu_pd(p, static_cast<__m256d>(x)); }
template <class T>
requires std::is_same_v<T, avx2::Float8>
inline avx2::Float8 load_values(const float* p) { return avx2::Float8(_mm256_loadu_ps(p)); }
inline unsigned mask_bits(const Lanes<avx2::Float8>::Mask& m) {
  return static_cast<unsigned>(_mm256_movemask_ps(static_cast<__m256>(m)));
}
inline unsigned mask_bits(const avx2::Int8::mask_type& m) {
  return static_cast<unsigned>(_mm256_movemask_ps(_mm256_castsi256_ps(static_cast<__m256i>(m))));
}
inline avx2::Float8 fixed_point_difference(const avx2::Float8& a, const avx2::Float8& b) {
  return avx2::Float8(_mm256_cvtepi32_ps(_mm256_sub_epi32(_mm256_castps_si256(static_cast<__m256>(a)),
                                                          _mm256_castps_si256(static_cast<__m256>(b)))));
}

template <class T>
requires std::is_same_v<T, avx2::Float8>
inline avx2::Int8 load_indices(const int* p) {
  return avx2::Int8(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
template <class T>
requires std::is_same_v<T, avx2::Double4>
inline avx2::Int4 load_indices(const int* p) {
  return avx2::Int4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
template <class T>
requires std::is_same_v<T, avx2::Float8>
inline void store_indices(int* p, const avx2::Int8& index) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), static_cast<__m256i>(index));
}
template <class T>
requires std::is_same_v<T, avx2::Double4>
inline void store_indices(int* p, const avx2::Int4& index) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), static_cast<__m128i>(index));
}
template <class T>
requires std::is_same_v<T, avx2::Float8>
inline int store_chosen(int* to, const int* index, unsigned chosen) {
#if defined(__BMI2__)
  // A byte for each lane: the numbers of the chosen lanes, moved together.
  const std::uint64_t bytes = _pdep_u64(chosen, 0x0101010101010101ull) * 0xFFull;
  const auto lanes = static_cast<long long>(_pext_u64(0x0706050403020100ull, bytes));
  const __m256i order = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128(lanes));
  const __m256i from = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(index));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm256_permutevar8x32_epi32(from, order));
  return __builtin_popcount(chosen);
#else
  int n = 0;
  for (; chosen != 0u; chosen &= chosen - 1u) to[n++] = index[__builtin_ctz(chosen)];
  return n;
#endif
}
template <class T>
requires std::is_same_v<T, avx2::Float8>
inline unsigned above(const int* index, int bound) {
  const __m256i from = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(index));
  return static_cast<unsigned>(
      _mm256_movemask_ps(_mm256_castsi256_ps(_mm256_cmpgt_epi32(from, _mm256_set1_epi32(bound)))));
}
template <class T>
requires std::is_same_v<T, avx2::Float8>
inline unsigned differs(const int* index, int value) {
  const __m256i from = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(index));
  return 0xFFu & ~static_cast<unsigned>(_mm256_movemask_ps(
                     _mm256_castsi256_ps(_mm256_cmpeq_epi32(from, _mm256_set1_epi32(value)))));
}
template <class T>
inline Lanes<avx2::Float8>::Mask lane_less(const avx2::Int8& index, int bound) {
  return Lanes<avx2::Float8>::Mask(
      _mm256_castsi256_ps(_mm256_cmpgt_epi32(_mm256_set1_epi32(bound), static_cast<__m256i>(index))));
}
template <class T>
inline Lanes<avx2::Double4>::Mask lane_less(const avx2::Int4& index, int bound) {
  return Lanes<avx2::Double4>::Mask(_mm256_castsi256_pd(
      _mm256_cvtepi32_epi64(_mm_cmpgt_epi32(_mm_set1_epi32(bound), static_cast<__m128i>(index)))));
}

template <class T>
inline avx2::Int8 gather_int(const int* base, const avx2::Int8& index) {
  return avx2::Int8(_mm256_i32gather_epi32(base, static_cast<__m256i>(index), 4));
}
template <class T>
inline avx2::Int4 gather_int(const int* base, const avx2::Int4& index) {
  return avx2::Int4(_mm_i32gather_epi32(base, static_cast<__m128i>(index), 4));
}

namespace avx2 {

/// Indices in memory, read one by one: plain loads cost less than extracting lanes, which is what the
/// compiler makes of it without the volatile.
struct Indices {
  const volatile std::uint32_t* i;
  explicit Indices(const int* p) : i(reinterpret_cast<const std::uint32_t*>(p)) {}
  std::size_t operator[](int lane) const { return i[lane]; }
  std::size_t quad(int lane) const { return 4 * static_cast<std::size_t>(i[lane]); }
};

/// Two quads side by side in one register.
inline __m256 two_rows(const float* base, std::size_t low, std::size_t high) {
  return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_load_ps(base + low)), _mm_load_ps(base + high), 1);
}

}  // namespace avx2

/// The quads must be aligned to their size (16 bytes for float, 32 for double).
template <class T>
requires std::is_same_v<T, avx2::Float8>
inline Quad<avx2::Float8> load_quads(const float* base, const int* index) {
  const avx2::Indices at(index);
  const __m256 r0 = avx2::two_rows(base, at.quad(0), at.quad(4));
  const __m256 r1 = avx2::two_rows(base, at.quad(1), at.quad(5));
  const __m256 r2 = avx2::two_rows(base, at.quad(2), at.quad(6));
  const __m256 r3 = avx2::two_rows(base, at.quad(3), at.quad(7));
  const __m256 t0 = _mm256_unpacklo_ps(r0, r1), t1 = _mm256_unpackhi_ps(r0, r1);
  const __m256 t2 = _mm256_unpacklo_ps(r2, r3), t3 = _mm256_unpackhi_ps(r2, r3);
  return {avx2::Float8(_mm256_shuffle_ps(t0, t2, 0x44)), avx2::Float8(_mm256_shuffle_ps(t0, t2, 0xEE)),
          avx2::Float8(_mm256_shuffle_ps(t1, t3, 0x44)), avx2::Float8(_mm256_shuffle_ps(t1, t3, 0xEE))};
}

template <class T>
requires std::is_same_v<T, avx2::Double4>
inline Quad<avx2::Double4> load_quads(const double* base, const int* index) {
  const avx2::Indices at(index);
  const __m256d r0 = _mm256_load_pd(base + at.quad(0));
  const __m256d r1 = _mm256_load_pd(base + at.quad(1));
  const __m256d r2 = _mm256_load_pd(base + at.quad(2));
  const __m256d r3 = _mm256_load_pd(base + at.quad(3));
  const __m256d t0 = _mm256_unpacklo_pd(r0, r1), t1 = _mm256_unpackhi_pd(r0, r1);
  const __m256d t2 = _mm256_unpacklo_pd(r2, r3), t3 = _mm256_unpackhi_pd(r2, r3);
  return {avx2::Double4(_mm256_permute2f128_pd(t0, t2, 0x20)),
          avx2::Double4(_mm256_permute2f128_pd(t1, t3, 0x20)),
          avx2::Double4(_mm256_permute2f128_pd(t0, t2, 0x31)),
          avx2::Double4(_mm256_permute2f128_pd(t1, t3, 0x31))};
}

inline Quad<avx2::Float8> load_quads(const float* base, const avx2::Int8& index) {
  alignas(32) int at[8];
  _mm256_store_si256(reinterpret_cast<__m256i*>(at), static_cast<__m256i>(index));
  return load_quads<avx2::Float8>(base, at);
}
inline Quad<avx2::Double4> load_quads(const double* base, const avx2::Int4& index) {
  alignas(16) int at[4];
  _mm_store_si128(reinterpret_cast<__m128i*>(at), static_cast<__m128i>(index));
  return load_quads<avx2::Double4>(base, at);
}
template <class T>
requires std::is_same_v<T, avx2::Float8>
inline QuadPair<avx2::Float8> load_quad_pairs(const float* base, const int* index) {
  // A pair of quads is a register.
  const avx2::Indices at(index);
  const auto pair = [&](int l) { return _mm256_load_ps(base + 2 * at.quad(l)); };
  const __m256 p0 = pair(0), p1 = pair(1), p2 = pair(2), p3 = pair(3);
  const __m256 p4 = pair(4), p5 = pair(5), p6 = pair(6), p7 = pair(7);
  const auto transposed = [](__m256 r0, __m256 r1, __m256 r2, __m256 r3) -> Quad<avx2::Float8> {
    const __m256 t0 = _mm256_unpacklo_ps(r0, r1), t1 = _mm256_unpackhi_ps(r0, r1);
    const __m256 t2 = _mm256_unpacklo_ps(r2, r3), t3 = _mm256_unpackhi_ps(r2, r3);
    return {avx2::Float8(_mm256_shuffle_ps(t0, t2, 0x44)), avx2::Float8(_mm256_shuffle_ps(t0, t2, 0xEE)),
            avx2::Float8(_mm256_shuffle_ps(t1, t3, 0x44)), avx2::Float8(_mm256_shuffle_ps(t1, t3, 0xEE))};
  };
  const auto low = [](__m256 a, __m256 b) { return _mm256_insertf128_ps(a, _mm256_castps256_ps128(b), 1); };
  const auto high = [](__m256 a, __m256 b) { return _mm256_permute2f128_ps(a, b, 0x31); };
  return {transposed(low(p0, p4), low(p1, p5), low(p2, p6), low(p3, p7)),
          transposed(high(p0, p4), high(p1, p5), high(p2, p6), high(p3, p7))};
}
template <class T>
requires std::is_same_v<T, avx2::Double4>
inline QuadPair<avx2::Double4> load_quad_pairs(const double* base, const int* index) {
  alignas(16) int at[4];
  for (int l = 0; l < 4; ++l) at[l] = 2 * index[l];
  return {load_quads<T>(base, at), load_quads<T>(base + 4, at)};
}

inline void add_at(float* base, const int* index, const avx2::Float8& x) {
  const avx2::Indices at(index);
  alignas(32) float v[8];
  _mm256_store_ps(v, static_cast<__m256>(x));
  for (int l = 0; l < 8; ++l) base[at[l]] += v[l];
}
inline void add_at(double* base, const int* index, const avx2::Double4& x) {
  const avx2::Indices at(index);
  alignas(32) double v[4];
  _mm256_store_pd(v, static_cast<__m256d>(x));
  for (int l = 0; l < 4; ++l) base[at[l]] += v[l];
}

inline void exchange_quads(float* base, int i, const int* index, const avx2::Float8& x, const avx2::Float8& y,
                           const avx2::Float8& z) {
  const avx2::Indices at(index);
  const __m256 w = _mm256_setzero_ps();
  const __m256 t0 = _mm256_unpacklo_ps(static_cast<__m256>(x), static_cast<__m256>(y));
  const __m256 t1 = _mm256_unpackhi_ps(static_cast<__m256>(x), static_cast<__m256>(y));
  const __m256 t2 = _mm256_unpacklo_ps(static_cast<__m256>(z), w);
  const __m256 t3 = _mm256_unpackhi_ps(static_cast<__m256>(z), w);
  const __m256 rows[4] = {_mm256_shuffle_ps(t0, t2, 0x44), _mm256_shuffle_ps(t0, t2, 0xEE),
                          _mm256_shuffle_ps(t1, t3, 0x44), _mm256_shuffle_ps(t1, t3, 0xEE)};
  const __m256 sum = _mm256_add_ps(_mm256_add_ps(rows[0], rows[1]), _mm256_add_ps(rows[2], rows[3]));
  float* to = base + 4 * static_cast<std::ptrdiff_t>(i);
  _mm_store_ps(to, _mm_add_ps(_mm_load_ps(to),
                              _mm_add_ps(_mm256_castps256_ps128(sum), _mm256_extractf128_ps(sum, 1))));
  for (int l = 0; l < 4; ++l) {
    float* low = base + at.quad(l);
    _mm_store_ps(low, _mm_sub_ps(_mm_load_ps(low), _mm256_castps256_ps128(rows[l])));
    float* high = base + at.quad(l + 4);
    _mm_store_ps(high, _mm_sub_ps(_mm_load_ps(high), _mm256_extractf128_ps(rows[l], 1)));
  }
}
inline void exchange_quads(double* base, int i, const int* index, const avx2::Double4& x,
                           const avx2::Double4& y, const avx2::Double4& z) {
  const avx2::Indices at(index);
  const __m256d w = _mm256_setzero_pd();
  const __m256d t0 = _mm256_unpacklo_pd(static_cast<__m256d>(x), static_cast<__m256d>(y));
  const __m256d t1 = _mm256_unpackhi_pd(static_cast<__m256d>(x), static_cast<__m256d>(y));
  const __m256d t2 = _mm256_unpacklo_pd(static_cast<__m256d>(z), w);
  const __m256d t3 = _mm256_unpackhi_pd(static_cast<__m256d>(z), w);
  const __m256d rows[4] = {_mm256_permute2f128_pd(t0, t2, 0x20), _mm256_permute2f128_pd(t1, t3, 0x20),
                           _mm256_permute2f128_pd(t0, t2, 0x31), _mm256_permute2f128_pd(t1, t3, 0x31)};
  double* to = base + 4 * static_cast<std::ptrdiff_t>(i);
  _mm256_store_pd(to, _mm256_add_pd(_mm256_load_pd(to), _mm256_add_pd(_mm256_add_pd(rows[0], rows[1]),
                                                                      _mm256_add_pd(rows[2], rows[3]))));
  for (int l = 0; l < 4; ++l) {
    double* q = base + at.quad(l);
    _mm256_store_pd(q, _mm256_sub_pd(_mm256_load_pd(q), rows[l]));
  }
}

}  // namespace wafermark
