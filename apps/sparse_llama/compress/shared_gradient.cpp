#include "sparse_llama/compress/shared_gradient.hpp"

#include <algorithm>

#include "common/rank_ring.hpp"

namespace wafermark::llama {

SharedGradient::SharedGradient(const Communicator& comm, const OwnedParameters& owned)
    : comm_(comm), owned_(owned), own_(std::size_t(owned.count())) {}

void SharedGradient::clear() { std::fill(own_.begin(), own_.end(), 0.0f); }

float* SharedGradient::open(Share piece) {
  if (comm_.size() == 1) return own_.data() + owned_.piece_at(piece.first).at;
  std::vector<float>& room = open_[piece.first];
  room = std::move(spare_);
  room.assign(std::size_t(piece.count), 0.0f);
  return room.data();
}

void SharedGradient::close(Share piece) {
  if (comm_.size() == 1) return;
  const auto room = open_.find(piece.first);
  const OwnedParameters::Piece& p = owned_.piece_at(piece.first);
  sum_to_shares(comm_, room->second.data(), piece.count);
  std::copy_n(room->second.begin() + (p.own.first - piece.first), p.own.count, own_.begin() + p.at);
  spare_ = std::move(room->second);
  open_.erase(room);
}

double SharedGradient::bytes(const ParameterLayout& layout, int ranks) {
  const double own = double(OwnedParameters(layout, ranks - 1, ranks).count());
  if (ranks == 1) return sizeof(float) * own;
  std::int64_t largest = 0;
  for (const Share piece : layout.pieces()) largest = std::max(largest, piece.count);
  // Two pieces at most are open; what comes from a neighbour is a share of one.
  return sizeof(float) * (own + double(largest) * (1 + 1.0 / ranks) + double(layout.embedding_piece().count));
}

}  // namespace wafermark::llama
