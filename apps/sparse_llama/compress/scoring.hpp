// What a model that is larger than memory knows of texts: sequences are dealt to ranks, and go through it
// block by block.
#pragma once

#include <span>
#include <vector>

#include "common/communicator.hpp"
#include "sparse_llama/model/scored_text.hpp"
#include "sparse_llama/model/weight_source.hpp"

namespace wafermark::llama {

/// In the order of the sequences. One block of the model is in memory at a time; many sequences take several
/// passes through it. Throws InputError where the source is damaged. Collective.
std::vector<SequenceScore> score(const Communicator& comm, const WeightSource& source,
                                 std::span<const ScoredSequence> sequences);

/// Bytes that it takes on a rank, for sequences of at most `length` tokens.
double scoring_bytes(const Configuration& configuration, std::int64_t length);

}  // namespace wafermark::llama
