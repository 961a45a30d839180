#include "sparse_llama/commands/evaluate.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>

#include "common/errors.hpp"
#include "common/memory.hpp"
#include "common/option_checks.hpp"
#include "common/results/result.hpp"
#include "sparse_llama/cluster/packed_file.hpp"
#include "sparse_llama/cluster/packed_scoring.hpp"
#include "sparse_llama/commands/evaluation.hpp"
#include "sparse_llama/commands/logits_file.hpp"
#include "sparse_llama/commands/model_options.hpp"
#include "sparse_llama/commands/result_folder.hpp"
#include "sparse_llama/commands/used_options.hpp"
#include "sparse_llama/compress/model_files.hpp"
#include "sparse_llama/compress/scoring.hpp"
#include "sparse_llama/model/memory_need.hpp"

namespace wafermark::llama {
namespace {

struct EvaluateOptions {
  OutputOptions output;
  std::vector<std::string> words;
  std::string model, text, task, tokenizer, format, value, cache, print_logits, protocol = "whole";
  std::int64_t window = 0;
  bool print_tokens = false;
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
  model.cache = o.cache;
  return model;
}

/// Scores of the sequences, and how long they took.
struct Scored {
  std::vector<SequenceScore> scores;
  double seconds = 0;
};

template <class Act>
Scored timed(const Act& act) {
  const auto start = std::chrono::steady_clock::now();
  Scored s{act()};
  s.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return s;
}

void print_tokens(const EvaluateOptions& o, const Communicator& comm, const Evaluation& evaluation) {
  if (!o.print_tokens || !comm.is_root()) return;
  for (std::size_t n = 0; n < evaluation.sequences().size(); ++n) {
    const ScoredSequence& s = evaluation.sequences()[n];
    fmt::print("sequence {}: tokens [{}], counted from the one behind token {}: [{}]\n", n,
               fmt::join(s.shown, ", "), s.first_scored,
               fmt::join(s.targets.begin() + s.first_scored, s.targets.end(), ", "));
  }
}

Scored evaluate_packed(const EvaluateOptions& o, const Communicator& comm, const RankWeights& weights,
                       const std::shared_ptr<DeviceSums>& sums, const Evaluation& evaluation,
                       LogitsFile* logits, Result& result) {
  RegionTimes times;
  const ValueType cache = model_of(o).cache_type(weights.layers.front().down.value_type);
  Decoder decoder(comm, weights, 1, evaluation.longest(), times, native_form(), cache, sums);
  const std::int64_t vocabulary = weights.configuration.vocabulary;
  LogitsWatch watch;
  if (logits != nullptr) watch = [&](auto rows, auto values) { logits->add(rows, values); };
  const Scored s = timed([&] { return packed_score(decoder, vocabulary, evaluation.sequences(), watch); });
  add_weight_figures(result, comm, weights);
  result.add_figure("cache_bytes", double(comm.sum(decoder.cache_bytes())), "bytes", Kind::measured,
                    fmt::format("keys and values in {}", name_of(cache)));
  if (o.activation_threshold)
    result.add_figure("inactive_hidden_units", comm.sum(decoder.inactive_share()) / comm.size(), "1");
  return s;
}

/// The model packed: as it lies in the file of `convert`, or as the options say. `known` is called as soon as
/// the configuration is known.
RankWeights packed_weights(const EvaluateOptions& o, const Communicator& comm,
                           const std::function<void(const Configuration&, ValueType)>& known) {
  if (is_packed_file(o.model)) {
    if (!o.format.empty() || !o.value.empty() || o.activation_threshold)
      throw InputError(fmt::format(
          "{}: found --format, --value or --activation-threshold for weights that are packed already, "
          "expected none of them",
          o.model));
    RankWeights packed = read_packed(comm, o.model);
    known(packed.configuration, packed.layers.front().down.value_type);
    return packed;
  }
  const Format format = format_named(o.format.empty() ? "bit_mask" : o.format, "--format");
  const ValueType type = value_type_named(o.value.empty() ? "bf16" : o.value, "--value");
  ModelOptions model = model_of(o);
  model.format = name_of(format);
  model.value = name_of(type);
  model.activation_threshold = o.activation_threshold;
  return model.weights(comm, known);
}

void report(const Communicator& comm, const Evaluation& evaluation, const Scored& s, const char* how,
            Result& result) {
  double tokens = 0;
  for (const ScoredSequence& sequence : evaluation.sequences()) tokens += double(sequence.length());
  evaluation.report(comm, s.scores, result);
  result.add_figure("prefill_rate", tokens / s.seconds, "tokens/s", Kind::measured, how);
}

/// Reads the question before the model is packed, then puts it.
void evaluate_as_packed(const EvaluateOptions& o, const Communicator& comm, const EvaluationInput& input,
                        const ResultFolder& out, Result& result) {
  Decoder::check_environment(comm);
  const auto sums = device_sums(comm);
  result.set_device_sums(sums->by());
  std::unique_ptr<Evaluation> evaluation;
  std::optional<LogitsFile> logits;
  const RankWeights weights = packed_weights(o, comm, [&](const Configuration& c, ValueType value) {
    evaluation = read_evaluation(comm, input, c);
    require_memory(comm,
                   decoder_bytes(c, Shares(c, comm.rank(), comm.size()), model_of(o).cache_type(value), 1,
                                 double(evaluation->longest()), Decoder::chunk_rows),
                   fmt::format("{} tokens at once", evaluation->longest()));
    if (!o.print_logits.empty()) logits.emplace(comm, o.print_logits, o.output.overwrite, c.vocabulary);
  });
  out.begin(result);
  print_tokens(o, comm, *evaluation);
  const Scored s = evaluate_packed(o, comm, weights, sums, *evaluation, logits ? &*logits : nullptr, result);
  if (logits) logits->finish();
  report(comm, *evaluation, s, "as packed", result);
}

void evaluate_as_stored(const EvaluateOptions& o, const Communicator& comm, const EvaluationInput& input,
                        const ResultFolder& out, Result& result) {
  if (!o.print_logits.empty())
    throw InputError(
        "--print-logits: found a model that is not packed, expected --format (--format dense --value fp32: "
        "numbers as they are)");
  const WeightSource source = model_of(o).source();
  const auto evaluation = read_evaluation(comm, input, source.configuration);
  require_memory(comm, scoring_bytes(source.configuration, evaluation->longest()),
                 fmt::format("{} tokens at once", evaluation->longest()));
  expect_numbers(source);
  out.begin(result);
  print_tokens(o, comm, *evaluation);
  const Scored s = timed([&] { return score(comm, source, evaluation->sequences()); });
  result.add_figure("sparsity", sparsity_of(comm, source), "1", Kind::measured, "of the layers' matrices");
  report(comm, *evaluation, s, "as dense fp32 matrices", result);
}

/// The model and the text: the first word is the model without --model, the other the text without --task.
void take_words(EvaluateOptions& o) {
  const std::size_t expected = (o.model.empty() ? 1 : 0) + (o.task.empty() ? 1 : 0);
  if (o.words.size() != expected)
    throw InputError(fmt::format("evaluate: found {} words{}{}, expected the model and the text, or --task",
                                 o.words.size(), o.model.empty() ? "" : " and --model",
                                 o.task.empty() ? "" : " and --task"));
  if (o.model.empty()) o.model = o.words.front();
  if (o.task.empty()) o.text = o.words.back();
}

int evaluate(EvaluateOptions o, const CLI::App& command) {
  take_words(o);
  o.tokenizer = tokenizer_for(o.model, o.tokenizer);
  if (o.tokenizer.empty())
    throw InputError(fmt::format("{}: found no tokenizer beside the model, expected --tokenizer", o.model));
  const EvaluationInput input{o.model, o.text, o.task, o.tokenizer, protocol_named(o.protocol, "--protocol"),
                              o.window};
  Communicator comm;
  Result result(comm, "sparse_llama", "evaluate", "cluster");
  result.set_section("options", used_options(command));
  const ResultFolder out(comm, o.output, "evaluate", Writes::figures);
  out.expect_free();
  if (is_packed_file(o.model) || !o.format.empty() || !o.value.empty() || !o.cache.empty() ||
      o.activation_threshold)
    evaluate_as_packed(o, comm, input, out, result);
  else
    evaluate_as_stored(o, comm, input, out, result);
  out.write(result);
  if (comm.is_root()) fmt::print("{}", result.summary());
  return 0;
}

}  // namespace

void add_evaluate_command(CLI::App& app, std::function<int()>& action) {
  auto* command =
      app.add_subcommand("evaluate", "Perplexity of a model over a text, or its accuracy in a task");
  auto o = std::make_shared<EvaluateOptions>();
  command
      ->add_option(
          "model_text", o->words,
          "the model and the text file; without the first with --model, without the second with --task")
      ->expected(0, 2);
  command
      ->add_option("--model", o->model,
                   "what run takes: Hugging Face folder, *.bin, what train, recover, prune and convert write")
      ->check(not_empty("a file"));
  command->add_option("--tokenizer", o->tokenizer, "default: the one in the model's folder")
      ->check(not_empty("a file"));
  command->add_option("--format", o->format, "evaluate packed weights: " + format_names());
  command->add_option("--value", o->value, "evaluate packed weights: " + value_type_names());
  add_cache_option(*command, o->cache, "evaluate packed weights: ");
  command
      ->add_option("--activation-threshold", o->activation_threshold,
                   "evaluate packed weights: hidden units at most this in size count as zero")
      ->check(number_in({0, 1e30}));
  command
      ->add_option("--window", o->window,
                   "tokens of a window; default: the model's context, of texts at most 2048 (llama.cpp: 512)")
      ->transform(whole_number_in({1, 1e9}));
  auto* task =
      command
          ->add_option("--task", o->task,
                       "instead of a text: JSON lines with context, endings and label, scored by the "
                       "endings' log likelihoods")
          ->check(not_empty("a file"));
  command
      ->add_option("--protocol", o->protocol,
                   "how the text is cut: whole (every token counts once), sparsegpt (as SparseGPT and Wanda "
                   "publish), llama.cpp (as llama-perplexity)")
      ->check(one_of({"whole", "sparsegpt", "llama.cpp"}))
      ->excludes(task)
      ->capture_default_str();
  command
      ->add_option("--print-logits", o->print_logits,
                   "*.npy to write the logits behind every token to; of packed weights (--format)")
      ->check(npy_file());
  command->add_flag("--print-tokens", o->print_tokens,
                    "the tokens of each sequence, as the model is shown them");
  o->output.add_to(*command, "folder for result.json");
  command->callback([o, command, &action] { action = [o, command] { return evaluate(*o, *command); }; });
}

}  // namespace wafermark::llama
