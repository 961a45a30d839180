#include "sparse_llama/commands/train.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "common/errors.hpp"
#include "common/option_checks.hpp"
#include "common/results/result.hpp"
#include "common/signals.hpp"
#include "sparse_llama/compress/model_files.hpp"
#include "sparse_llama/compress/perplexity.hpp"
#include "sparse_llama/compress/trainer.hpp"

namespace wafermark::llama {
namespace {

struct TrainOptions {
  std::string deck, out;
  std::vector<std::string> overrides;
  bool restart = false;
};

Configuration read_shape(Deck& deck) {
  Configuration c;
  const Range at_least_one{1, 1e6};
  c.dim = deck.integer("model.dim", std::nullopt, "width of the residual stream", at_least_one);
  c.layers = deck.integer("model.layers", std::nullopt, "transformer blocks", at_least_one);
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

int train(const TrainOptions& o, bool recover) {
  Communicator comm;
  Result result(comm, "sparse_llama", recover ? "recover" : "train", "cluster");
  Deck deck = Deck::read(o.deck, o.overrides);
  const Sources sources = read_sources(deck, recover);
  Configuration configuration;
  if (!recover) configuration = read_shape(deck);
  const TrainingSettings settings = read_training_settings(deck, "training");
  deck.finish();
  result.set_deck(deck.file(), deck.to_toml());
  prepare_output_directory(comm, o.out);

  TokenizedText text = read_tokens(comm, sources.text, sources.tokenizer);
  TokenizedText heldout;
  if (!sources.heldout.empty()) heldout = read_tokens(comm, sources.heldout, sources.tokenizer);
  const std::string state_path = o.out + "/state.h5";
  TrainingState state;
  if (o.restart && std::filesystem::exists(state_path)) {
    state = read_training_state(comm, state_path);
  } else if (recover) {
    FlatModel model = read_flat_model(comm, sources.model);
    state = start_training(model.configuration, std::move(model.parameters), true);
  } else {
    configuration.vocabulary = text.vocabulary;
    state =
        start_training(configuration, initial_parameters(configuration, std::uint64_t(settings.seed)), false);
  }
  configuration = state.configuration;
  expect_vocabulary(sources.tokenizer, text, configuration.vocabulary);
  if (settings.length > configuration.context)
    deck.reject("training.sequence_tokens",
                fmt::format("at most the model's context {}", configuration.context));
  std::vector<float> teacher;
  if (!sources.teacher.empty()) {
    FlatModel model = read_flat_model(comm, sources.teacher);
    if (model.parameters.size() != state.parameters.size())
      throw InputError(fmt::format("{}: expected the same shape as {}", sources.teacher, sources.model));
    teacher = std::move(model.parameters);
  }

  const std::int64_t train_tokens = std::int64_t(text.tokens.size()),
                     parameters = std::int64_t(state.parameters.size());
  std::int64_t alive = 0;
  for (const auto m : state.mask) alive += m;
  if (comm.is_root())
    fmt::print("{} weights, {} not pruned; {} training tokens, {} held out; {} steps of {} x {} tokens\n",
               parameters, alive, train_tokens, heldout.tokens.size(), settings.steps, settings.batch,
               settings.length);
  const auto evaluate = [&] {
    return perplexity(comm, configuration, state.parameters, heldout.tokens, heldout.bos,
                      configuration.context);
  };
  Trainer trainer(comm, settings, std::move(text.tokens), text.bos, std::move(teacher));
  StopRequest stop;
  bool stopped = false;
  const double first_seconds = state.seconds;
  const std::int64_t first_step = state.step;
  const auto after_step = [&](const TrainingState& s) {
    stopped = s.step < settings.steps && stop.requested(comm);
    const bool last = s.step == settings.steps;
    if (stopped || last || s.step % settings.checkpoint_every == 0) write_training_state(comm, state_path, s);
    if (!heldout.tokens.empty() && !last && s.step % settings.evaluate_every == 0) {
      const double value = evaluate();
      if (comm.is_root()) fmt::print("step {}: held-out perplexity {:.4f}\n", s.step, value);
    }
    return !stopped;
  };
  nlohmann::json history = nlohmann::json::array();
  trainer.run(state, after_step, [&](const TrainingReport& r) {
    if (!comm.is_root()) return;
    history.push_back({{"step", r.step}, {"token_loss", r.loss.token}, {"total_loss", r.loss.total}});
    fmt::print("step {} of {}: loss {:.4f}", r.step, settings.steps, r.loss.token);
    if (settings.loss.logit != 0) fmt::print(", teacher KL {:.4f}", r.loss.logit);
    if (settings.loss.feature != 0) fmt::print(", features {:.4f}", r.loss.feature);
    fmt::print("; rate {:.2e}, gradient {:.3f}, {:.0f} tokens/s\n", r.learning_rate, r.gradient_norm,
               r.tokens_per_second);
    std::fflush(stdout);
  });
  if (stopped) {
    if (comm.is_root()) fmt::print("stopped at step {}; go on with --restart\n", state.step);
    return 0;
  }
  const double tokens = double((state.step - first_step) * settings.batch * settings.length);
  result.add_figure("training_tokens", double(state.step * settings.batch * settings.length), "tokens");
  result.add_figure("training_seconds", state.seconds, "s");
  if (tokens > 0) result.add_figure("training_rate", tokens / (state.seconds - first_seconds), "tokens/s");
  if (!heldout.tokens.empty())
    result.add_figure("perplexity", evaluate(), "1", Kind::measured, "held-out text");
  result.add_figure("weights", double(parameters), "1");
  result.add_figure("weights_not_pruned", double(alive), "1");
  result.set_section("loss_history", history);
  result.write(comm, o.out);
  if (comm.is_root()) fmt::print("{}", result.summary());
  return 0;
}

void add(CLI::App& app, std::function<int()>& action, const char* name, const char* what, bool recover) {
  auto* command = app.add_subcommand(name, what);
  auto o = std::make_shared<TrainOptions>();
  command->add_option("deck", o->deck, "TOML deck")->required();
  command->add_option("--out", o->out, "folder for state.h5 and result.json")
      ->required()
      ->check(not_empty("a folder"));
  repeated(command->add_option("--set", o->overrides, "key=value, overrides the deck; may be repeated"));
  command->add_flag("--restart", o->restart, "go on from the state in --out, where there is one");
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
