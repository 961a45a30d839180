#include "sparse_llama/compress/pruning.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/errors.hpp"
#include "sparse_llama/compress/smallest.hpp"

namespace wafermark::llama {

PruningMethod pruning_method(const std::string& name) {
  if (name == "magnitude") return PruningMethod::magnitude;
  if (name == "wanda") return PruningMethod::wanda;
  if (name == "sparsegpt") return PruningMethod::sparsegpt;
  throw InputError(fmt::format("pruning method: found '{}', expected magnitude, wanda or sparsegpt", name));
}

namespace {

/// ||(W' - W) X||^2 and ||W X||^2 with X X^T given.
std::pair<double, double> output_squares(const float* after, const std::vector<float>& before,
                                         std::int64_t rows, const InputStatistics& x) {
  const std::int64_t n = x.columns;
  double lost = 0, whole = 0;
  std::vector<double> change(std::size_t(n), 0.0);
  for (std::int64_t r = 0; r < rows; ++r) {
    const float *w = before.data() + r * n, *v = after + r * n;
    for (std::int64_t j = 0; j < n; ++j) change[std::size_t(j)] = double(v[j]) - double(w[j]);
    for (std::int64_t i = 0; i < n; ++i) {
      double moved = 0, all = 0;
      for (std::int64_t j = 0; j < n; ++j) {
        moved += x.at(i, j) * change[std::size_t(j)];
        all += x.at(i, j) * double(w[j]);
      }
      lost += change[std::size_t(i)] * moved;
      whole += double(w[i]) * all;
    }
  }
  return {lost, whole};
}

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
  const ParameterLayout layout(configuration);
  const auto share = [](double value, const std::string& what) {
    if (!(value >= 0 && value <= 1))
      throw InputError(fmt::format("{} = {}: expected a share from 0 to 1", what, value));
  };
  share(s.pattern.sparsity, "sparsity");
  for (const auto& [key, value] : s.sparsity_of) {
    share(value, "sparsity of " + key);
    const auto fits = [&, k = key](const ParameterBlock& b) {
      return b.in_layer && b.name.find(k) != std::string::npos;
    };
    if (std::none_of(layout.blocks.begin(), layout.blocks.end(), fits))
      throw InputError(fmt::format("sparsity of '{}': found no such matrix, expected part of a name like {}",
                                   key, layout.blocks[2].name));
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

namespace {

void prune_globally(const ParameterLayout& layout, std::vector<float>& parameters, double sparsity) {
  std::vector<std::int64_t> candidates;
  for (const auto& block : layout.blocks)
    if (block.in_layer)
      for (std::int64_t i = block.offset; i < block.end(); ++i) candidates.push_back(i);
  const auto n = std::int64_t(candidates.size());
  const auto score = [&](std::int64_t k) {
    return std::abs(parameters[std::size_t(candidates[std::size_t(k)])]);
  };
  for (const std::int64_t k : smallest(share_of(sparsity, n), 0, n, score))
    parameters[std::size_t(candidates[std::size_t(k)])] = 0;
}

const InputStatistics& inputs_of(const std::string& name, const LayerInputs& inputs) {
  if (name.find("o_proj") != std::string::npos) return inputs.attention_output;
  if (name.find("self_attn") != std::string::npos) return inputs.attention;
  return name.find("down_proj") != std::string::npos ? inputs.down : inputs.feed_forward;
}

/// Prunes one matrix; its reconstruction error where there is something to measure it on.
double prune_matrix(float* w, const std::vector<float>& before, const ParameterBlock& block,
                    const PruningSettings& s, const InputStatistics* inputs) {
  const Pattern pattern = pattern_of(block.name, s);
  if (s.method == PruningMethod::magnitude) {
    if (!s.global) prune_by_magnitude(w, block.rows, block.columns, pattern);
  } else if (s.method == PruningMethod::wanda) {
    prune_by_wanda(w, block.rows, block.columns, pattern, *inputs);
  } else {
    prune_by_sparsegpt(w, block.rows, block.columns, pattern, *inputs, s.block, s.damping);
  }
  if (inputs == nullptr) return 0;
  const auto [lost, whole] = output_squares(w, before, block.rows, *inputs);
  return whole > 0 ? lost / whole : 0;
}

}  // namespace

std::vector<PrunedMatrix> prune(const Communicator& comm, const Configuration& configuration,
                                std::vector<float>& parameters, const PruningSettings& settings,
                                const CalibrationText* calibration) {
  const ParameterLayout layout(configuration);
  expect_prunable(configuration, settings, calibration != nullptr);
  const std::vector<float> original = parameters;
  if (settings.global) prune_globally(layout, parameters, settings.pattern.sparsity);

  std::vector<PrunedMatrix> report;
  for (std::int64_t l = 0; l < configuration.layers; ++l) {
    std::vector<const ParameterBlock*> matrices;
    const std::string prefix = fmt::format("model.layers.{}.", l);
    for (const auto& block : layout.blocks)
      if (block.in_layer && block.name.starts_with(prefix)) matrices.push_back(&block);
    LayerInputs inputs;
    if (calibration != nullptr) inputs = layer_inputs(comm, configuration, parameters, *calibration, l);
    std::vector<double> errors(matrices.size(), 0.0);
    for (std::size_t m = 0; m < matrices.size(); ++m)  // each matrix on one rank
      if (int(m) % comm.size() == comm.rank()) {
        const ParameterBlock& block = *matrices[m];
        const std::vector<float> before(original.begin() + block.offset, original.begin() + block.end());
        errors[m] = prune_matrix(parameters.data() + block.offset, before, block, settings,
                                 calibration != nullptr ? &inputs_of(block.name, inputs) : nullptr);
      }
    errors = comm.sum(std::move(errors));
    for (std::size_t m = 0; m < matrices.size(); ++m) {
      const ParameterBlock& block = *matrices[m];
      std::vector<float> values(parameters.begin() + block.offset, parameters.begin() + block.end());
      comm.broadcast(values, int(m) % comm.size());
      std::copy(values.begin(), values.end(), parameters.begin() + block.offset);
      report.push_back({block.name, block.size(), std::count(values.begin(), values.end(), 0.0f), errors[m]});
    }
  }
  return report;
}

}  // namespace wafermark::llama
