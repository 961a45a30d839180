#include "sparse_llama/compress/pruning.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/errors.hpp"
#include "sparse_llama/compress/parameters.hpp"
#include "sparse_llama/compress/smallest.hpp"
#include "sparse_llama/compress/training_record.hpp"
#include "sparse_llama/kernels/value_types.hpp"
#include "sparse_llama/model/configuration_file.hpp"
#include "sparse_llama/model/matrix_product.hpp"
#include "sparse_llama/model/memory_need.hpp"
#include "sparse_llama/model/shares.hpp"
#include "sparse_llama/model/tensors.hpp"

namespace wafermark::llama {

PruningMethod pruning_method(const std::string& name) {
  if (name == "magnitude") return PruningMethod::magnitude;
  if (name == "wanda") return PruningMethod::wanda;
  if (name == "sparsegpt") return PruningMethod::sparsegpt;
  throw InputError(fmt::format("pruning method: found '{}', expected magnitude, wanda or sparsegpt", name));
}

namespace {

Pattern pattern_of(const std::string& name, const PruningSettings& settings) {
  Pattern pattern = settings.pattern;
  std::size_t longest = 0;
  for (const auto& [key, sparsity] : settings.sparsity_of)
    if (key.size() > longest && name.find(key) != std::string::npos) {
      longest = key.size();
      pattern = {sparsity, false};
    }
  return pattern;
}

}  // namespace

void expect_prunable(const Configuration& configuration, const PruningSettings& s, bool calibrated) {
  std::vector<std::string> names;  // of the matrices that may be pruned
  each_place(configuration, [&](auto part, std::int64_t layer) {
    if constexpr (std::is_same_v<decltype(part), Matrix>)
      if (part != Matrix::embedding && part != Matrix::head) names.push_back(tensor_name(part, layer));
  });
  const auto share = [](double value, const std::string& what) {
    if (!(value >= 0 && value <= 1))
      throw InputError(fmt::format("{} = {}: expected a share from 0 to 1", what, value));
  };
  share(s.pattern.sparsity, "sparsity");
  for (const auto& [key, value] : s.sparsity_of) {
    share(value, "sparsity of " + key);
    const auto fits = [&, k = key](const std::string& name) { return name.find(k) != std::string::npos; };
    if (std::none_of(names.begin(), names.end(), fits))
      throw InputError(fmt::format("sparsity of '{}': found no such matrix, expected part of a name like {}",
                                   key, names.front()));
  }
  if (s.pattern.two_of_four &&
      (configuration.dim % 4 != 0 || configuration.query_dim() % 4 != 0 || configuration.hidden % 4 != 0))
    throw InputError("pattern 2:4: expected widths that are multiples of 4");
  if (s.global && (s.method != PruningMethod::magnitude || s.pattern.two_of_four || !s.sparsity_of.empty()))
    throw InputError("--global: expected the magnitude method with one sparsity for all matrices");
  if (s.method != PruningMethod::magnitude && !calibrated)
    throw InputError("wanda and sparsegpt: expected a calibration text, found none");
  if (s.block < 1 || (s.pattern.two_of_four && s.block % 4 != 0))
    throw InputError(
        fmt::format("block = {}: expected a positive number (a multiple of 4 for 2:4)", s.block));
  if (!(s.damping > 0)) throw InputError(fmt::format("damping = {}: expected a positive number", s.damping));
}

OutputSquares output_squares(const float* after, const float* before, std::int64_t rows,
                             const InputStatistics& x) {
  constexpr std::int64_t together = 128;
  const std::int64_t n = x.columns;
  OutputSquares squares{0, 0};
  std::vector<double> w(std::size_t(together * n)), moved(w.size());
  const auto add = [&](std::int64_t count, double& sum) {  // rows of w times X X^T times w
    times_symmetric(count, n, w.data(), x.products.data(), moved.data());
    for (std::int64_t i = 0; i < count * n; ++i) sum += w[std::size_t(i)] * moved[std::size_t(i)];
  };
  for (std::int64_t r = 0; r < rows; r += together) {
    const std::int64_t count = std::min(together, rows - r), first = r * n;
    for (std::int64_t i = 0; i < count * n; ++i)
      w[std::size_t(i)] = double(after[first + i]) - double(before[first + i]);
    add(count, squares.lost);
    std::copy_n(before + first, count * n, w.begin());
    add(count, squares.whole);
  }
  return squares;
}

nlohmann::json json_of(const std::vector<PrunedMatrix>& layer) {
  nlohmann::json entries = nlohmann::json::array();
  for (const PrunedMatrix& m : layer)
    entries.push_back({{"name", m.name}, {"weights", m.size}, {"zeros", m.zeros}, {"error", m.error}});
  return entries;
}

nlohmann::json settings_to_keep(const WeightSource& source, const PruningSettings& s,
                                const CalibrationText* calibration, StoredType type) {
  std::vector<float> sample =
      source.vector(Vector::final_norm, 0);  // a model of billions is not read for this
  for (std::int64_t l = 0; l < source.configuration.layers; ++l) {
    const std::vector<float> norm = source.vector(Vector::attention_norm, l);
    sample.insert(sample.end(), norm.begin(), norm.end());
    for (const Matrix m : {Matrix::query, Matrix::down}) {
      source.open(m, l);
      const DenseMatrix row = dense_rows(source, m, l, 0, 1);
      source.close(m, l);
      sample.insert(sample.end(), row.values.begin(), row.values.end());
    }
  }
  return {{"model", json_of(source.configuration)},
          {"weights", "checksum " + checksum(sample) + " of a sample"},
          {"method", int(s.method)},
          {"sparsity", s.pattern.sparsity},
          {"two_of_four", s.pattern.two_of_four},
          {"global", s.global},
          {"block", s.block},
          {"damping", s.damping},
          {"sparsity_of", s.sparsity_of},
          {"dtype", name_of(type)},
          {"calibration", calibration == nullptr
                              ? "none"
                              : fmt::format("{} sequences of {}, checksum {}", calibration->count,
                                            calibration->length, checksum(calibration->tokens))}};
}

namespace {

constexpr Matrix matrices_of_layer[] = {Matrix::query, Matrix::key, Matrix::value, Matrix::attention_output,
                                        Matrix::gate,  Matrix::up,  Matrix::down};

/// The statistics of a matrix' inputs and what SparseGPT makes of them, for as long as matrices share them.
class Inputs {
 public:
  Inputs(LayerInputs inputs, const PruningSettings& settings)
      : inputs_(std::move(inputs)), settings_(settings) {}

