// Cycles of a layer and of the head on a region whose tiles all hold their mean share and begin together: the
// tile programs of the decoder (layer_program.hpp, ends_program.hpp), priced before they run. The search for
// a placement goes by them, and `info` prints them. The run itself goes by every tile's own weights and
// clock.
#pragma once

#include "sparse_llama/wafer/placement.hpp"

namespace wafermark::llama {

/// Cycles of the parts of a layer, `rows` tokens at once whose sequences hold `seen` tokens.
struct LayerPrediction {
  double multiply = 0;   ///< columns of the four matrices, on a mean tile
  double attention = 0;  ///< scores, softmax and values, rotation
  double reduce = 0;     ///< sums over lines, of matrices and attention
  double broadcast = 0;
  double other = 0;  ///< norms, SwiGLU, residual

  double sum() const { return multiply + attention + reduce + broadcast + other; }
};

LayerPrediction predict_layer(const Configuration& model, const ProgramCost& cost,
                              const WaferSettings& settings, int width, int height, std::int64_t seen);

/// Cycles of the output head on `height` rows of tiles.
double predict_head(const Configuration& model, const ProgramCost& cost, const WaferSettings& settings,
                    int width, int height);

}  // namespace wafermark::llama
