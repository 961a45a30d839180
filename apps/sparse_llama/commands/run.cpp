#include "sparse_llama/commands/run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>

#include "common/errors.hpp"
#include "common/memory.hpp"
#include "common/option_checks.hpp"
#include "common/results/result.hpp"
#include "common/runtime.hpp"
#include "common/signals.hpp"
#include "sparse_llama/cluster/decoder.hpp"
#include "sparse_llama/cluster/generation.hpp"
#include "sparse_llama/cluster/memory_probe.hpp"
#include "sparse_llama/commands/model_options.hpp"
#include "sparse_llama/commands/result_folder.hpp"
#include "sparse_llama/commands/used_options.hpp"
#include "sparse_llama/commands/wafer_options.hpp"
#include "sparse_llama/kernels/row_dots.hpp"
#include "sparse_llama/model/configuration_file.hpp"
#include "sparse_llama/model/memory_need.hpp"
#include "sparse_llama/model/shares.hpp"
#include "sparse_llama/model/text_file.hpp"
#include "sparse_llama/model/tokenizer.hpp"
#include "sparse_llama/wafer/wafer_decoder.hpp"

namespace wafermark::llama {
namespace {

struct RunOptions {
  ModelOptions model;
  WaferOptions wafer;
  OutputOptions output;
  std::string target = "cluster", tokenizer;
  std::optional<std::string> prompt, prompt_file;
  std::int64_t prompt_tokens = 64, tokens = 64, sequences = 1;
  SamplingSettings sampling;
  bool ignore_end = false, quiet = false;
};

std::unique_ptr<Tokenizer> find_tokenizer(const RunOptions& o, const Configuration& c) {
  const std::string path = tokenizer_for(o.model.model, o.tokenizer);
  if (path.empty()) {
    if (o.prompt || o.prompt_file)
      throw InputError("a text prompt: found no tokenizer, expected --tokenizer or one beside the model");
    return nullptr;
  }
  auto tokenizer = read_tokenizer(path);
  expect_fits(*tokenizer, c.vocabulary);
  return tokenizer;
}

/// A prompt and what is needed to go on with it.
struct Job {
  std::unique_ptr<Tokenizer> tokenizer;  ///< null when the model has none and none was given
  std::string source;                    ///< of the prompt: an option's name
  std::vector<std::int32_t> prompt;
  std::vector<std::int32_t> ends;  ///< tokens that end a text
  std::int64_t capacity = 0;       ///< tokens of each sequence

