// Keys and values of a head as a cache holds them, in fp32, bf16 or int8 with a scale for each position.
#pragma once

#include "sparse_llama/kernels/quantise.hpp"

namespace wafermark::llama {

/// Bytes of the key and the value of one head at one position.
template <class Cached>
constexpr std::int64_t cached_bytes(std::int64_t head_dim) {
  const std::int64_t scale = is_scaled<Cached> ? std::int64_t(sizeof(float)) : 0;
  return 2 * (head_dim * std::int64_t(sizeof(Cached)) + scale);
}

/// Positions whose keys stand side by side in a cache.
inline constexpr int key_block = 16;

/// Where dimension i of the key at a place is in a cache: keys [place / key_block][head_dim][place %
/// key_block].
KOKKOS_INLINE_FUNCTION std::int64_t key_place(std::int64_t place, std::int64_t i, std::int64_t head_dim) {
  return (place / key_block * head_dim + i) * key_block + place % key_block;
}

/// Keys as key_place() says, values [place][head_dim]; integers times the scale of their place.
template <class Cached>
struct CachedHead {
  Cached *keys, *values;
  std::int64_t places;                                   ///< whole blocks of keys
  float *key_scales = nullptr, *value_scales = nullptr;  ///< of integers: [place]

  /// Of a position. What is behind the last place goes over what came first, which no one may attend to
  /// again.
  KOKKOS_INLINE_FUNCTION std::int64_t place(std::int64_t position) const {
    return position < places ? position : position % places;  // devices divide slowly
  }
  /// Of the block behind the one that begins at a place.
  KOKKOS_INLINE_FUNCTION std::int64_t next_block(std::int64_t block) const {
    return block + key_block < places ? block + key_block : 0;
  }
};

/// The size that the largest integer of a key or a value has.
inline constexpr float largest_cached = 127;

/// What a cache holds for x, whose scale has this inverse where there is one.
template <class Cached>
KOKKOS_INLINE_FUNCTION Cached cached_number(float x, [[maybe_unused]] float inverse_scale) {
  if constexpr (is_scaled<Cached>)
    return quantised<Cached>(x, inverse_scale, largest_cached);
  else
    return Cached(x);
}

/// The scale of a key or a value; 1 where the type has none.
template <class Cached>
KOKKOS_INLINE_FUNCTION float cached_scale([[maybe_unused]] const float* x,
                                          [[maybe_unused]] std::int64_t head_dim) {
  if constexpr (is_scaled<Cached>)
    return group_scale(x, head_dim, largest_cached);
  else
    return 1;
}

template <class Cached>
KOKKOS_INLINE_FUNCTION void store_key(const float* key, std::int64_t position, std::int64_t head_dim,
                                      const CachedHead<Cached>& head) {
  const std::int64_t place = head.place(position);
  const float scale = cached_scale<Cached>(key, head_dim), inverse = inverse_or_zero(scale);
  if constexpr (is_scaled<Cached>) head.key_scales[place] = scale;
  for (std::int64_t i = 0; i < head_dim; ++i)
    head.keys[key_place(place, i, head_dim)] = cached_number<Cached>(key[i], inverse);
}

template <class Cached>
KOKKOS_INLINE_FUNCTION void store_value(const float* value, std::int64_t position, std::int64_t head_dim,
                                        const CachedHead<Cached>& head) {
  const std::int64_t place = head.place(position);
  const float scale = cached_scale<Cached>(value, head_dim), inverse = inverse_or_zero(scale);
  if constexpr (is_scaled<Cached>) head.value_scales[place] = scale;
  Cached* const to = head.values + place * head_dim;
  for (std::int64_t i = 0; i < head_dim; ++i) to[i] = cached_number<Cached>(value[i], inverse);
}

}  // namespace wafermark::llama
