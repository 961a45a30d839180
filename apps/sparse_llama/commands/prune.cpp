#include "sparse_llama/commands/prune.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>

#include "common/errors.hpp"
#include "common/memory.hpp"
#include "common/option_checks.hpp"
#include "common/progress.hpp"
#include "common/results/result.hpp"
#include "common/signals.hpp"
#include "sparse_llama/commands/model_options.hpp"
#include "sparse_llama/commands/result_folder.hpp"
#include "sparse_llama/commands/used_options.hpp"
#include "sparse_llama/compress/model_files.hpp"
#include "sparse_llama/compress/perplexity.hpp"
#include "sparse_llama/compress/pruning.hpp"
#include "sparse_llama/compress/scoring.hpp"
#include "sparse_llama/compress/token_stream.hpp"
#include "sparse_llama/compress/training_record.hpp"
#include "sparse_llama/model/json_text.hpp"
#include "sparse_llama/model/memory_need.hpp"
#include "sparse_llama/model/model_reader.hpp"
#include "sparse_llama/model/tokenizer.hpp"

namespace wafermark::llama {
namespace {

struct PruneOptions {
  OutputOptions output;
  std::string model, method = "sparsegpt", tokenizer, calibration, evaluate, type;
  double sparsity = 0.5;
  bool two_of_four = false, global = false, restart = false;
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

/// A block's weights and this rank's rows of a matrix; with a calibration text the streams of its sequences,
/// a block's sums over inputs and the factor of the widest; with a text to evaluate what its perplexity
/// takes.
double pruning_bytes(const Communicator& comm, const Configuration& c, const PruneOptions& o) {
  const auto square = [](std::int64_t n) { return double(n) * double(n) * sizeof(double); };
  const double widest = double(std::max(c.hidden, c.query_dim())) * double(c.dim) / comm.size();
  double bytes = sizeof(float) * layer_weight_count(c) / double(c.layers) + 4 * sizeof(float) * widest;
  if (!o.calibration.empty()) {
    const std::int64_t length = std::min(c.context, o.length > 0 ? o.length : usual_window);
    const Share own = share_of(o.sequences, comm.rank(), comm.size());
    bytes += 2 * square(c.dim) + square(c.query_dim()) + square(c.hidden) +
             std::max({square(c.dim), square(c.query_dim()), square(c.hidden)}) +
             sizeof(float) * double(own.count * length) * double(c.dim) + pass_bytes(c, own.count, length);
  }
  if (o.evaluate.empty()) return bytes;
  return std::max(bytes, scoring_bytes(c, std::min(c.context, usual_window)));
}

/// Sparsity and errors, matrix by matrix, to the terminal and the result.
void report(const Communicator& comm, Result& result, const std::vector<PrunedMatrix>& matrices,
            bool calibrated, nlohmann::json section) {
  std::int64_t size = 0, zeros = 0;
  section["matrices"] = nlohmann::json::array();
  for (const PrunedMatrix& m : matrices) {
    size += m.size;
    zeros += m.zeros;
    const double sparsity = double(m.zeros) / double(m.size);
    nlohmann::json entry{{"name", m.name}, {"weights", m.size}, {"sparsity", sparsity}};
    if (calibrated) entry["relative_output_error"] = m.error;
    section["matrices"].push_back(entry);
    if (comm.is_root())
      fmt::print("{:<48} {:>9} weights, sparsity {:.4f}{}\n", m.name, m.size, sparsity,
                 calibrated ? fmt::format(", output error {:.4f}", m.error) : "");
  }
  result.add_figure("sparsity", size > 0 ? std::optional(double(zeros) / double(size)) : std::nullopt, "1",
                    Kind::measured, "of the blocks' matrices");
  result.set_section("pruning", std::move(section));
}

/// What a run was given, checked.
struct PruningJob {
  WeightSource source;
  PruningSettings settings;
  std::string folder;  ///< of the model, where its companions lie
  Companions companions;
  StoredType type;
  std::optional<CalibrationText> calibration;
  TokenizedText text;  ///< to evaluate

