#include "sparse_llama/commands/train.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <tuple>

#include "common/errors.hpp"
#include "common/memory.hpp"
#include "common/option_checks.hpp"
#include "common/results/result.hpp"
#include "common/signals.hpp"
#include "sparse_llama/commands/result_folder.hpp"
#include "sparse_llama/compress/model_files.hpp"
#include "sparse_llama/compress/perplexity.hpp"
#include "sparse_llama/compress/scoring.hpp"
#include "sparse_llama/compress/trainer.hpp"
#include "sparse_llama/compress/training_record.hpp"
#include "sparse_llama/model/configuration_file.hpp"
#include "sparse_llama/model/json_text.hpp"
#include "sparse_llama/model/memory_need.hpp"

namespace wafermark::llama {
namespace {

struct TrainOptions {
  OutputOptions output;
  std::string deck;
  std::vector<std::string> overrides;
  bool restart = false;
};

Configuration read_shape(Deck& deck) {
  Configuration c;
  const Range at_least_one{1, double(largest_extent)};
  c.dim = deck.integer("model.dim", std::nullopt, "width of the residual stream", at_least_one);
  c.layers = deck.integer("model.layers", std::nullopt, "transformer blocks", {1, double(most_layers)});
  c.heads = deck.integer("model.heads", std::nullopt, "query heads", at_least_one);
  c.kv_heads = deck.integer("model.kv_heads", c.heads, "key/value heads", at_least_one);
  c.hidden = deck.integer("model.hidden", std::nullopt, "width of the feed-forward block", at_least_one);
  c.context = deck.integer("model.context", 256, "longest sequence, tokens", at_least_one);
  c.tied_embeddings = deck.flag("model.tied_embeddings", true, "the head is the embedding table");
  if (c.dim % c.heads != 0 || (c.dim / c.heads) % 2 != 0)
    deck.reject("model.dim", fmt::format("an even multiple of the {} heads", c.heads));
  if (c.heads % c.kv_heads != 0)
    deck.reject("model.kv_heads", fmt::format("a divisor of the {} heads", c.heads));
  c.head_dim = c.dim / c.heads;
  return c;
}

/// The files that a deck names.
struct Sources {
  std::string text, heldout, tokenizer, model, teacher;
};

Sources read_sources(Deck& deck, bool recover) {
  const auto path = [&](const char* key, std::optional<std::string> fallback, const char* meaning) {
    const std::string value = deck.text(key, fallback, meaning);
    return value.empty() ? value : deck.resolve_path(value);
  };
  Sources s;
  s.text = path("text.train", std::nullopt, "text to learn");
  s.heldout = path("text.heldout", "", "text that is only evaluated");
  s.tokenizer = path("text.tokenizer", std::nullopt, "SentencePiece model");
  if (!recover) return s;
  s.model = path("recover.model", std::nullopt, "pruned model to train on; its zeros stay");
  s.teacher = path("recover.teacher", "", "dense model of the distillation losses");
  return s;
}

/// What a run trains on, and the model that it begins with.
struct Material {
  FlatModel start;
  TokenizedText text, heldout;
  std::vector<float> teacher;
  std::string teacher_folder;
};

/// Throws InputError unless the two models can be trained side by side.
void expect_same_shape(const Configuration& student, const Configuration& teacher, const Sources& s) {
  const auto shape = [](const Configuration& c) {
    return std::tuple(c.dim, c.layers, c.heads, c.kv_heads, c.head_dim, c.hidden, c.vocabulary,
                      c.tied_embeddings);
  };
  if (shape(student) != shape(teacher))
    throw InputError(fmt::format("{}: expected the same shape as {}", s.teacher, s.model));
}

/// That the model can be trained on such sequences, and that there is room for it: before its weights are
/// read.
void expect_room(const Communicator& comm, Deck& deck, const Sources& s, const TrainingSettings& settings,
                 const Configuration& c) {
  if (settings.length > c.context)
    deck.reject("training.sequence_tokens", fmt::format("at most the model's context {}", c.context));
  if (!s.teacher.empty()) expect_same_shape(c, configuration_of_model(comm, s.teacher), s);
  double bytes = Trainer::bytes(c, settings, comm.size());
  if (!s.heldout.empty()) bytes += scoring_bytes(c, std::min(c.context, usual_window));
  require_memory(comm, bytes,
                 fmt::format("training of {:.4g} weights with {} sequences of {} tokens", weight_count(c),
                             settings.batch, settings.length));
}

Material read_material(const Communicator& comm, Deck& deck, const Sources& s,
                       const TrainingSettings& settings, std::optional<Configuration> shape) {
  Material m;
  Configuration c = shape ? *shape : configuration_of_model(comm, s.model);
  m.text = read_tokens(comm, s.text, s.tokenizer, shape ? 0 : c.vocabulary);
  if (shape) c.vocabulary = m.text.vocabulary;
  expect_room(comm, deck, s, settings, c);
  if (shape)
    m.start = {c, initial_parameters(c, std::uint64_t(settings.seed)), ""};
  else
    m.start = read_flat_model(comm, s.model);
  if (!s.heldout.empty()) m.heldout = read_tokens(comm, s.heldout, s.tokenizer, c.vocabulary);
  if (s.teacher.empty()) return m;
  FlatModel teacher = read_flat_model(comm, s.teacher);
  m.teacher = std::move(teacher.parameters);
  m.teacher_folder = teacher.folder;
  return m;
}

nlohmann::json settings_of(const Material& m, const TrainingSettings& settings, bool recover) {
  nlohmann::json all = settings_to_keep(m.start.configuration, settings);
  all["text.tokenizer"] = fmt::format("bos {}", m.text.bos);
  all["text.train"] = fmt::format("{} tokens, checksum {}", m.text.tokens.size(), checksum(m.text.tokens));
  if (recover) all["recover.model"] = "checksum " + checksum(m.start.parameters);
  if (!m.teacher.empty()) all["recover.teacher"] = "checksum " + checksum(m.teacher);
  return all;
}

/// The checkpoint, or the one before it where the newer is damaged.
TrainingState read_newest_state(const Communicator& comm, const std::string& path) {
  const std::string previous = previous_state(path);
  try {
    return read_training_state(comm, path);
  } catch (const InputError& damage) {
    if (!std::filesystem::exists(previous)) throw;
    if (comm.is_root()) {
      fmt::print("note: {}; going on from {}\n", damage.what(), previous);
      std::error_code error;  // out of the way: the next save must not keep it in place of the good one
      std::filesystem::rename(path, std::filesystem::path(path).replace_extension("damaged.h5"), error);
    }
    return read_training_state(comm, previous);
  }
}

/// Where the run begins: the checkpoint to go on from, which must be of the same run, or the start.
TrainingState first_state(const Communicator& comm, bool goes_on, const std::string& path, Material& m,
                          const TrainingSettings& settings, bool recover, TrainingRecord& record) {
  record.settings = settings_of(m, settings, recover);
  if (!goes_on) {
    TrainingState state = start_training(comm, m.start.configuration, std::move(m.start.parameters), recover);
    state.record = record.text();
    return state;
  }
  m.start.parameters = {};  // those of the checkpoint take their room
  TrainingState state = read_newest_state(comm, path);
  const TrainingRecord stored = TrainingRecord::read(state.record, path);
  expect_same_run(stored.settings, record.settings, path);
  record.history = stored.history;
  if (state.step > settings.steps)
    throw InputError(fmt::format("training.steps = {}: {} is at step {}, expected at least as many",
                                 settings.steps, path, state.step));
  return state;
}

void print_report(const TrainingReport& r, const TrainingSettings& settings) {
  fmt::print("step {} of {}: loss {:.4f}", r.step, settings.steps, r.loss.token);
  if (settings.loss.logit != 0) fmt::print(", teacher KL {:.4f}", r.loss.logit);
  if (settings.loss.feature != 0) fmt::print(", features {:.4f}", r.loss.feature);
  fmt::print("; rate {:.2e}, gradient {:.3f}, {:.0f} tokens/s\n", r.learning_rate, r.gradient_norm,
             r.tokens_per_second);
  std::fflush(stdout);
}

double heldout_perplexity(const Communicator& comm, const TrainingState& s, const TokenizedText& heldout) {
  return perplexity(comm, s.configuration, s.parameters, heldout.tokens, heldout.bos,
                    std::min(s.configuration.context, usual_window));
}

/// Trains to the end, or until the job is asked to stop: then false.
bool train_on(const Communicator& comm, Trainer& trainer, const TrainingSettings& settings,
              const std::string& path, const TokenizedText& heldout, TrainingState& state,
              TrainingRecord& record) {
  StopRequest stop;
  bool stopped = false;
  const auto after_step = [&](const TrainingState& s) {
    stopped = s.step < settings.steps && stop.requested(comm);
    const bool last = s.step == settings.steps;
    state.record = record.text();
    if (stopped || last || s.step % settings.checkpoint_every == 0) write_training_state(comm, path, s);
    if (!heldout.tokens.empty() && !last && s.step % settings.evaluate_every == 0) {
      const double value = heldout_perplexity(comm, s, heldout);
      if (comm.is_root()) fmt::print("step {}: held-out perplexity {:.4f}\n", s.step, value);
    }
    return !stopped;
  };
  trainer.run(state, after_step, [&](const TrainingReport& r) {
    record.history.push_back({{"step", r.step}, {"token_loss", r.loss.token}, {"total_loss", r.loss.total}});
    if (comm.is_root()) print_report(r, settings);
  });
  return !stopped;
}

nlohmann::json config_with_ends(const Material& m, bool recover) {
  nlohmann::json config = config_of(m.start.configuration, m.start.folder);
  if (recover) return config;
  if (m.text.bos >= 0) config["bos_token_id"] = m.text.bos;
  if (!m.text.ends.empty()) config["eos_token_id"] = m.text.ends.front();
  return config;
}

int train(const TrainOptions& o, bool recover) {
  Communicator comm;
  Result result(comm, "sparse_llama", recover ? "recover" : "train", "cluster");
  Deck deck = Deck::read(o.deck, o.overrides);
  const Sources sources = read_sources(deck, recover);
  const auto shape = recover ? std::nullopt : std::optional(read_shape(deck));
  const TrainingSettings settings = read_training_settings(deck, "training");
  deck.finish();
  result.set_deck(deck.file(), deck.to_toml());
  const ResultFolder out(comm, o.output, recover ? "recover" : "train", Writes::checkpoints);
  const std::string path = out.path() + "/state.h5";
  const bool goes_on =
      o.restart && (std::filesystem::exists(path) || std::filesystem::exists(previous_state(path)));
  if (!goes_on) out.expect_free();

  Material m = read_material(comm, deck, sources, settings, shape);
  expect_another_folder(out.path(), m.start.folder);
  expect_another_folder(out.path(), m.teacher_folder);
  TrainingRecord record;
  TrainingState state = first_state(comm, goes_on, path, m, settings, recover, record);
  if (goes_on && state.step == settings.steps &&
      member(read_object_if_there(out.path() + "/result.json"), "status") == "complete") {
    if (comm.is_root()) fmt::print("{}: all {} steps are done; nothing is left to do\n", path, state.step);
    return 0;
  }
  const std::size_t text_tokens = m.text.tokens.size();
  Trainer trainer(comm, settings, std::move(m.text.tokens), m.text.bos, std::move(m.teacher));
  if (goes_on)
    out.go_on(result);
  else
    out.begin(result);
  write_companions(comm, out.path(), config_with_ends(m, recover),
                   companions_of(m.start.folder, sources.tokenizer));
  const auto parameters = std::int64_t(state.parameters.size());
  std::int64_t alive = 0;
  for (const auto unmasked : state.mask) alive += unmasked;
  alive = comm.sum(alive);
  if (comm.is_root())
    fmt::print("{} weights, {} not pruned; {} training tokens, {} held out; {} steps of {} x {} tokens\n",
               parameters, alive, text_tokens, m.heldout.tokens.size(), settings.steps, settings.batch,
               settings.length);
  const double first_seconds = state.seconds;
  const std::int64_t first_step = state.step;
  if (!train_on(comm, trainer, settings, path, m.heldout, state, record)) {
    result.set_incomplete(fmt::format("stopped by a signal at step {} of {}", state.step, settings.steps));
    out.write(result);
    if (comm.is_root()) fmt::print("stopped at step {}; go on with --restart\n", state.step);
    return 0;
  }
  const double tokens = double((state.step - first_step) * settings.batch * settings.length);
  result.add_figure("training_tokens", double(state.step * settings.batch * settings.length), "tokens");
  result.add_figure("training_seconds", state.seconds, "s");
  if (tokens > 0) result.add_figure("training_rate", tokens / (state.seconds - first_seconds), "tokens/s");
  if (!m.heldout.tokens.empty())
    result.add_figure("perplexity", heldout_perplexity(comm, state, m.heldout), "1", Kind::measured,
                      "held-out text");
  result.add_figure("weights", double(parameters), "1");
  result.add_figure("weights_not_pruned", double(alive), "1");
  result.set_section("loss_history", record.history);
  out.write(result);
  if (comm.is_root()) fmt::print("{}", result.summary());
  return 0;
}

void add(CLI::App& app, std::function<int()>& action, const char* name, const char* what, bool recover) {
  auto* command = app.add_subcommand(name, what);
  auto o = std::make_shared<TrainOptions>();
  command->add_option("deck", o->deck, "TOML deck")->required()->check(not_empty("a deck"));
  o->output.add_to(*command, "folder for state.h5 and result.json")->required();
  repeated(command->add_option("--set", o->overrides, "key=value, overrides the deck; may be repeated"));
  command->add_flag("--restart", o->restart, "go on from the state in --out, where there is one")
      ->excludes("--overwrite");
  command->callback([o, recover, &action] { action = [o, recover] { return train(*o, recover); }; });
}

}  // namespace

void add_train_command(CLI::App& app, std::function<int()>& action) {
  add(app, action, "train", "Train a new model on a text", false);
}

void add_recover_command(CLI::App& app, std::function<int()>& action) {
  add(app, action, "recover", "Train a pruned model on; its zeros stay", true);
}

}  // namespace wafermark::llama
