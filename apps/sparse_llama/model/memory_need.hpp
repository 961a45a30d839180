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

/// A rank's decoder: keys and values of `sequences` of `capacity` tokens, turns of RoPE, buffers of `rows`.
double decoder_bytes(const Configuration& configuration, const Shares& shares, double sequences,
                     double capacity, double rows);

/// What a batch of whole sequences keeps for the backward pass, fp32.
double activation_bytes(const Configuration& configuration, double sequences, double length);

}  // namespace wafermark::llama
