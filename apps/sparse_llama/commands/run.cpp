#include "sparse_llama/commands/run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>

#include "common/errors.hpp"
#include "common/option_checks.hpp"
#include "common/results/result.hpp"
#include "common/signals.hpp"
#include "sparse_llama/cluster/decoder.hpp"
#include "sparse_llama/cluster/generation.hpp"
#include "sparse_llama/cluster/memory_probe.hpp"
#include "sparse_llama/commands/model_options.hpp"
#include "sparse_llama/commands/wafer_options.hpp"
#include "sparse_llama/kernels/row_dots.hpp"
#include "sparse_llama/model/tokenizer.hpp"
#include "sparse_llama/wafer/wafer_decoder.hpp"

namespace wafermark::llama {
namespace {

struct RunOptions {
  ModelOptions model;
  WaferOptions wafer;
  std::string target = "cluster", tokenizer, prompt, prompt_file, out;
  std::int64_t prompt_tokens = 64, tokens = 64, sequences = 1;
  SamplingSettings sampling;
  bool ignore_end = false, quiet = false;
};

/// Empty when the model has none beside it and none was given.
std::unique_ptr<Tokenizer> find_tokenizer(const RunOptions& o, const Configuration& c) {
  const std::string path = o.tokenizer.empty() ? tokenizer_beside(o.model.model) : o.tokenizer;
  if (path.empty()) {
    if (!o.prompt.empty() || !o.prompt_file.empty())
      throw InputError("a text prompt: found no tokenizer, expected --tokenizer or one beside the model");
    return nullptr;
  }
  auto tokenizer = read_tokenizer(path);
  if (tokenizer->vocabulary() > c.vocabulary)
    throw InputError(fmt::format("{}: found {} pieces, expected at most the model's vocabulary of {}", path,
                                 tokenizer->vocabulary(), c.vocabulary));
  return tokenizer;
}

/// The prompt as tokens; without a text, tokens that look random.
std::vector<std::int32_t> prompt_of(const RunOptions& o, const Configuration& c, const Tokenizer* tokenizer) {
  std::string text = o.prompt;
  if (!o.prompt_file.empty()) {
    std::ifstream in(o.prompt_file, std::ios::binary);
    std::stringstream content;
    content << in.rdbuf();
    if (!in) throw InputError(fmt::format("{}: cannot be read, expected a text", o.prompt_file));
    text = content.str();
  }
  if (tokenizer == nullptr || text.empty())
    return made_up_prompt(tokenizer != nullptr ? std::max(tokenizer->bos(), 0) : 1, o.prompt_tokens,
                          c.vocabulary, o.sampling.seed);
  std::vector<std::int32_t> tokens = tokenizer->encode(text);
  if (tokenizer->bos() >= 0) tokens.insert(tokens.begin(), tokenizer->bos());
  return tokens;
}

/// A prompt and what is needed to go on with it.
struct Job {
  std::unique_ptr<Tokenizer> tokenizer;
  std::vector<std::int32_t> prompt;
  std::int64_t capacity;  ///< tokens of each sequence

