#include "sparse_llama/commands/evaluate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>

#include "common/errors.hpp"
#include "common/memory.hpp"
#include "common/option_checks.hpp"
#include "common/results/result.hpp"
#include "sparse_llama/cluster/packed_file.hpp"
#include "sparse_llama/cluster/packed_perplexity.hpp"
#include "sparse_llama/commands/model_options.hpp"
#include "sparse_llama/commands/result_folder.hpp"
#include "sparse_llama/commands/used_options.hpp"
#include "sparse_llama/compress/model_files.hpp"
#include "sparse_llama/compress/perplexity.hpp"
#include "sparse_llama/model/memory_need.hpp"

namespace wafermark::llama {
namespace {

struct EvaluateOptions {
  OutputOptions output;
  std::vector<std::string> words;
  std::string model, text, tokenizer, format, value;
  std::int64_t window = 0;
  std::optional<float> activation_threshold;
};

bool is_packed_file(const std::string& path) { return path.ends_with(".h5") && !is_training_state(path); }

/// Zeros among the weights of the layers' matrices. Collective: ranks share the layers.
double sparsity_of(const Communicator& comm, const WeightSource& source) {
  std::int64_t size = 0, zeros = 0;
  for (std::int64_t l = comm.rank(); l < source.configuration.layers; l += comm.size())
    for (int m = int(Matrix::query); m <= int(Matrix::down); ++m) {
      const DenseMatrix matrix = dense_matrix(source, Matrix(m), l);
      size += matrix.rows * matrix.columns;
      zeros += std::count(matrix.values.begin(), matrix.values.end(), 0.0f);
    }
  return double(comm.sum(zeros)) / double(comm.sum(size));
}

ModelOptions model_of(const EvaluateOptions& o) {
  ModelOptions model;
  model.model = o.model;
  return model;
}

/// The perplexity, how fast it came, and what else is known of the weights.
struct Evaluation {
  double perplexity = 0, seconds = 0;
  std::int64_t window = 0;
  TokenizedText text;
};

std::int64_t window_of(const EvaluateOptions& o, const Configuration& c, const TokenizedText& text) {
  if (o.window > c.context)
    throw InputError(
        fmt::format("--window {}: expected at most the model's context {}", o.window, c.context));
  const std::int64_t window = o.window > 0 ? o.window : std::min(c.context, usual_window);
  return std::min(window, std::max<std::int64_t>(1, std::int64_t(text.tokens.size())));
}

Evaluation evaluate_packed(const EvaluateOptions& o, const Communicator& comm, const RankWeights& weights,
                           const ResultFolder& out, Result& result) {
  const Configuration& c = weights.configuration;
  Evaluation e;
  e.text = read_tokens(comm, o.text, o.tokenizer, c.vocabulary);
  e.window = window_of(o, c, e.text);
  require_memory(comm, decoder_bytes(c, weights.shares, 1, double(e.window), Decoder::chunk_rows),
                 fmt::format("a window of {} tokens", e.window));
  out.begin(result);
  const auto start = std::chrono::steady_clock::now();
  RegionTimes times;
  Decoder decoder(comm, weights, 1, e.window, times);
  e.perplexity = packed_perplexity(decoder, c.vocabulary, e.text.tokens, e.text.bos, e.window);
  e.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  add_weight_figures(result, comm, weights);
  if (o.activation_threshold)
    result.add_figure("inactive_hidden_units", comm.sum(decoder.inactive_share()) / comm.size(), "1");
  return e;
}

Evaluation evaluate_plain(const EvaluateOptions& o, const Communicator& comm, const WeightSource& source,
                          const ResultFolder& out, Result& result) {
  const Configuration& c = source.configuration;
  Evaluation e;
  e.text = read_tokens(comm, o.text, o.tokenizer, c.vocabulary);
  e.window = window_of(o, c, e.text);
  require_memory(comm, perplexity_bytes(c, e.window), fmt::format("windows of {} tokens", e.window));
  expect_numbers(source);
  out.begin(result);
  const auto start = std::chrono::steady_clock::now();
  e.perplexity = perplexity(comm, source, e.text.tokens, e.text.bos, e.window);
  e.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  result.add_figure("sparsity", sparsity_of(comm, source), "1", Kind::measured, "of the layers' matrices");
  return e;
}

/// The model packed: as it lies in the file of `convert`, or as the options say.
RankWeights packed_weights(const EvaluateOptions& o, const Communicator& comm) {
  if (is_packed_file(o.model)) {
    if (!o.format.empty() || !o.value.empty() || o.activation_threshold)
      throw InputError(fmt::format(
          "{}: found --format, --value or --activation-threshold for weights that are packed already, "
          "expected none of them",
          o.model));
    return read_packed(comm, o.model);
  }
  const Format format = format_named(o.format.empty() ? "bit_mask" : o.format, "--format");
  const ValueType type = value_type_named(o.value.empty() ? "bf16" : o.value, "--value");
  ModelOptions model = model_of(o);
  model.format = name_of(format);
  model.value = name_of(type);
  model.activation_threshold = o.activation_threshold;
  return model.weights(comm);
}

int evaluate(EvaluateOptions o, const CLI::App& command) {
  if (o.words.size() + (o.model.empty() ? 0 : 1) != 2)
    throw InputError(fmt::format("evaluate: found {} words{}, expected the model and the text",
                                 o.words.size(), o.model.empty() ? "" : " and --model"));
  if (o.model.empty()) o.model = o.words.front();
  o.text = o.words.back();
  o.tokenizer = tokenizer_for(o.model, o.tokenizer);
  if (o.tokenizer.empty())
    throw InputError(fmt::format("{}: found no tokenizer beside the model, expected --tokenizer", o.model));
  Communicator comm;
  Result result(comm, "sparse_llama", "evaluate", "cluster");
  result.set_section("options", used_options(command));
  const ResultFolder out(comm, o.output, "evaluate", Writes::figures);
  out.expect_free();
  const bool packed =
      is_packed_file(o.model) || !o.format.empty() || !o.value.empty() || o.activation_threshold;
  const Evaluation e = packed ? evaluate_packed(o, comm, packed_weights(o, comm), out, result)
                              : evaluate_plain(o, comm, model_of(o).source(), out, result);
  const auto tokens = double(e.text.tokens.size());
  result.add_figure(
      "perplexity", e.perplexity, "1", Kind::measured,
      fmt::format("per token, windows of {} tokens{}", e.window, e.text.bos < 0 ? ", without bos" : ""));
  result.add_figure("tokens", tokens, "tokens");
  result.add_figure("prefill_rate", tokens / e.seconds, "tokens/s", Kind::measured,
                    packed ? "as packed" : "as dense fp32 matrices");
  result.set_section("evaluation", {{"model", o.model},
                                    {"text", o.text},
                                    {"tokenizer", o.tokenizer},
                                    {"window", e.window},
                                    {"bos", e.text.bos < 0 ? nlohmann::json() : nlohmann::json(e.text.bos)}});
  out.write(result);
  if (comm.is_root()) fmt::print("{}", result.summary());
  return 0;
}

}  // namespace

void add_evaluate_command(CLI::App& app, std::function<int()>& action) {
  auto* command = app.add_subcommand("evaluate", "Perplexity of a model over a text");
  auto o = std::make_shared<EvaluateOptions>();
  command->add_option("model_text", o->words, "the model and the text file; the text alone with --model")
      ->expected(1, 2)
      ->required();
  command
      ->add_option("--model", o->model,
                   "what run takes: Hugging Face folder, *.bin, what train, recover, prune and convert write")
      ->check(not_empty("a file"));
  command->add_option("--tokenizer", o->tokenizer, "default: the one in the model's folder")
      ->check(not_empty("a file"));
  command->add_option("--format", o->format, "evaluate packed weights: " + format_names());
  command->add_option("--value", o->value, "evaluate packed weights: " + value_type_names());
  command
      ->add_option("--activation-threshold", o->activation_threshold,
                   "evaluate packed weights: hidden units at most this in size count as zero")
      ->check(number_in({0, 1e30}));
  command->add_option("--window", o->window, "tokens of a window; default: the model's context, at most 2048")
      ->transform(whole_number_in({1, 1e9}));
  o->output.add_to(*command, "folder for result.json");
  command->callback([o, command, &action] { action = [o, command] { return evaluate(*o, *command); }; });
}

}  // namespace wafermark::llama