  const CalibrationText* calibrated() const { return calibration ? &*calibration : nullptr; }
};

/// Collective.
PruningJob job_of(const Communicator& comm, PruneOptions o, const ResultFolder& out) {
  PruningJob job;
  job.settings = settings_of(o);
  const std::string given = o.tokenizer;
  o.tokenizer = tokenizer_for(o.model, given);
  if ((!o.calibration.empty() || !o.evaluate.empty()) && o.tokenizer.empty())
    throw InputError("--tokenizer: expected one, to read the text with: there is none beside the model");
  ModelOptions model;
  model.model = o.model;
  job.folder = folder_of_model(o.model);
  expect_another_folder(out.path(), job.folder);
  job.source = model.source();
  job.companions = companions_of(job.folder, given);
  job.type = o.type == "bf16" || (o.type.empty() && job.source.bf16) ? StoredType::bf16 : StoredType::fp32;
  const Configuration& c = job.source.configuration;
  expect_prunable(c, job.settings, !o.calibration.empty());
  require_memory(comm, pruning_bytes(comm, c, o), fmt::format("pruning of {}", o.model));
  if (!o.calibration.empty()) job.calibration = calibration_text(comm, o, c);
  if (!o.evaluate.empty()) job.text = read_tokens(comm, o.evaluate, o.tokenizer, c.vocabulary);
  expect_numbers(job.source);
  return job;
}

double perplexity_of(const Communicator& comm, const PruningJob& job, const WeightSource& source) {
  return perplexity(comm, source, job.text.tokens, job.text.bos,
                    std::min(source.configuration.context, usual_window));
}

/// Prunes to the end, or until the job is asked to stop: then false.
bool prune_into(const Communicator& comm, const PruneOptions& o, const PruningJob& job, bool goes_on,
                const ResultFolder& out, const nlohmann::json& kept, Result& result) {
  PrunedFolder folder = goes_on ? PrunedFolder::go_on(comm, out.path(), job.source, job.type, kept)
                                : PrunedFolder::begin(comm, out.path(), job.source, job.type, kept);
  const std::int64_t layers = job.source.configuration.layers, before = folder.finished_layers();
  const StopRequest request;
  Progress progress("layers", double(layers - before), comm.is_root());
  bool stopped = false;
  const auto matrices =
      prune(comm, job.source, job.settings, job.calibrated(), folder, [&](std::int64_t done) {
        progress.update(double(done - before));
        stopped = done < layers && request.requested(comm);
        return stopped;
      });
  report(comm, result, matrices, job.calibration.has_value(),
         {{"method", o.method},
          {"model", o.model},
          {"pattern", o.two_of_four ? "2:4" : "unstructured"},
          {"settings", kept}});
  if (stopped) {
    result.set_incomplete(
        fmt::format("stopped by a signal after {} of {} layers", folder.finished_layers(), layers));
    if (comm.is_root())
      fmt::print("stopped after {} layers; go on with --restart\n", folder.finished_layers());
    return false;
  }
  folder.finish(job.folder, job.companions);
  return true;
}

int run(const PruneOptions& o, const CLI::App& command) {
  Communicator comm;
  Result result(comm, "sparse_llama", "prune", "cluster");
  result.set_section("options", used_options(command));
  const ResultFolder out(comm, o.output, "prune", Writes::folder);
  const std::string record = out.path() + "/" + PrunedFolder::record_name;
  const bool goes_on = o.restart && std::filesystem::exists(record);
  const nlohmann::json earlier = read_object_if_there(out.path() + "/result.json");
  const bool is_done = o.restart && !goes_on && member(earlier, "command") == "prune" &&
                       member(earlier, "status") == "complete";
  if (!goes_on && !is_done) out.expect_free();
  const PruningJob job = job_of(comm, o, out);
  const nlohmann::json kept = settings_to_keep(job.source, job.settings, job.calibrated(), job.type);
  if (is_done) {
    expect_same_run(member(member(earlier, "pruning"), "settings"), kept, out.path() + "/result.json");
    if (comm.is_root()) fmt::print("{}: all layers are done; nothing is left to do\n", out.path());
    return 0;
  }
  if (goes_on) {
    expect_same_run(member(read_object_if_there(record), "settings"), kept, record);
    out.go_on(result);
  } else {
    out.begin(result);
  }
  const double before = o.evaluate.empty() ? 0 : perplexity_of(comm, job, job.source);
  const bool complete = prune_into(comm, o, job, goes_on, out, kept, result);
  if (complete && !o.evaluate.empty()) {
    const double after = perplexity_of(comm, job, model_source(out.path()));
    result.add_figure("perplexity_before", before, "1");
    result.add_figure("perplexity", after, "1");
    result.add_figure("perplexity_change", after - before, "1");
  }
  out.write(result);
  if (comm.is_root()) fmt::print("{}", result.summary());
  if (comm.is_root() && !job.companions.tokenizer)
    fmt::print("{}", note_without_tokenizer(o.model, out.path()));
  return 0;
}

}  // namespace

void add_prune_command(CLI::App& app, std::function<int()>& action) {
  auto* command = app.add_subcommand("prune", "Set weights to zero by magnitude, Wanda or SparseGPT");
  auto o = std::make_shared<PruneOptions>();
  command->add_option("model", o->model, "model to prune")->required()->check(not_empty("a model"));
  o->output.add_to(*command, "folder for the pruned model and result.json")->required();
  command
      ->add_flag("--restart", o->restart,
                 "go on behind the layers that are finished in --out, where there are any")
      ->excludes("--overwrite");
  command
      ->add_option(
          "--dtype", o->type,
          "of the pruned weights, bf16 or fp32; default: bf16 where all of the model's are, else fp32")
      ->check(one_of({"bf16", "fp32"}));
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
