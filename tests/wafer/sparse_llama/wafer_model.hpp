// A small random model and how the tests run it on the emulated wafer.
#pragma once

#include <memory>
#include <random>

#include "reference_model.hpp"
#include "sparse_llama/model/tensors.hpp"
#include "sparse_llama/wafer/wafer_decoder.hpp"

namespace wafermark::llama {

inline const wse::Machine& machine() {
  static const wse::Machine m = wse::Machine::read(WAFERMARK_SOURCE_DIR "/inputs/wafers/wse2.toml");
  return m;
}

inline Configuration grouped() {  // more rows than heads or fewer, by the number of tiles
  return {48, 3, 8, 4, 12, 80, 101, 64, 1e-5, 1e4, {}, false};
}
inline Configuration tied() {
  Configuration c{32, 2, 2, 2, 16, 72, 53, 64, 1e-6, 5e5, {}, true};
  c.rope_scaling = {8, 1, 4, 16};
  return c;
}

struct Model {
  DenseWeights dense;
  WeightSource source;
  Model(const Configuration& c, double density) : dense(random_model(c, 7)) {
    std::mt19937 engine(8);
    std::bernoulli_distribution kept(density);
    each_tensor(dense, [&](const std::string& name, auto& tensor) {
      if constexpr (std::is_same_v<std::decay_t<decltype(tensor)>, DenseMatrix>)
        for (float& value : tensor.values)
          if (name.starts_with("model.layers.") && !kept(engine)) value = 0;
    });
    source = checkpoint_source("random", std::make_shared<const DenseWeights>(dense));
  }
};

inline const std::vector<std::int32_t> text{1, 5, 40, 33, 7, 7, 44, 12, 3, 50, 51, 2};

inline std::vector<TokenRow> rows_of(std::int32_t sequence = 0) {
  std::vector<TokenRow> rows;
  for (std::size_t p = 0; p < text.size(); ++p) rows.push_back({text[p], sequence, std::int64_t(p)});
  return rows;
}
inline std::vector<std::int64_t> all(std::size_t n) {
  std::vector<std::int64_t> numbers(n);
  for (std::size_t i = 0; i < n; ++i) numbers[i] = std::int64_t(i);
  return numbers;
}

inline WaferSettings settings_for(Format format, ValueType type, std::int64_t together = 1) {
  WaferSettings s;
  s.format = format;
  s.value_type = type;
  s.density = 0.3;
  s.context = 32;
  s.sequences = 2;
  s.rows_together = together;
  return s;
}

}  // namespace wafermark::llama
