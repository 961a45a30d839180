// Bytes that a model takes in its several forms, from its sizes alone: what commands compare with the memory
// that is left, before anything is built. Counts are doubles, since sizes that fit nowhere have to be
// counted.
#pragma once

#include "sparse_llama/model/configuration.hpp"
#include "sparse_llama/model/packed_matrix.hpp"
#include "sparse_llama/model/shares.hpp"

namespace wafermark::llama {

/// All weights of a model, or those of its blocks' matrices alone.
double weight_count(const Configuration& configuration);
double layer_weight_count(const Configuration& configuration);

/// Packed, over all ranks; embedding and head are dense.
double packed_bytes(const Configuration& configuration, Format format, ValueType type, double density);

/// Bytes of the key and the value of one head at one position; `cache`: a type that caches hold.
std::int64_t cached_bytes(ValueType cache, std::int64_t head_dim);
/// Positions that a cache has room for, in whole blocks of keys, where a sequence has at most `capacity` and
/// a pass at most `rows` of it: all, or in windowed models what the rows of a pass can see.
double cached_positions(const Configuration& configuration, double capacity, double rows);

/// A rank's decoder: keys and values of `sequences` of `capacity` tokens as `cache`, turns of RoPE, buffers
/// of `rows`, the most of a pass.
double decoder_bytes(const Configuration& configuration, const Shares& shares, ValueType cache,
                     double sequences, double capacity, double rows);

/// What a batch of whole sequences keeps for the backward pass, fp32.
double activation_bytes(const Configuration& configuration, double sequences, double length);

}  // namespace wafermark::llama
