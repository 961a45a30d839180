#include "sparse_llama/compress/parameters.hpp"

#include <Random123/philox.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numbers>
#include <type_traits>

#include "sparse_llama/model/tensors.hpp"

namespace wafermark::llama {

namespace {

/// The numbers of a matrix or a norm.
template <class Tensor>
auto& values_of(Tensor& tensor) {
  if constexpr (std::is_same_v<std::remove_const_t<Tensor>, DenseMatrix>)
    return tensor.values;
  else
    return tensor;
}

}  // namespace

ParameterLayout::ParameterLayout(const Configuration& c) {
  const DenseWeights shapes = weights_without_values(c);
  each_tensor(shapes, [&](const std::string& name, const auto& tensor) {
    ParameterBlock block{name, size, 1, c.dim, false};
    if constexpr (std::is_same_v<std::decay_t<decltype(tensor)>, DenseMatrix>) {
      block.rows = tensor.rows;
      block.columns = tensor.columns;
      block.in_layer = name.starts_with("model.layers.");
    }
    size = block.end();
    blocks.push_back(std::move(block));
  });
  const auto at = [&](std::int64_t block) { return blocks[std::size_t(block)].offset; };
  embedding = at(0);
  std::int64_t next = 1;
  for (std::int64_t l = 0; l < c.layers; ++l, next += 9)  // LayerOffsets names the nine in storage order
    layers.push_back({at(next), at(next + 1), at(next + 2), at(next + 3), at(next + 4), at(next + 5),
                      at(next + 6), at(next + 7), at(next + 8)});
  final_norm = at(next);
  head = c.tied_embeddings ? embedding : at(next + 1);
}

std::int64_t ParameterLayout::offset(Matrix matrix, std::int64_t layer) const {
  if (matrix == Matrix::embedding) return embedding;
  if (matrix == Matrix::head) return head;
  const LayerOffsets& l = layers[std::size_t(layer)];
  const std::int64_t offsets[] = {l.query, l.key, l.value, l.attention_output, l.gate, l.up, l.down};
  return offsets[int(matrix) - int(Matrix::query)];
}

std::int64_t ParameterLayout::offset(Vector vector, std::int64_t layer) const {
  if (vector == Vector::final_norm) return final_norm;
  const LayerOffsets& l = layers[std::size_t(layer)];
  return vector == Vector::attention_norm ? l.attention_norm : l.feed_forward_norm;
}

Share ParameterLayout::block_piece(std::int64_t layer) const {
  const auto l = std::size_t(layer);
  const std::int64_t first = layers[l].attention_norm,
                     end = l + 1 < layers.size() ? layers[l + 1].attention_norm : final_norm;
  return {first, end - first};
}

std::vector<Share> ParameterLayout::pieces() const {
  std::vector<Share> all{embedding_piece()};
  for (std::size_t l = 0; l < layers.size(); ++l) all.push_back(block_piece(std::int64_t(l)));
  all.push_back(last_piece());
  return all;
}

OwnedParameters::OwnedParameters(const ParameterLayout& layout, int rank, int ranks) {
  std::int64_t at = 0;
  for (const Share all : layout.pieces()) {
    Share own = share_of(all.count, rank, ranks);
    own.first += all.first;
    pieces_.push_back({all, own, at});
    at += own.count;
  }
}

const OwnedParameters::Piece& OwnedParameters::piece_at(std::int64_t first) const {
  return *std::lower_bound(pieces_.begin(), pieces_.end(), first,
                           [](const Piece& piece, std::int64_t at) { return piece.all.first < at; });
}

std::vector<float> flatten(DenseWeights weights) {
  std::vector<float> flat;
  flat.reserve(std::size_t(ParameterLayout(weights.configuration).size));
  each_tensor(weights, [&](const std::string&, auto& tensor) {
    std::vector<float>& values = values_of(tensor);
    flat.insert(flat.end(), values.begin(), values.end());
    values = {};  // so that a moved-in model is held once, not twice
  });
  return flat;
}

DenseWeights unflatten(const Configuration& c, const std::vector<float>& parameters) {
  DenseWeights w = weights_without_values(c);
  const ParameterLayout layout(c);
  auto block = layout.blocks.begin();
  each_tensor(w, [&](const std::string&, auto& tensor) {
    values_of(tensor).assign(parameters.begin() + block->offset, parameters.begin() + block->end());
    ++block;
  });
  return w;
}

WeightSource parameter_source(const Configuration& c, const std::vector<float>& parameters) {
  WeightSource source;
  source.name = "parameters";
  source.configuration = c;
  const auto layout = std::make_shared<const ParameterLayout>(c);
  const float* values = parameters.data();
  source.row = [=, columns_of = [c](Matrix m) { return shape_of(c, m).columns; }](
                   Matrix matrix, std::int64_t layer, std::int64_t row, std::int64_t first,
                   std::int64_t count, float* out) {
    std::copy_n(values + layout->offset(matrix, layer) + row * columns_of(matrix) + first, count, out);
  };
  source.vector = [=](Vector vector, std::int64_t layer) {
    const float* begin = values + layout->offset(vector, layer);
    return std::vector<float>(begin, begin + c.dim);
  };
  return source;
}

std::vector<float> initial_parameters(const Configuration& c, std::uint64_t seed) {
  const ParameterLayout layout(c);
  std::vector<float> values(std::size_t(layout.size), 1.0f);
  r123::Philox4x32 philox;
  const r123::Philox4x32::key_type key{{std::uint32_t(seed), std::uint32_t(seed >> 32)}};
  for (const ParameterBlock& block : layout.blocks) {
    if (!block.is_matrix()) continue;
    const bool to_residual =
        block.name.find("o_proj") != std::string::npos || block.name.find("down_proj") != std::string::npos;
    const double deviation = 0.02 / (to_residual ? std::sqrt(2.0 * double(c.layers)) : 1.0);
    for (std::int64_t i = block.offset; i < block.end(); ++i) {  // Box and Muller
      const auto bits = philox({{std::uint32_t(i), std::uint32_t(i >> 32), 0x1417u, 0}}, key);
      const double u = (double(bits[0]) + 0.5) * 0x1p-32,
                   angle = 2 * std::numbers::pi * double(bits[1]) * 0x1p-32;
      values[std::size_t(i)] = float(deviation * std::sqrt(-2 * std::log(u)) * std::cos(angle));
    }
  }
  return values;
}

std::vector<std::uint8_t> mask_of(const ParameterLayout& layout, const OwnedParameters& owned,
                                  const std::vector<float>& parameters) {
  std::vector<std::uint8_t> mask(std::size_t(owned.count()), 1);
  each_owned_part(layout, owned, [&](const ParameterBlock& block, Share part, std::int64_t at) {
    if (!block.in_layer) return;
    for (std::int64_t i = 0; i < part.count; ++i)
      mask[std::size_t(at + i)] = parameters[std::size_t(part.first + i)] != 0.0f;
  });
  return mask;
}

}  // namespace wafermark::llama
