// The gradient over the sequences of all ranks, of which each rank keeps what it owns: while the backward
// pass goes on, one piece (and the embedding, where it is the head as well) is in memory as a whole
// (Rajbhandari et al. 2020, "ZeRO", stage 2).
#pragma once

#include <map>
#include <vector>

#include "common/communicator.hpp"
#include "sparse_llama/compress/gradient_sink.hpp"
#include "sparse_llama/compress/parameters.hpp"

namespace wafermark::llama {

class SharedGradient final : public GradientSink<float> {
 public:
  SharedGradient(const Communicator& comm, const OwnedParameters& owned);

  /// All zero again, before a pass.
  void clear();
  float* open(Share piece) override;
  void close(Share piece) override;  ///< collective

  /// Of the owned parameters; complete behind a pass.
  std::vector<float>& own() { return own_; }

  /// Bytes that it takes on a rank at most.
  static double bytes(const ParameterLayout& layout, int ranks);

 private:
  const Communicator& comm_;
  const OwnedParameters& owned_;
  std::vector<float> own_;
  std::map<std::int64_t, std::vector<float>> open_;  ///< by where the piece begins
  std::vector<float> spare_;                         ///< room of the piece that was closed last
};

}  // namespace wafermark::llama