  /// Collective.
  Job(const Communicator& comm, const RunOptions& o, const Configuration& c)
      : tokenizer(find_tokenizer(o, c)) {
    if (o.prompt || o.prompt_file) {
      source = o.prompt ? "--prompt" : "--prompt-file";
      const std::string text = o.prompt ? *o.prompt : read_text(*o.prompt_file);
      require_memory(comm, tokenizer->encode_bytes(text.size()),
                     fmt::format("{}: {} bytes to encode", source, text.size()));
      prompt = tokenizer->prompt(text);
      if (prompt.empty())
        throw InputError(
            fmt::format("{}: found a text without tokens, expected one (the tokenizer puts no bos "
                        "before a text)",
                        source));
    } else {
      source = "--prompt-tokens, random";
      if (o.prompt_tokens > c.context)
        throw InputError(fmt::format("--prompt-tokens {}: expected at most the model's context of {}",
                                     o.prompt_tokens, c.context));
      const auto usual_bos = std::int32_t(std::min<std::int64_t>(1, c.vocabulary - 1));
      prompt = made_up_prompt(tokenizer != nullptr ? tokenizer->bos() : usual_bos, o.prompt_tokens,
                              c.vocabulary, o.sampling.seed);
    }
    expect_rows(prompt, c.vocabulary, source);
    if (o.tokens > c.context - std::int64_t(prompt.size()))
      throw InputError(
          fmt::format("{} tokens of prompt and {} more: expected at most the model's context of {}",
                      prompt.size(), o.tokens, c.context));
    capacity = std::int64_t(prompt.size()) + o.tokens;
    if (o.ignore_end) return;
    if (const std::string folder = folder_of_model(o.model.model); !folder.empty())
      ends = end_tokens_of(folder);
    if (ends.empty() && tokenizer != nullptr) ends = tokenizer->ends();
  }
};

/// Cache, buffers, rows of the prefill and logits: before anything is built.
void expect_room(const Communicator& comm, const RunOptions& o, const Configuration& c, const Job& job) {
  const auto sequences = double(o.sequences), prompt = double(job.prompt.size());
  const double rows = sequences * (prompt * 2 * sizeof(TokenRow) + double(c.vocabulary) * sizeof(float));
  require_memory(comm,
                 decoder_bytes(c, Shares(c, comm.rank(), comm.size()), sequences, double(job.capacity),
                               Decoder::chunk_rows) +
                     rows,
                 fmt::format("{} sequences of {} tokens", o.sequences, job.capacity));
}

/// Generates, with the text of the first sequence on the terminal.
Generation generate_shown(const RunOptions& o, const Communicator& comm, ForwardPass& model, const Job& job,
                          std::int64_t vocabulary, Result& result) {
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
  std::int64_t previous = o.sequences;
  Generation g = generate(model, comm, vocabulary, std::vector(std::size_t(o.sequences), job.prompt),
                          o.tokens, o.sampling, job.ends, [&](std::int64_t sequence, std::int32_t token) {
                            if (shown && sequence == 0) show(token);
                            const bool new_pass =
                                sequence <= previous;  // sequences of a pass come in rising order
                            previous = sequence;
                            return !new_pass || !stop.requested(comm);
                          });
  if (stop.requested(comm) && std::int64_t(g.tokens.front().size()) < o.tokens)
    result.set_incomplete(
        fmt::format("stopped by a signal at {} of {} tokens", g.tokens.front().size(), o.tokens));
  if (shown) fmt::print("{}\n\n", stream->finish());
  return g;
}

/// Rates of the machine that ran it; nothing where no token was decoded. `time`: of a prediction, its band.
void add_rates(Result& result, const RunOptions& o, const Generation& g, Kind kind,
               const std::optional<wse::Band>& time = std::nullopt) {
  const auto bounds = [&](double value, bool rate) {
    return time ? std::optional((rate ? time->inverse() : *time).of(value)) : std::nullopt;
  };
  result.add_figure(
      "decode_tokens_per_second",
      g.decode_passes > 0 ? std::optional(double(g.decode_tokens) / g.decode_seconds) : std::nullopt,
      "tokens/s", kind, fmt::format("{} tokens, {} sequences", g.decode_tokens, o.sequences),
      g.decode_passes > 0 ? bounds(double(g.decode_tokens) / g.decode_seconds, true) : std::nullopt);
  const double prefill = double(g.prefill_tokens) / g.prefill_seconds;
  result.add_figure("prefill_tokens_per_second", prefill, "tokens/s", kind,
                    fmt::format("{} tokens", g.prefill_tokens), bounds(prefill, true));
  result.add_figure("time_to_first_token", g.prefill_seconds, "s", kind, "",
                    bounds(g.prefill_seconds, false));
}

nlohmann::json model_section(const RunOptions& o, const std::string& name, Format format, ValueType type,
                             const char* instructions, const Job& job) {
  nlohmann::json section{{"name", name},
                         {"format", name_of(format)},
                         {"value", name_of(type)},
                         {"instructions", instructions},
                         {"prompt_tokens", job.prompt.size()},
                         {"sequences", o.sequences}};
  if (o.model.activation_threshold) section["activation_threshold"] = *o.model.activation_threshold;
  return section;
}

/// What was asked for, as it was used.
nlohmann::json generation_section(const RunOptions& o, const Job& job) {
  return {{"prompt", job.source},
          {"prompt_file", o.prompt_file ? nlohmann::json(*o.prompt_file) : nullptr},
          {"tokenizer", job.tokenizer != nullptr ? nlohmann::json(job.tokenizer->path()) : nullptr},
          {"tokens_asked_for", o.tokens},
          {"temperature", o.sampling.temperature},
          {"top_p", o.sampling.top_p},
          {"seed", o.sampling.seed},
          {"ignore_end", o.ignore_end},
          {"end_tokens", job.ends}};
}

/// What a simulated cluster does not run. Throws InputError.
void expect_simulated(const RunOptions& o) {
  if (o.target != "cluster")
    throw InputError(fmt::format("--target {}: found a simulated cluster, expected cluster", o.target));
  if (o.model.activation_threshold)
    throw InputError(
        "--activation-threshold: found a simulated cluster, expected none: its time is not known there");
}

/// Of the machine that ran it, which a simulated one says in its own words.
void add_machine_figures(Result& result, const Communicator& comm, const RankWeights& weights,
                         const Generation& g, double bytes, double load_seconds) {
  const double bandwidth = memory_read_bandwidth(comm, weights);
  result.add_figure("memory_read_bandwidth", bandwidth, "bytes/s", Kind::measured,
                    "the same weights, read and summed only");
  result.add_figure("bandwidth_share",
                    g.decode_passes > 0
                        ? std::optional(double(g.decode_passes) / g.decode_seconds * bytes / bandwidth)
                        : std::nullopt,
                    "1", Kind::measured, "of the probe's, while decoding");
  result.add_figure("load_seconds", load_seconds, "s", Kind::measured, "reading and packing");
}

void run_on_cluster(const RunOptions& o, const Communicator& comm, const ResultFolder& out, Result& result) {
  const double start = runtime::seconds();
  std::optional<Job> known;
  const RankWeights weights = o.model.weights(comm, [&](const Configuration& c) {
    known.emplace(comm, o, c);
    if (!o.model.hollow()) expect_room(comm, o, c, *known);
  });
  out.begin(result);
  const double load_seconds = runtime::seconds() - start;
  const Configuration& c = weights.configuration;
  const Job& job = *known;
  RegionTimes times;
  Decoder decoder(comm, weights, o.sequences, job.capacity, times);
  const bool simulated = runtime::charges_kernels();
  EnergyMeter meter(comm);
  const Generation g = generate_shown(o, comm, decoder, job, c.vocabulary, result);
  const EnergyReading energy =
      simulated ? EnergyReading{{}, "none", "energy is not simulated"} : meter.read();

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
  if (!simulated) add_machine_figures(result, comm, weights, g, bytes, load_seconds);
  result.add_figure("joules_per_token",
                    energy.joules ? std::optional(*energy.joules / double(g.prefill_tokens + g.decode_tokens))
                                  : std::nullopt,
                    "J", Kind::measured, energy.note);
  result.add_figure("cache_bytes", double(comm.sum(decoder.cache_bytes())), "bytes");
  const PackedMatrix& m = weights.layers.front().down;
  result.set_section("model", model_section(o, weights.name, m.format, m.value_type,
                                            simulated ? "simulated" : host_instructions, job));
  result.set_section("generation", generation_section(o, job));
  result.set_section("tokens", g.tokens);
  result.set_energy(energy);
  result.set_regions(times.reduce(comm));
}

/// A pass of the prompts of which only so many rows are worked out.
Generation priced_pass(const RunOptions& o, StreamedPass& model, const Job& job, std::int64_t worked_out) {
  std::vector<TokenRow> rows;
  std::vector<std::int64_t> wanted;
  for (std::int32_t s = 0; s < o.sequences; ++s) {
    for (std::size_t p = 0; p < job.prompt.size(); ++p) rows.push_back({job.prompt[p], s, std::int64_t(p)});
    wanted.push_back(std::int64_t(rows.size()) - 1);
  }
  Generation g;
  g.tokens.resize(std::size_t(o.sequences));
  model.forward(rows, wanted, std::min(worked_out, std::int64_t(rows.size())));
  g.prefill_seconds = model.seconds();
  g.prefill_tokens = std::int64_t(rows.size());
  return g;
}

void run_streamed(const RunOptions& o, const Communicator& comm, const ResultFolder& out, Result& result) {
  if (o.model.activation_threshold)
    throw InputError("--activation-threshold: found --target wafer, expected cluster");
  const WeightSource source = o.model.source();
  const Job job(comm, o, source.configuration);
  if (o.wafer.worked_out && o.tokens > 1)
    throw InputError(
        fmt::format("--tokens {}: found --worked-out, which makes none, expected --tokens 1", o.tokens));
  out.begin(result);
  const double start = runtime::seconds();
  const wse::Machine machine = o.wafer.read();
  const wse::TileGrid grid = o.wafer.grid(machine);
  const auto traced = o.wafer.traced_tiles(grid);
  StreamedSettings settings = o.wafer.streamed_settings(o.model, source);
  settings.sequences = o.sequences;
  settings.tokens = o.sequences * std::int64_t(job.prompt.size());
  settings.kept = o.tokens > 1 ? o.sequences * job.capacity : 0;
  StreamedPass pass(comm, source, machine, grid, settings, job.capacity);
  if (!traced.empty()) pass.executor().record().trace(traced, 10);
  const Generation g = o.wafer.worked_out
                           ? priced_pass(o, pass, job, *o.wafer.worked_out)
                           : generate_shown(o, comm, pass, job, source.configuration.vocabulary, result);
  add_rates(result, o, g, Kind::emulated, pass.time_band());
  pass.report(result, g.prefill_tokens + g.decode_tokens);
  result.add_figure("emulator_seconds", runtime::seconds() - start, "s", Kind::measured);
  result.set_section("model",
                     model_section(o, source.name, settings.format, settings.value_type, "emulated", job));
  result.set_section("generation", generation_section(o, job));
  result.set_section("tokens", g.tokens);
  if (!out.given()) return;
  const wse::RegionExecutor& books = pass.executor();
  books.record().write_heat_map(out.path() + "/wafer.h5", books.link_words().by_name());
  books.record().write_trace(out.path() + "/trace.json");
}

void run_on_wafer(const RunOptions& o, const Communicator& comm, const ResultFolder& out, Result& result) {
  if (o.model.activation_threshold)
    throw InputError("--activation-threshold: found --target wafer, expected cluster");
  const WeightSource source = o.model.source();
  const Configuration& c = source.configuration;
  expect_llama(c, source.name, "--target wafer");
  const Job job(comm, o, c);
  expect_numbers(source);
  out.begin(result);
  const double start = runtime::seconds();
  const auto since = [&] { return runtime::seconds() - start; };
  const wse::Machine machine = o.wafer.read();
  const wse::TileGrid grid = o.wafer.grid(machine);
  const auto traced = o.wafer.traced_tiles(grid);
  WaferSettings settings = o.wafer.settings(o.model, source);
  settings.sequences = o.sequences;
  settings.context = std::max(settings.context, job.capacity);
  WaferDecoder decoder(comm, source, machine, grid, settings);
  const double load_seconds = since();
  if (!traced.empty()) decoder.executor().record().trace(traced, 10);
  const Generation g = generate_shown(o, comm, decoder, job, c.vocabulary, result);
  add_rates(result, o, g, Kind::emulated, decoder.time_band());
  decoder.report(result, g.prefill_tokens + g.decode_tokens);
  result.add_figure("load_seconds", load_seconds, "s", Kind::measured, "packing of the emulator");
  result.add_figure("emulator_seconds", since() - load_seconds, "s", Kind::measured);
  result.set_section("model",
                     model_section(o, source.name, settings.format, settings.value_type, "emulated", job));
  result.set_section("generation", generation_section(o, job));
  result.set_section("tokens", g.tokens);
  if (!out.given()) return;
  const wse::RegionExecutor& books = decoder.executor();
  books.record().write_heat_map(out.path() + "/wafer.h5", books.link_words().by_name());
  books.record().write_trace(out.path() + "/trace.json");
}

int run(const RunOptions& o, const CLI::App& command) {
  Communicator comm;
  o.wafer.check_target(o.target);
  o.wafer.check_weights();
  if (runtime::charges_kernels()) expect_simulated(o);
  Result result(comm, "sparse_llama", "run", o.target);
  result.set_section("options", used_options(command));
  const ResultFolder out(comm, o.output, "run", Writes::figures);
  out.expect_free();
  if (o.target == "wafer" && o.wafer.streamed())
    run_streamed(o, comm, out, result);
  else if (o.target == "wafer")
    run_on_wafer(o, comm, out, result);
  else
    run_on_cluster(o, comm, out, result);
  out.write(result);
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
  command->add_option("--prompt-file", o->prompt_file, "the same from a file")
      ->check(not_empty("a file"))
      ->excludes("--prompt");
  command->add_option("--prompt-tokens", o->prompt_tokens, "without a text: so many tokens that look random")
      ->transform(whole_number_in({1, 1e9}))
      ->excludes("--prompt")
      ->excludes("--prompt-file")
      ->capture_default_str();
  command->add_option("--tokens", o->tokens, "tokens to make")
      ->transform(whole_number_in({1, 1e9}))
      ->capture_default_str();
  command->add_option("--sequences", o->sequences, "sequences that go on with the prompt together")
      ->transform(whole_number_in({1, 1e6}))
      ->capture_default_str();
  command->add_option("--tokenizer", o->tokenizer, "default: the one in the model's folder")
      ->check(not_empty("a file"));
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
  o->output.add_to(*command, "folder for result.json");
  command->callback([o, command, &action] { action = [o, command] { return run(*o, *command); }; });
}

}  // namespace wafermark::llama
