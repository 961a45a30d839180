// Tokens drawn from logits where they lie: on a device, without bringing them to the host.
#pragma once

#include "sparse_llama/cluster/kernel_graph.hpp"
#include "sparse_llama/cluster/lanes.hpp"
#include "sparse_llama/cluster/tile_products.hpp"
#include "sparse_llama/model/forward_pass.hpp"

namespace wafermark::llama {

class TokenChooser {
 public:
  /// For up to `most` tokens of a call of the pass.
  explicit TokenChooser(std::int64_t most);

  /// Notes how the tokens of a call are drawn. Nothing of the call before may be under way.
  void note(std::span<const TokenChoice> choices);
  /// Whether some of them have a temperature: other memory is needed.
  bool weighted() const { return weighted_; }
  /// Draws tokens [first, first + n) from the logits [n][vocabulary], whose first is that of token
  /// `first_token` of the vocabulary. One kernel; what it finds stands in ranked() behind the next fence.
  void draw(KernelChain& kernels, std::int64_t first, std::int64_t n, const Rows& logits,
            std::int64_t first_token, bool hollow);
  /// Of each token as ranked_token() joins it with its logit (greedy choices: those of several parts of a
  /// vocabulary can be compared).
  std::int64_t* ranked() const { return ranked_.data(); }
  std::int64_t room() const { return std::int64_t(ranked_.size()); }

 private:
  Kokkos::View<TokenChoice*, SharedSpace> choices_;
  Kokkos::View<std::int64_t*, SharedSpace> ranked_;
  Kokkos::View<double*, MemSpace> weights_;  ///< of drawn tokens, [token][vocabulary]
  bool weighted_ = false;
};

}  // namespace wafermark::llama
