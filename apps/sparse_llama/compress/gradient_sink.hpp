// Where a backward pass leaves the gradient: piece by piece, so that nobody has to keep all of it.
#pragma once

#include "common/share.hpp"

namespace wafermark::llama {

/// Pieces are those of ParameterLayout, from the last to the first; with tied embeddings the embedding's is
/// open all the while, since the head comes first and the embedding last.
template <class T>
class GradientSink {
 public:
  virtual ~GradientSink() = default;
  /// Room for dL/dparameters of a piece, to which the pass adds; it stays until close().
  virtual T* open(Share piece) = 0;
  /// All has been added.
  virtual void close(Share piece) = 0;
};

/// All of it in one array, which must be as long as the parameters.
template <class T>
class WholeGradient final : public GradientSink<T> {
 public:
  explicit WholeGradient(T* gradient) : gradient_(gradient) {}
  T* open(Share piece) override { return gradient_ + piece.first; }
  void close(Share) override {}

 private:
  T* gradient_;
};

}  // namespace wafermark::llama
