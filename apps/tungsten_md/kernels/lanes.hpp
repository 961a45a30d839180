// What a kernel may ask of its scalar type. A kernel is a template over T, and T is
//   double, float                         one value: GPUs, reference code
//   Kokkos::Experimental::simd packs      one value per lane: CPUs
//   wse::Counted<float>                   one value that counts its operations: the emulated wafer
// This file gives all of them the same few words: select, truncate, loads of four neighbouring values.
#pragma once

#include <Kokkos_Core.hpp>
#include <Kokkos_SIMD.hpp>
#include <cstdint>
#include <type_traits>

namespace wafermark {

/// Integer and mask types that go with T, and how many values T holds.
template <class T>
struct Lanes {
  using Value = T;
  using Int = int;
  using Mask = bool;
  static constexpr int width = 1;
};

template <class T>
KOKKOS_FORCEINLINE_FUNCTION T select(bool condition, T yes, T no) {
  return condition ? yes : no;
}
/// Largest whole number not above x >= 0.
template <class T>
KOKKOS_FORCEINLINE_FUNCTION int truncate(T x) {
  return static_cast<int>(x);
}
template <class T>
KOKKOS_FORCEINLINE_FUNCTION T sum_of_lanes(T x) {
  return x;
}

template <class T>
struct Roots {
  T root, inverse;
};
/// sqrt(x) and 1 / sqrt(x), by whatever the machine has for it: overloaded where that is not a square root
/// and a division.
template <class T>
KOKKOS_FORCEINLINE_FUNCTION Roots<T> roots(T x) {
  using Kokkos::sqrt;
  const T root = T(sqrt(x));
  return {root, T(typename Lanes<T>::Value(1)) / root};
}
/// The same to a few units in the last place, where that is quicker.
template <class T>
KOKKOS_FORCEINLINE_FUNCTION Roots<T> quick_roots(T x) {
  return roots(x);
}

/// Four consecutive values per lane.
template <class T>
struct Quad {
  T a, b, c, d;
};

/// The quads that begin at base[4 index[lane]], one per lane: loads whole quads and transposes them, which on
/// CPUs is several times faster than gathering each member.
template <class T>
KOKKOS_FORCEINLINE_FUNCTION Quad<T> load_quads(const T* base, int index) {
  const T* q = base + 4 * static_cast<std::ptrdiff_t>(index);
  return {q[0], q[1], q[2], q[3]};
}
/// The same with the lanes' indices in memory.
template <class T>
KOKKOS_FORCEINLINE_FUNCTION Quad<T> load_quads(const T* base, const int* index) {
  return load_quads(base, *index);
}
/// Two quads that lie side by side.
template <class T>
struct QuadPair {
  Quad<T> first, second;
};
/// The two quads that begin at base[8 index[lane]].
template <class T>
KOKKOS_FORCEINLINE_FUNCTION QuadPair<T> load_quad_pairs(const T* base, const int* index) {
  return {load_quads(base, 2 * *index), load_quads(base + 4, 2 * *index)};
}

/// base[index[lane]] += x[lane]. The lanes' indices must differ, except where x is zero.
template <class T>
KOKKOS_FORCEINLINE_FUNCTION void add_at(T* base, const int* index, T x) {
  base[*index] += x;
}
/// What atom i gets from its pack of neighbours, and they from it: the quad at base[4 i] += the lanes' sum of
/// (x, y, z, 0), the quads at base[4 index[lane]] -= (x, y, z, 0). The same condition; none of the indices is
/// i.
template <class T>
KOKKOS_FORCEINLINE_FUNCTION void exchange_quads(T* base, int i, const int* index, T x, T y, T z) {
  T *to = base + 4 * static_cast<std::ptrdiff_t>(i), *from = base + 4 * static_cast<std::ptrdiff_t>(*index);
  to[0] += x;
  to[1] += y;
  to[2] += z;
  from[0] -= x;
  from[1] -= y;
  from[2] -= z;
}

/// One value per lane from consecutive memory.
template <class T>
KOKKOS_FORCEINLINE_FUNCTION T load_values(const T* p) {
  return *p;
}
template <class T>
KOKKOS_FORCEINLINE_FUNCTION void store_values(T* p, T x) {
  *p = x;
}
template <class T>
KOKKOS_FORCEINLINE_FUNCTION int load_indices(const int* p) {
  return *p;
}
template <class T>
KOKKOS_FORCEINLINE_FUNCTION void store_indices(int* p, int index) {
  *p = index;
}
/// Those of `width` consecutive indices that have their bit set in `chosen`, one behind another, at `to`,
/// where there must be room for all. How many they are.
template <class T>
KOKKOS_FORCEINLINE_FUNCTION int store_chosen(int* to, const int* index, unsigned chosen) {
  *to = *index;
  return static_cast<int>(chosen);
}
/// Bit l is set where index[l] > bound of `width` consecutive indices.
template <class T>
KOKKOS_FORCEINLINE_FUNCTION unsigned above(const int* index, int bound) {
  return *index > bound ? 1u : 0u;
}
/// The same for index[l] != value.
template <class T>
KOKKOS_FORCEINLINE_FUNCTION unsigned differs(const int* index, int value) {
  return *index != value ? 1u : 0u;
}
/// index[lane] < bound, as a mask of T.
template <class T>
KOKKOS_FORCEINLINE_FUNCTION bool lane_less(int index, int bound) {
  return index < bound;
}
/// Bit l is set where the mask of lane l is.
KOKKOS_FORCEINLINE_FUNCTION unsigned mask_bits(bool mask) { return mask ? 1u : 0u; }
/// a - b of 32-bit integers whose bits are stored in floats, as floats.
KOKKOS_FORCEINLINE_FUNCTION float fixed_point_difference(float a, float b) {
  return static_cast<float>(Kokkos::bit_cast<std::int32_t>(a) - Kokkos::bit_cast<std::int32_t>(b));
}
/// base[index[lane]]
template <class T>
KOKKOS_FORCEINLINE_FUNCTION int gather_int(const int* base, int index) {
  return base[index];
}

}  // namespace wafermark

#if defined(KOKKOS_ARCH_AVX2) && !defined(__CUDA_ARCH__) && !defined(__HIP_DEVICE_COMPILE__)
#include "tungsten_md/kernels/lanes_avx2.hpp"
#if defined(KOKKOS_ARCH_AVX512XEON)
#include "tungsten_md/kernels/lanes_avx512.hpp"
#endif
#endif

namespace wafermark {

/// The type that CPU kernels are instantiated with for values of type Real; Real itself on GPUs and where we
/// have no fast transposes.
template <class Real, class ExecSpace, class Enable = void>
struct NativeLanes {
  using type = Real;
};
#if defined(WAFERMARK_LANES_AVX2)
template <class Real, class ExecSpace>
struct NativeLanes<Real, ExecSpace,
                   std::enable_if_t<std::is_same_v<typename ExecSpace::memory_space, Kokkos::HostSpace>>> {
#if defined(WAFERMARK_LANES_AVX512)
  using type = std::conditional_t<std::is_same_v<Real, double>, avx512::Double8, avx2::Float8>;
#else
  using type = avx2::Pack<Real>;
#endif
};
#endif
template <class Real, class ExecSpace>
using native_lanes = typename NativeLanes<Real, ExecSpace>::type;

}  // namespace wafermark
