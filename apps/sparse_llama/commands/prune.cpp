#include "sparse_llama/commands/prune.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "common/errors.hpp"
#include "common/memory.hpp"
#include "common/option_checks.hpp"
#include "common/results/result.hpp"
#include "sparse_llama/commands/model_options.hpp"
#include "sparse_llama/commands/result_folder.hpp"
#include "sparse_llama/commands/used_options.hpp"
#include "sparse_llama/compress/model_files.hpp"
#include "sparse_llama/compress/perplexity.hpp"
#include "sparse_llama/compress/pruning.hpp"
#include "sparse_llama/compress/token_stream.hpp"
#include "sparse_llama/compress/training_state.hpp"
#include "sparse_llama/model/memory_need.hpp"

namespace wafermark::llama {
namespace {

struct PruneOptions {
  OutputOptions output;
  std::string model, method = "sparsegpt", tokenizer, calibration, evaluate;
  double sparsity = 0.5;
  bool two_of_four = false, global = false;
  std::vector<std::string> sparsity_of;
  std::int64_t block = 128, sequences = 128, length = 0, seed = 1;
  double damping = 0.01;
};

PruningSettings settings_of(const PruneOptions& o) {
  PruningSettings s;
  s.method = pruning_method(o.method);
  s.pattern = {o.sparsity, o.two_of_four};
  s.global = o.global;
  s.block = o.block;
  s.damping = o.damping;
  for (const std::string& pair : o.sparsity_of) {
    const auto equals = pair.find('=');
    const auto share = equals == std::string::npos ? std::nullopt : parse_number(pair.substr(equals + 1));
    if (equals == 0 || !share || !Range{0, 1}.holds(*share))
      throw InputError(fmt::format(
          "--sparsity-of {}: expected NAME=SHARE with a share from 0 to 1, like down_proj=0.6", pair));
    s.sparsity_of[pair.substr(0, equals)] = *share;
  }
  return s;
}

CalibrationText calibration_text(const Communicator& comm, const PruneOptions& o,
                                 const Configuration& configuration) {
  const TokenizedText text = read_tokens(comm, o.calibration, o.tokenizer, configuration.vocabulary);
  const std::int64_t length = o.length > 0 ? o.length : std::min(configuration.context, usual_window);
  if (length > configuration.context)
    throw InputError(
        fmt::format("--length {}: expected at most the model's context {}", length, configuration.context));
  if (std::int64_t(text.tokens.size()) / length < o.sequences)
    throw InputError(fmt::format("{}: found {} tokens, expected at least {} sequences of {}", o.calibration,
                                 text.tokens.size(), o.sequences, length));
  return {draw_batch(text.tokens, text.bos, std::uint64_t(o.seed), 0, 0, o.sequences, length).tokens,
          o.sequences, length};
}

/// A second copy of the weights, and with a calibration text a block's sums over inputs, twice, and the
/// activations of a sequence; with texts to evaluate those of their windows.
double pruning_bytes(const Configuration& c, const PruneOptions& o) {
  double bytes = sizeof(float) * weight_count(c);
  const auto square = [](std::int64_t n) { return double(n) * double(n) * sizeof(double); };
  const std::int64_t length = std::min(c.context, o.length > 0 ? o.length : usual_window);
  if (!o.calibration.empty())
    bytes += 2 * (2 * square(c.dim) + square(c.query_dim()) + square(c.hidden)) +
             activation_bytes(c, 1, double(length)) + sizeof(float) * weight_count(c);
  if (!o.evaluate.empty())
    bytes += activation_bytes(c, windows_together, double(std::min(c.context, usual_window)));
  return bytes;
}

int run(PruneOptions o, const CLI::App& command) {
  Communicator comm;
  Result result(comm, "sparse_llama", "prune", "cluster");
  result.set_section("options", used_options(command));
  const PruningSettings settings = settings_of(o);
  const std::string given = o.tokenizer;
  o.tokenizer = tokenizer_for(o.model, given);
  if ((!o.calibration.empty() || !o.evaluate.empty()) && o.tokenizer.empty())
    throw InputError("--tokenizer: expected one, to read the text with: there is none beside the model");
  const ResultFolder out(comm, o.output, "prune", Writes::model);
  out.expect_free();
  FlatModel model = read_flat_model(comm, o.model);
  expect_another_folder(out.path(), model.folder);
  const Companions companions = companions_of(model.folder, given);
  expect_prunable(model.configuration, settings, !o.calibration.empty());
  require_memory(comm, pruning_bytes(model.configuration, o), fmt::format("pruning of {}", o.model));
  CalibrationText calibration;
  if (!o.calibration.empty()) calibration = calibration_text(comm, o, model.configuration);
  TokenizedText text;
  if (!o.evaluate.empty()) text = read_tokens(comm, o.evaluate, o.tokenizer, model.configuration.vocabulary);
  const auto evaluate = [&] {
    return perplexity(comm, model.configuration, model.parameters, text.tokens, text.bos,
                      std::min(model.configuration.context, usual_window));
  };
  out.begin(result);
  const double before = o.evaluate.empty() ? 0 : evaluate();

  const auto report = prune(comm, model.configuration, model.parameters, settings,
                            o.calibration.empty() ? nullptr : &calibration);
  std::int64_t size = 0, zeros = 0;
  nlohmann::json matrices = nlohmann::json::array();
  for (const PrunedMatrix& m : report) {
    size += m.size;
    zeros += m.zeros;
    const double sparsity = double(m.zeros) / double(m.size);
    nlohmann::json entry{{"name", m.name}, {"weights", m.size}, {"sparsity", sparsity}};
    if (!o.calibration.empty()) entry["relative_output_error"] = m.error;
    matrices.push_back(entry);
    if (comm.is_root())
      fmt::print("{:<48} {:>9} weights, sparsity {:.4f}{}\n", m.name, m.size, sparsity,
                 o.calibration.empty() ? "" : fmt::format(", output error {:.4f}", m.error));
  }
  result.add_figure("sparsity", double(zeros) / double(size), "1", Kind::measured, "of the blocks' matrices");
  if (!o.evaluate.empty()) {
    const double after = evaluate();
    result.add_figure("perplexity_before", before, "1");
    result.add_figure("perplexity", after, "1");
    result.add_figure("perplexity_change", after - before, "1");
  }
  result.set_section("pruning", {{"method", o.method},
                                 {"model", o.model},
                                 {"pattern", o.two_of_four ? "2:4" : "unstructured"},
                                 {"matrices", matrices}});
  write_flat_model(comm, out.path(), model, companions);
  out.write(result);
  if (comm.is_root()) fmt::print("{}", result.summary());
  if (comm.is_root() && !companions.tokenizer) fmt::print("{}", note_without_tokenizer(o.model, out.path()));
  return 0;
}

}  // namespace

void add_prune_command(CLI::App& app, std::function<int()>& action) {
  auto* command = app.add_subcommand("prune", "Set weights to zero by magnitude, Wanda or SparseGPT");
  auto o = std::make_shared<PruneOptions>();
  command->add_option("model", o->model, "model to prune")->required()->check(not_empty("a model"));
  o->output.add_to(*command, "folder for the pruned model and result.json")->required();
  command->add_option("--method", o->method, "magnitude, wanda or sparsegpt")
      ->check(one_of({"magnitude", "wanda", "sparsegpt"}))
      ->capture_default_str();
  auto* share = command->add_option("--sparsity", o->sparsity, "share of zeros in every matrix of the blocks")
                    ->check(number_in({0, 1}))
                    ->capture_default_str();
  repeated(command->add_option("--sparsity-of", o->sparsity_of,
                               "NAME=SHARE for matrices whose name contains NAME"));
  command->add_flag("--two-of-four", o->two_of_four, "2 zeros in each 4 neighbours instead of a share")
      ->excludes(share);
  command->add_flag("--global", o->global, "magnitude: one threshold for all matrices");
  command
      ->add_option("--tokenizer", o->tokenizer,
                   "tokenizer of the texts and of the pruned model; default: the model's own")
      ->check(not_empty("a file"));
  command->add_option("--calibration", o->calibration, "text that shows the inputs (wanda, sparsegpt)")
      ->check(not_empty("a file"));
  command->add_option("--sequences", o->sequences, "calibration sequences")
      ->transform(whole_number_in({1, 1e9}))
      ->capture_default_str();
  command
      ->add_option("--length", o->length,
                   "tokens of a calibration sequence; default: the context, at most 2048")
      ->transform(whole_number_in({1, 1e9}));
  command->add_option("--seed", o->seed, "of the choice of calibration sequences")
      ->transform(whole_number_in({0, 9e15}))
      ->capture_default_str();
  command->add_option("--block", o->block, "sparsegpt: columns that share one choice")
      ->transform(whole_number_in({1, 1e9}))
      ->capture_default_str();
  command->add_option("--damping", o->damping, "sparsegpt: share of the mean diagonal")
      ->check(number_in({0, 1e6}))
      ->capture_default_str();
  command->add_option("--evaluate", o->evaluate, "text whose perplexity is compared before and after")
      ->check(not_empty("a file"));
  command->callback([o, command, &action] { action = [o, command] { return run(*o, *command); }; });
}

}  // namespace wafermark::llama