  InputStatistics& of(Matrix matrix) {
    if (matrix == Matrix::attention_output) return inputs_.attention_output;
    if (matrix == Matrix::down) return inputs_.down;
    return matrix == Matrix::gate || matrix == Matrix::up ? inputs_.feed_forward : inputs_.attention;
  }
  const std::vector<double>& factor(Matrix matrix) {
    if (factored_ != &of(matrix)) {
      factor_.clear();
      factor_.shrink_to_fit();
      factor_ = sparsegpt_factor(of(matrix), settings_.damping);
      factored_ = &of(matrix);
    }
    return factor_;
  }
  /// The last matrix of its inputs is pruned: they go.
  void done_with(Matrix matrix) {
    if (matrix == Matrix::value || matrix == Matrix::attention_output || matrix == Matrix::up)
      of(matrix) = InputStatistics();
  }

 private:
  LayerInputs inputs_;
  const PruningSettings& settings_;
  std::vector<double> factor_;
  const InputStatistics* factored_ = nullptr;
};

/// All matrices of the model as this rank's rows, one after the other.
EachValues own_rows_of_all(const Communicator& comm, const WeightSource& source) {
  return [&](const auto& visit) {
    for (std::int64_t l = 0; l < source.configuration.layers; ++l)
      for (const Matrix m : matrices_of_layer) {
        const Share own = share_of(shape_of(source.configuration, m).rows, comm.rank(), comm.size());
        source.open(m, l);
        const DenseMatrix rows = dense_rows(source, m, l, own.first, own.count);
        source.close(m, l);
        visit(rows.values.data(), std::int64_t(rows.values.size()));
      }
  };
}

struct Pruner {
  const Communicator& comm;
  const Configuration& configuration;
  const PruningSettings& settings;
  PrunedFolder& folder;
  std::optional<MagnitudeCut> global;

  void choose(const PrunedRows& rows, Matrix matrix, const Pattern& pattern, Inputs* inputs) {
    if (global)
      global->prune(rows);
    else if (settings.method == PruningMethod::magnitude)
      prune_by_magnitude(comm, rows, pattern);
    else if (settings.method == PruningMethod::wanda)
      prune_by_wanda(rows, pattern, inputs->of(matrix));
    else
      prune_by_sparsegpt(comm, rows, pattern, inputs->of(matrix), inputs->factor(matrix), settings.block);
    if (folder.type() == StoredType::bf16)  // from here on as it will be read
      for (std::int64_t i = 0; i < rows.count * rows.columns; ++i)
        rows.weights[i] = float(BFloat16(rows.weights[i]));
  }