  Job(const RunOptions& o, const Configuration& c)
      : tokenizer(find_tokenizer(o, c)),
        prompt(prompt_of(o, c, tokenizer.get())),
        capacity(std::int64_t(prompt.size()) + o.tokens) {
    if (capacity > c.context)
      throw InputError(
          fmt::format("{} tokens of prompt and {} more: expected at most the model's context of {}",
                      prompt.size(), o.tokens, c.context));
  }
};

/// Generates, with the text of the first sequence on the terminal.
Generation generate_shown(const RunOptions& o, const Communicator& comm, ForwardPass& model, const Job& job,
                          std::int64_t vocabulary) {
  const bool shown = comm.is_root() && !o.quiet && job.tokenizer != nullptr;
  std::optional<TextStream> stream;
  if (shown) stream.emplace(*job.tokenizer);
  const auto show = [&](std::int32_t token) {
    fmt::print("{}", stream->next(token));
    std::fflush(stdout);
  };
  if (shown)
    for (const std::int32_t token : job.prompt) show(token);
  const StopRequest stop;
  Generation g = generate(
      model, comm, vocabulary, std::vector(std::size_t(o.sequences), job.prompt), o.tokens, o.sampling,
      job.tokenizer != nullptr && !o.ignore_end ? job.tokenizer->ends() : std::vector<std::int32_t>{},
      [&](std::int64_t sequence, std::int32_t token) {
        if (shown && sequence == 0) show(token);
        return sequence > 0 || !stop.requested(comm);
      });
  if (shown) fmt::print("{}\n\n", stream->finish());
  return g;
}

/// Rates of the machine that ran it; nothing where no token was decoded.
void add_rates(Result& result, const RunOptions& o, const Generation& g, Kind kind) {
  result.add_figure(
      "decode_tokens_per_second",
      g.decode_passes > 0 ? std::optional(double(g.decode_tokens) / g.decode_seconds) : std::nullopt,
      "tokens/s", kind, fmt::format("{} tokens, {} sequences", g.decode_tokens, o.sequences));
  result.add_figure("prefill_tokens_per_second", double(g.prefill_tokens) / g.prefill_seconds, "tokens/s",
                    kind, fmt::format("{} tokens", g.prefill_tokens));
  result.add_figure("time_to_first_token", g.prefill_seconds, "s", kind);
}

nlohmann::json model_section(const RunOptions& o, const std::string& name, Format format, ValueType type,
                             const char* instructions, const Job& job) {
  return {{"name", name},
          {"format", name_of(format)},
          {"value", name_of(type)},
          {"instructions", instructions},
          {"prompt_tokens", job.prompt.size()},
          {"sequences", o.sequences}};
}

void run_on_cluster(const RunOptions& o, const Communicator& comm, Result& result) {
  const auto start = std::chrono::steady_clock::now();
  const RankWeights weights = o.model.weights(comm);
  const double load_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const Configuration& c = weights.configuration;
  const Job job(o, c);
  RegionTimes times;
  Decoder decoder(comm, weights, o.sequences, job.capacity, times);
  const double bandwidth = memory_read_bandwidth(comm, weights);
  EnergyMeter meter(comm);
  const Generation g = generate_shown(o, comm, decoder, job, c.vocabulary);
  const EnergyReading energy = meter.read();

  const double bytes =
      comm.sum(decoder.bytes_per_token(std::int64_t(job.prompt.size()) + g.decode_passes / 2));
  const double together = g.decode_passes > 0 ? double(g.decode_tokens) / double(g.decode_passes) : 1;
  add_rates(result, o, g, Kind::measured);
  add_weight_figures(result, comm, weights);
  result.add_figure("bytes_per_token", bytes / together, "bytes", Kind::measured,
                    "weights, keys and values read, from the sizes of their arrays");
  if (o.model.activation_threshold)
    result.add_figure("inactive_hidden_units", comm.sum(decoder.inactive_share()) / comm.size(), "1",
                      Kind::measured, "whose weights of down_proj were not read");
  result.add_figure("memory_read_bandwidth", bandwidth, "bytes/s", Kind::measured,
                    "the same weights, read and summed only");
  result.add_figure("bandwidth_share",
                    g.decode_passes > 0
                        ? std::optional(double(g.decode_passes) / g.decode_seconds * bytes / bandwidth)
                        : std::nullopt,
                    "1", Kind::measured, "of the probe's, while decoding");
  result.add_figure("joules_per_token",
                    energy.joules ? std::optional(*energy.joules / double(g.prefill_tokens + g.decode_tokens))
                                  : std::nullopt,
                    "J", Kind::measured, energy.note);
  result.add_figure("cache_bytes", double(comm.sum(decoder.cache_bytes())), "bytes");
  result.add_figure("load_seconds", load_seconds, "s", Kind::measured, "reading and packing");
  const PackedMatrix& m = weights.layers.front().down;
  result.set_section("model", model_section(o, weights.name, m.format, m.value_type, host_instructions, job));
  result.set_section("tokens", g.tokens);
  result.set_energy(energy);
  result.set_regions(times.reduce(comm));
}

void run_on_wafer(const RunOptions& o, const Communicator& comm, Result& result) {
  if (o.model.activation_threshold)
    throw InputError("--activation-threshold: found --target wafer, expected cluster");
  const WeightSource source = o.model.source();
  const Configuration& c = source.configuration;
  const Job job(o, c);
  const auto start = std::chrono::steady_clock::now();
  const auto since = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  const wse::Machine machine = o.wafer.read();
  const wse::TileGrid grid = o.wafer.grid(machine);
  const auto traced = o.wafer.traced_tiles(grid);
  WaferSettings settings = o.wafer.settings(o.model, source);
  settings.sequences = o.sequences;
  settings.context = std::max(settings.context, job.capacity);
  WaferDecoder decoder(comm, source, machine, grid, settings);
  const double load_seconds = since();
  if (!traced.empty()) decoder.times().phases().trace(traced, 10);
  const Generation g = generate_shown(o, comm, decoder, job, c.vocabulary);
  add_rates(result, o, g, Kind::emulated);
  decoder.report(result, g.prefill_tokens + g.decode_tokens);
  result.add_figure("load_seconds", load_seconds, "s", Kind::measured, "packing of the emulator");
  result.add_figure("emulator_seconds", since() - load_seconds, "s", Kind::measured);
  result.set_section("model",
                     model_section(o, source.name, settings.format, settings.value_type, "emulated", job));
  result.set_section("tokens", g.tokens);
  if (o.out.empty()) return;
  decoder.times().phases().write_heat_map(o.out + "/wafer.h5");
  decoder.times().phases().write_trace(o.out + "/trace.json");
}

int run(const RunOptions& o) {
  Communicator comm;
  o.wafer.check_target(o.target);
  Result result(comm, "sparse_llama", "run", o.target);
  if (!o.out.empty()) prepare_output_directory(comm, o.out);
  if (o.target == "wafer")
    run_on_wafer(o, comm, result);
  else
    run_on_cluster(o, comm, result);
  if (!o.out.empty()) result.write(comm, o.out);
  if (comm.is_root()) fmt::print("{}", result.summary());
  return 0;
}

}  // namespace

void add_run_command(CLI::App& app, std::function<int()>& action) {
  auto* command = app.add_subcommand("run", "Go on with a prompt: prefill and decoding, with rates");
  auto o = std::make_shared<RunOptions>();
  o->model.add_model_to(*command);
  o->model.add_storage_to(*command);
  o->model.add_activation_to(*command);
  command->add_option("--target", o->target, "cluster: MPI ranks; wafer: the emulated machine")
      ->check(one_of({"cluster", "wafer"}))
      ->capture_default_str();
  o->wafer.add_to(*command);
  o->wafer.add_trace_to(*command);
  command->add_option("--prompt", o->prompt, "text to go on with");
  command->add_option("--prompt-file", o->prompt_file, "the same from a file")->excludes("--prompt");
  command->add_option("--prompt-tokens", o->prompt_tokens, "without a text: so many tokens that look random")
      ->transform(whole_number_in({1, 1e9}))
      ->capture_default_str();
  command->add_option("--tokens", o->tokens, "tokens to make")
      ->transform(whole_number_in({1, 1e9}))
      ->capture_default_str();
  command->add_option("--sequences", o->sequences, "sequences that go on with the prompt together")
      ->transform(whole_number_in({1, 1e6}))
      ->capture_default_str();
  command->add_option("--tokenizer", o->tokenizer, "default: tokenizer.model in the model's folder");
  command->add_option("--temperature", o->sampling.temperature, "0: the most likely token")
      ->check(number_in({0, 1e6}))
      ->capture_default_str();
  command
      ->add_option("--top-p", o->sampling.top_p, "nucleus: draw from the likeliest tokens that sum to this")
      ->check(number_in({0, 1}))
      ->capture_default_str();
  command->add_option("--seed", o->sampling.seed, "of the draws")
      ->transform(whole_number_in({0, 9e15}))
      ->capture_default_str();
  command->add_flag("--ignore-end", o->ignore_end, "go on behind the token that ends a text");
  command->add_flag("--quiet", o->quiet, "figures only");
  command->add_option("--out", o->out, "folder for result.json")->check(not_empty("a folder"));
  command->callback([o, &action] { action = [o] { return run(*o); }; });
}

}  // namespace wafermark::llama
