#include "sparse_llama/commands/evaluate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>

#include "common/errors.hpp"
#include "common/option_checks.hpp"
#include "common/results/result.hpp"
#include "sparse_llama/cluster/packed_perplexity.hpp"
#include "sparse_llama/commands/model_options.hpp"
#include "sparse_llama/compress/model_files.hpp"
#include "sparse_llama/compress/parameters.hpp"
#include "sparse_llama/compress/perplexity.hpp"

namespace wafermark::llama {
namespace {

struct EvaluateOptions {
  std::string model, text, tokenizer, out, format, value;
  std::int64_t window = 0;
  std::optional<float> activation_threshold;
};

/// Zeros among the weights of the layers' matrices.
double sparsity_of(const FlatModel& model) {
  std::int64_t size = 0, zeros = 0;
  for (const ParameterBlock& block : ParameterLayout(model.configuration).blocks)
    if (block.in_layer) {
      size += block.size();
      zeros +=
          std::count(model.parameters.begin() + block.offset, model.parameters.begin() + block.end(), 0.0f);
    }
  return size > 0 ? double(zeros) / double(size) : 0.0;
}

int evaluate(const EvaluateOptions& o) {
  Communicator comm;
  Result result(comm, "sparse_llama", "evaluate", "cluster");
  if (!o.out.empty()) prepare_output_directory(comm, o.out);
  const FlatModel model = read_flat_model(comm, o.model);
  const Configuration& c = model.configuration;
  const std::string tokenizer = o.tokenizer.empty() ? o.model + "/tokenizer.model" : o.tokenizer;
  const TokenizedText text = read_tokens(comm, o.text, tokenizer, c.vocabulary);
  const std::int64_t window = o.window > 0 ? o.window : c.context;
  if (window > c.context)
    throw InputError(fmt::format("--window {}: expected at most the model's context {}", window, c.context));

  const auto start = std::chrono::steady_clock::now();
  const bool packed = !o.format.empty() || !o.value.empty() || o.activation_threshold;
  double value = 0;
  if (packed) {
    const Format format = format_named(o.format.empty() ? "bit_mask" : o.format, "--format");
    const ValueType type = value_type_named(o.value.empty() ? "bf16" : o.value, "--value");
    const RankWeights weights = pack_rank_weights(
        comm,
        checkpoint_source(o.model, std::make_shared<const DenseWeights>(unflatten(c, model.parameters))),
        format, type, o.activation_threshold);
    RegionTimes times;
    Decoder decoder(comm, weights, 1, window, times);
    value = packed_perplexity(decoder, c.vocabulary, text.tokens, text.bos, window);
    add_weight_figures(result, comm, weights);
    if (o.activation_threshold)
      result.add_figure("inactive_hidden_units", comm.sum(decoder.inactive_share()) / comm.size(), "1");
  } else {
    value = perplexity(comm, c, model.parameters, text.tokens, text.bos, window);
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const auto tokens = double(text.tokens.size());
  result.add_figure("perplexity", value, "1", Kind::measured,
                    fmt::format("per token, windows of {} tokens", window));
  result.add_figure("tokens", tokens, "tokens");
  result.add_figure("prefill_rate", tokens / seconds, "tokens/s", Kind::measured,
                    packed ? "as packed" : "as dense fp32 matrices");
  if (!packed)
    result.add_figure("sparsity", sparsity_of(model), "1", Kind::measured, "of the layers' matrices");
  if (!o.out.empty()) result.write(comm, o.out);
  if (comm.is_root()) fmt::print("{}", result.summary());
  return 0;
}

}  // namespace

void add_evaluate_command(CLI::App& app, std::function<int()>& action) {
  auto* command = app.add_subcommand("evaluate", "Perplexity of a model over a text");
  auto o = std::make_shared<EvaluateOptions>();
  command->add_option("model", o->model, "Hugging Face folder, or what train, recover and prune write")
      ->required();
  command->add_option("text", o->text, "text file")->required();
  command->add_option("--tokenizer", o->tokenizer, "default: tokenizer.model in the model's folder");
  command->add_option("--format", o->format, "evaluate packed weights: dense, csr, bit_mask or two_four");
  command->add_option("--value", o->value, "evaluate packed weights: fp32, bf16 or int8");
  command
      ->add_option("--activation-threshold", o->activation_threshold,
                   "evaluate packed weights: hidden units at most this in size count as zero")
      ->check(number_in({0, 1e30}));
  command->add_option("--window", o->window, "tokens of a window; default: the model's context")
      ->transform(whole_number_in({1, 1e9}));
  command->add_option("--out", o->out, "folder for result.json")->check(not_empty("a folder"));
  command->callback([o, &action] { action = [o] { return evaluate(*o); }; });
}

}  // namespace wafermark::llama
