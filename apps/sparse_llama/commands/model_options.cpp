#include "sparse_llama/commands/model_options.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/errors.hpp"
#include "common/memory.hpp"
#include "common/option_checks.hpp"
#include "sparse_llama/cluster/packed_file.hpp"
#include "sparse_llama/commands/wafer_options.hpp"
#include "sparse_llama/compress/model_files.hpp"
#include "sparse_llama/compress/parameters.hpp"
#include "sparse_llama/model/memory_need.hpp"
#include "sparse_llama/model/model_reader.hpp"
#include "sparse_llama/model/tokenizer.hpp"
#include "sparse_llama/model/weight_files.hpp"

namespace wafermark::llama {

void ModelOptions::add_model_to(CLI::App& command) {
  command.add_option(
      "model,--model", model,
      "Hugging Face folder, GGUF file, llama2.c file (*.bin), what train, recover and prune write, or what "
      "convert wrote (*.h5)");
  command.add_option("--synthetic", synthetic,
                     "weights made up in the shapes of a model: llama2-7b:sparsity=0.7,seed=1");
}

void ModelOptions::add_storage_to(CLI::App& command) {
  format_option = command.add_option("--format", format, "storage of the layers: " + format_names())
                      ->capture_default_str();
  add_value_to(command);
}

void ModelOptions::add_value_to(CLI::App& command) {
  value_option = command.add_option("--value", value, "type of the stored values: " + value_type_names())
                     ->capture_default_str();
}

void ModelOptions::add_activation_to(CLI::App& command) {
  command
      .add_option(
          "--activation-threshold", activation_threshold,
          "skip the weights behind hidden units whose activation is at most this in size (0: exactly 0)")
      ->check(number_in({0, 1e30}));
}

void ModelOptions::add_cache_to(CLI::App& command) { add_cache_option(command, cache); }

ValueType ModelOptions::cache_type(ValueType weights) const {
  return cache.empty() ? cache_type_beside(weights) : value_type_named(cache, "--cache");
}

void add_cache_option(CLI::App& command, std::string& cache, const std::string& before_its_text) {
  std::vector<std::string> types;
  for (const ValueRow& row : value_rows)
    if (row.in_cache) types.push_back(row.name);
  command
      .add_option("--cache", cache,
                  before_its_text +
                      fmt::format("what keys and values are kept as: {} (default: fp32 beside fp32 weights, "
                                  "else bf16)",
                                  fmt::join(types, ", ")))
      ->check(one_of(types));
}

WeightSource ModelOptions::source() const {
  if (model.empty() == synthetic.empty())
    throw InputError(fmt::format("found {} --model and --synthetic, expected one of the two",
                                 model.empty() ? "neither of" : "both"));
  if (!synthetic.empty()) return synthetic_source(synthetic);
  if (is_training_state(model)) {
    const FlatModel flat = read_flat_model(Communicator(MPI_COMM_SELF), model);
    return checkpoint_source(
        model, std::make_shared<const DenseWeights>(unflatten(flat.configuration, flat.parameters)));
  }
  WeightSource files = model_source(model);
  if (Communicator().is_root()) fmt::print("{}", note_on_other_weights(model));
  return files;
}

std::string tokenizer_for(const std::string& model, const std::string& given) {
  return given.empty() ? tokenizer_beside(model) : given;
}

RankWeights ModelOptions::weights(const Communicator& comm,
                                  const std::function<void(const Configuration&, ValueType)>& known) const {
  const Format storage = format_named(format, "--format");
  const ValueType type = value_type_named(value, "--value");
  if (synthetic.empty() && model.ends_with(".h5") && !is_training_state(model)) {
    if (activation_threshold)
      throw InputError(fmt::format(
          "--activation-threshold: found weights packed by outputs, {}, expected a checkpoint", model));
    RankWeights packed = read_packed(comm, model);
    const PackedMatrix& m = packed.layers.front().down;
    if (format_option != nullptr && format_option->count() > 0 && storage != m.format)
      throw InputError(
          fmt::format("--format {}: {} holds {}, expected the same", format, model, name_of(m.format)));
    if (value_option != nullptr && value_option->count() > 0 && type != m.value_type)
      throw InputError(
          fmt::format("--value {}: {} holds {}, expected the same", value, model, name_of(m.value_type)));
    known(packed.configuration, m.value_type);
    return packed;
  }
  expect_holds(storage, type, "--value");
  const WeightSource from = source();
  known(from.configuration, type);
  if (!from.hollow)
    require_memory(
        comm, packed_bytes(from.configuration, storage, type, 1 - estimated_sparsity(from)) / comm.size(),
        fmt::format("{}, packed as {} of {}", from.name, format, value));
  return pack_rank_weights(comm, from, storage, type, activation_threshold);
}

WeightFigures weight_figures(const Communicator& comm, const RankWeights& w) {
  double weights = 0, stored = 0, bytes = 0, ends = double(w.embedding.bytes());
  for (const RankLayer& layer : w.layers)
    for (const PackedMatrix* m :
         {&layer.query_key_value, &layer.attention_output, &layer.gate_up, &layer.down}) {
      weights += double(m->rows * m->columns);
      stored += double(m->stored);
      bytes += double(m->bytes());
    }
  if (!w.configuration.tied_embeddings) ends += double(w.head.bytes());
  weights = comm.sum(weights);
  bytes = comm.sum(bytes);
  return {1 - comm.sum(stored) / weights, 8 * bytes / weights, bytes + comm.sum(ends)};
}

void add_weight_figures(Result& result, const Communicator& comm, const RankWeights& weights) {
  const WeightFigures w = weight_figures(comm, weights);
  result.add_figure("sparsity", w.sparsity, "1", Kind::measured, "of the layers' matrices");
  result.add_figure("bits_per_weight", w.bits_per_weight, "bits", Kind::measured, "of the layers' matrices");
  result.add_figure("weight_bytes", w.bytes, "bytes", Kind::measured, "embedding and head included");
}

}  // namespace wafermark::llama
