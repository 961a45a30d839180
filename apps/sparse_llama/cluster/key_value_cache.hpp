// The keys and values of a rank's heads for all layers and sequences.
#pragma once

#include <string>
#include <variant>

#include "sparse_llama/cluster/loops.hpp"
#include "sparse_llama/kernels/cached_head.hpp"
#include "sparse_llama/kernels/storage.hpp"

namespace wafermark::llama {

/// Of one type. `slot`: layer * sequences + sequence.
template <class Cached>
struct CacheArrays {
  using Numbers = Kokkos::View<Cached****, Kokkos::LayoutRight, MemSpace>;
  using Scales = Kokkos::View<float***, Kokkos::LayoutRight, MemSpace>;
  Numbers keys, values;             ///< [slot][kv head][place][head_dim], keys as key_place() says
  Scales key_scales, value_scales;  ///< of integers: [slot][kv head][place]

  CacheArrays() = default;
  CacheArrays(std::int64_t slots, std::int64_t kv_heads, std::int64_t places, std::int64_t head_dim) {
    const auto numbers = [&](const char* name) {
      return Numbers(std::string(name), std::size_t(slots), std::size_t(kv_heads), std::size_t(places),
                     std::size_t(head_dim));
    };
    keys = numbers("keys");
    values = numbers("values");
    if constexpr (is_scaled<Cached>) {
      key_scales = Scales("scales of keys", keys.extent(0), keys.extent(1), keys.extent(2));
      value_scales = Scales("scales of values", keys.extent(0), keys.extent(1), keys.extent(2));
    }
  }

  bool empty() const { return keys.size() == 0; }
  std::int64_t slots() const { return std::int64_t(keys.extent(0)); }
  KOKKOS_INLINE_FUNCTION std::int64_t kv_heads() const { return std::int64_t(keys.extent(1)); }
  KOKKOS_INLINE_FUNCTION std::int64_t head_dim() const { return std::int64_t(keys.extent(3)); }
  KOKKOS_INLINE_FUNCTION CachedHead<Cached> head(std::int64_t slot, std::int64_t kv_head) const {
    CachedHead<Cached> own{&keys(slot, kv_head, 0, 0), &values(slot, kv_head, 0, 0),
                           std::int64_t(keys.extent(2))};
    if constexpr (is_scaled<Cached>) {
      own.key_scales = &key_scales(slot, kv_head, 0);
      own.value_scales = &value_scales(slot, kv_head, 0);
    }
    return own;
  }
};

/// Of the type that a run asks for; functions of its arrays go through std::visit.
using KeyValueCache = std::variant<CacheArrays<float>, CacheArrays<BFloat16>, CacheArrays<std::int8_t>>;

/// `places`: whole blocks of keys. `type`: one that caches hold.
inline KeyValueCache key_value_cache(ValueType type, std::int64_t slots, std::int64_t kv_heads,
                                     std::int64_t places, std::int64_t head_dim) {
  KeyValueCache cache;
  if (type == ValueType::bf16) cache.emplace<CacheArrays<BFloat16>>();
  if (type == ValueType::int8) cache.emplace<CacheArrays<std::int8_t>>();
  std::visit(
      [&]<class Cached>(CacheArrays<Cached>& arrays) {
        arrays = CacheArrays<Cached>(slots, kv_heads, places, head_dim);
      },
      cache);
  return cache;
}

/// Bytes of turning and storing the heads of n rows.
template <class Cached>
double bytes_of_placing(const CacheArrays<Cached>& cache, std::int64_t heads, std::int64_t n) {
  const std::int64_t query = 2 * heads * cache.head_dim() * std::int64_t(sizeof(float)),
                     own = 2 * cache.kv_heads() * cache.head_dim() * std::int64_t(sizeof(float)),
                     stored = cache.kv_heads() * cached_bytes<Cached>(cache.head_dim());
  return double(n * (query + own + stored));
}
/// Bytes of the attention of n rows to so many positions, together.
template <class Cached>
double bytes_of_attending(const CacheArrays<Cached>& cache, std::int64_t heads, std::int64_t n,
                          std::int64_t attended) {
  return double(attended * cache.kv_heads() * cached_bytes<Cached>(cache.head_dim()) +
                n * 2 * heads * cache.head_dim() * std::int64_t(sizeof(float)));
}

}  // namespace wafermark::llama