  /// Prunes this rank's rows of a matrix, and gets those of the others.
  PrunedMatrix prune(DenseMatrix& m, Matrix matrix, std::int64_t layer, Inputs* inputs) {
    const Share own = share_of(m.rows, comm.rank(), comm.size());
    const PrunedRows rows{m.row(own.first), own.count, m.columns, m.rows};
    const std::vector<float> before(rows.weights, rows.weights + rows.count * rows.columns);
    PrunedMatrix report{tensor_name(matrix, layer), m.rows * m.columns};
    choose(rows, matrix, pattern_of(report.name, settings), inputs);
    report.zeros = comm.sum(std::int64_t(std::count(rows.weights, rows.weights + before.size(), 0.0f)));
    folder.write_rows(matrix, layer, own.first, rows.weights, own.count);
    if (inputs == nullptr) return report;
    const OutputSquares squares = output_squares(rows.weights, before.data(), rows.count, inputs->of(matrix));
    const double lost = comm.sum(squares.lost), whole = comm.sum(squares.whole);
    report.error = whole > 0 ? lost / whole : 0;
    inputs->done_with(matrix);
    if (comm.size() > 1)
      m.values = comm.all_gather(std::vector<float>(rows.weights, rows.weights + before.size()));
    return report;
  }

  /// Of a layer that is pruned already: so many equal magnitudes are used up.
  void skip(DenseWeights& one) {
    for (const Matrix matrix : matrices_of_layer) {
      DenseMatrix& m = tensor_of(one, matrix, 0);
      const Share own = share_of(m.rows, comm.rank(), comm.size());
      global->prune({m.row(own.first), own.count, m.columns, m.rows});
    }
  }

  std::vector<PrunedMatrix> prune(DenseWeights& one, std::int64_t layer, Inputs* inputs) {
    std::vector<PrunedMatrix> report;
    for (const Matrix m : matrices_of_layer) report.push_back(prune(tensor_of(one, m, 0), m, layer, inputs));
    return report;
  }
};

/// The layer of the source; where it is damaged all ranks end.
DenseLayer read_together(const Communicator& comm, const WeightSource& source, std::int64_t layer) {
  DenseLayer read;
  std::string damage;
  try {
    read = dense_layer(source, layer);
  } catch (const InputError& e) {
    damage = e.what();
  }
  comm.throw_together(!damage.empty(), damage);
  return read;
}

void append(std::vector<PrunedMatrix>& report, const nlohmann::json& layer) {
  for (const auto& m : layer)
    report.push_back({m.value("name", ""), m.value("weights", std::int64_t(0)),
                      m.value("zeros", std::int64_t(0)), m.value("error", 0.0)});
}

}  // namespace

std::vector<PrunedMatrix> prune(const Communicator& comm, const WeightSource& source,
                                const PruningSettings& settings, const CalibrationText* calibration,
                                PrunedFolder& folder, const StopAfterLayer& stop) {
  const Configuration& c = source.configuration;
  expect_prunable(c, settings, calibration != nullptr);
  Pruner pruner{comm, c, settings, folder, std::nullopt};
  if (settings.global)
    pruner.global.emplace(comm, share_of(settings.pattern.sparsity, std::int64_t(layer_weight_count(c))),
                          own_rows_of_all(comm, source));
  std::optional<HiddenStates> states;
  if (calibration != nullptr) {
    const Share own = share_of(calibration->count, comm.rank(), comm.size());
    states.emplace(source,
                   std::span(calibration->tokens)
                       .subspan(std::size_t(own.first * calibration->length),
                                std::size_t(own.count * calibration->length)),
                   calibration->length);
  }
  std::vector<PrunedMatrix> report;
  for (std::int64_t l = 0; l < c.layers; ++l) {
    DenseWeights one;
    const bool finished = l < folder.finished_layers();
    // A layer that is pruned already is read for its outputs only, or for --global to count equal weights.
    if (!finished || settings.global) one.layers.push_back(read_together(comm, source, l));
    if (finished) {
      append(report, folder.finished(l));
      if (pruner.global) pruner.skip(one);
      if (states) states->advance(weights_of(folder.read_layer(l)));
      continue;
    }
    std::optional<Inputs> inputs;
    if (states) inputs.emplace(layer_inputs(comm, c, one.layers.front(), *states), settings);
    const auto pruned = pruner.prune(one, l, inputs ? &*inputs : nullptr);
    inputs.reset();
    if (states && l + 1 < c.layers) states->advance(weights_of(one.layers.front()));
    folder.finish_layer(json_of(pruned));
    append(report, folder.finished(l));
    if (stop(l + 1) && l + 1 < c.layers) break;
  }
  return report;
}

}  // namespace wafermark::llama
