#include "sparse_llama/cluster/rank_weights.hpp"

#include <fmt/format.h>

#include "common/errors.hpp"
#include "sparse_llama/cluster/packed_rows.hpp"

namespace wafermark::llama {
namespace {

/// Some rows of a matrix, columns `columns` of them.
struct Part {
  Matrix matrix;
  Share rows, columns;
};

/// The parts one below the other as one matrix.
PackedMatrix pack_parts(const WeightSource& source, std::int64_t layer, const std::vector<Part>& parts,
                        Format format, ValueType type, KernelForm form) {
  std::int64_t rows = 0;
  for (const Part& part : parts) rows += part.rows.count;
  if (source.hollow) {
    const bool end = parts.front().matrix == Matrix::embedding || parts.front().matrix == Matrix::head;
    return hollow_matrix(rows, parts.front().columns.count, format, type, end ? 1.0 : *source.hollow,
                         best_slice(format, type, form));
  }
  const std::string name = fmt::format("{}: layer {}, {}", source.name, layer, name_of(parts.front().matrix));
  for (const Part& part : parts) source.open(part.matrix, layer);
  PackedMatrix packed = pack(
      rows, parts.front().columns.count, format, type,
      [&](std::int64_t row, float* out) {
        for (const Part& part : parts) {
          if (row < part.rows.count)
            return source.row(part.matrix, layer, part.rows.first + row, part.columns.first,
                              part.columns.count, out);
          row -= part.rows.count;
        }
      },
      name, best_slice(format, type, form));
  for (const Part& part : parts) source.close(part.matrix, layer);
  return packed;
}

/// The transpose of a part.
PackedMatrix pack_by_inputs(const WeightSource& source, std::int64_t layer, const Part& part, Format format,
                            ValueType type) {
  const std::int64_t rows = part.rows.count, columns = part.columns.count;
  std::vector<float> whole(std::size_t(rows * columns));
  source.open(part.matrix, layer);
  Kokkos::parallel_for("rows to transpose", Kokkos::RangePolicy<Kokkos::DefaultHostExecutionSpace>(0, rows),
                       [&](std::int64_t r) {
                         source.row(part.matrix, layer, part.rows.first + r, part.columns.first, columns,
                                    whole.data() + r * columns);
                       });
  return pack(
      columns, rows, format, type,
      [&](std::int64_t column, float* out) {
        for (std::int64_t r = 0; r < rows; ++r) out[r] = whole[std::size_t(r * columns + column)];
      },
      fmt::format("{}: layer {}, {} by inputs", source.name, layer, name_of(part.matrix)), 1);
}

Kokkos::View<float*, MemSpace> on_device(const std::vector<float>& values) {
  const Kokkos::View<const float*, Kokkos::HostSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>> host(
      values.data(), values.size());
  Kokkos::View<float*, MemSpace> device("vector", values.size());
  Kokkos::deep_copy(device, host);
  return device;
}

/// This rank's rows of the three biases.
Kokkos::View<float*, MemSpace> biases_of(const WeightSource& source, std::int64_t layer, const Share& query,
                                         const Share& kv) {
  std::vector<float> all;
  const auto append = [&](Vector vector, const Share& rows) {
    const std::vector<float> values = source.vector(vector, layer);
    all.insert(all.end(), values.begin() + rows.first, values.begin() + rows.first + rows.count);
  };
  append(Vector::query_bias, query);
  append(Vector::key_bias, kv);
  append(Vector::value_bias, kv);
  return on_device(all);
}

void expect_packable(const Communicator& comm, const WeightSource& source, Format format, ValueType type,
                     const std::optional<float>& activation_threshold) {
  const Configuration& c = source.configuration;
  expect_holds(format, type, "--value");
  if (activation_threshold && !row_of(format).by_inputs) {
    std::string able;
    for (const FormatRow& row : format_rows)
      if (row.by_inputs) able += (able.empty() ? "" : " or ") + std::string(row.name);
    throw InputError(
        fmt::format("weights by inputs, for an activation threshold: found format {}, expected {}",
                    name_of(format), able));
  }
  expect_ranks_fit(c, comm.size(), source.name);
}

RankWeights pack_part(const Shares& shares, const WeightSource& source, Format format, ValueType type,
                      const std::optional<float>& activation_threshold, KernelForm form) {
  const Configuration& c = source.configuration;
  const auto scaled = [&](const Share& share, std::int64_t by) {
    return Share{share.first * by, share.count * by};
  };
  const Share dim{0, c.dim}, query = scaled(shares.heads, c.head_dim),
                             kv = scaled(shares.kv_heads, c.head_dim);
  RankWeights w{source.name, c, shares, {}, on_device(source.vector(Vector::final_norm, 0)), {}, {}};
  for (std::int64_t l = 0; l < c.layers; ++l) {
    const auto packed = [&](const std::vector<Part>& parts) {
      return pack_parts(source, l, parts, format, type, form);
    };
    w.layers.push_back(
        {on_device(source.vector(Vector::attention_norm, l)),
         on_device(source.vector(Vector::feed_forward_norm, l)),
         packed({{Matrix::query, query, dim}, {Matrix::key, kv, dim}, {Matrix::value, kv, dim}}),
         packed({{Matrix::attention_output, dim, query}}),
         packed({{Matrix::gate, shares.hidden, dim}, {Matrix::up, shares.hidden, dim}}),
         activation_threshold ? pack_by_inputs(source, l, {Matrix::down, dim, shares.hidden}, format, type)
                              : packed({{Matrix::down, dim, shares.hidden}})});
    RankLayer& layer = w.layers.back();
    if (c.has_biases()) layer.query_key_value_bias = biases_of(source, l, query, kv);
    if (c.has_head_norms()) {
      layer.query_norm = on_device(source.vector(Vector::query_norm, l));
      layer.key_norm = on_device(source.vector(Vector::key_norm, l));
    }
  }
  w.embedding =
      pack_parts(source, 0, {{Matrix::embedding, shares.vocabulary, dim}}, Format::dense, type, form);
  if (!c.tied_embeddings)
    w.head = pack_parts(source, 0, {{Matrix::head, shares.vocabulary, dim}}, Format::dense, type, form);
  w.activation_threshold = activation_threshold;
  return w;
}

}  // namespace

void RankWeights::each_multiplied(const std::function<void(const PackedMatrix&)>& visit) const {
  for (const RankLayer& layer : layers) {
    visit(layer.query_key_value);
    visit(layer.attention_output);
    visit(layer.gate_up);
    visit(layer.down);
  }
  visit(output_head());
}

RankWeights pack_rank_weights(const Communicator& comm, const WeightSource& source, Format format,
                              ValueType type, std::optional<float> activation_threshold, KernelForm form) {
  expect_packable(comm, source, format, type, activation_threshold);
  std::optional<RankWeights> packed;
  std::string damage;  // a rank finds it in its part alone
  try {
    packed = pack_part(Shares(source.configuration, comm.rank(), comm.size()), source, format, type,
                       activation_threshold, form);
  } catch (const InputError& e) {
    damage = e.what();
  }
  comm.throw_together(!damage.empty(), damage);
  return *std::move(packed);
}

}  // namespace wafermark::llama
