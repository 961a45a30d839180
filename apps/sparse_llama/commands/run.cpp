#include "sparse_llama/commands/run.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

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
#include "sparse_llama/cluster/memory_probe.hpp"
#include "sparse_llama/commands/generation_figures.hpp"
#include "sparse_llama/commands/generation_job.hpp"
#include "sparse_llama/commands/logits_file.hpp"
#include "sparse_llama/commands/model_options.hpp"
#include "sparse_llama/commands/result_folder.hpp"
#include "sparse_llama/commands/used_options.hpp"
#include "sparse_llama/commands/wafer_options.hpp"
#include "sparse_llama/kernels/row_dots.hpp"
#include "sparse_llama/model/blas_kernels.hpp"
#include "sparse_llama/model/configuration_file.hpp"
#include "sparse_llama/model/memory_need.hpp"
#include "sparse_llama/model/shares.hpp"
#include "sparse_llama/model/tokenizer.hpp"
#include "sparse_llama/wafer/wafer_decoder.hpp"

namespace wafermark::llama {
namespace {

struct RunOptions {
  ModelOptions model;
  WaferOptions wafer;
  OutputOptions output;
  PromptOptions prompts;
  std::string target = "cluster", print_logits;
  bool quiet = false, print_tokens = false;
};

/// Cache, buffers, rows of the prefill and logits: before anything is built.
void expect_room(const Communicator& comm, const Configuration& c, const GenerationJob& job,
                 ValueType cache) {
  const auto sequences = double(job.settings.slots), prompt = double(job.longest_prompt());
  const double rows = sequences * (prompt * 2 * sizeof(TokenRow) + double(c.vocabulary) * sizeof(float));
  require_memory(comm,
                 decoder_bytes(c, Shares(c, comm.rank(), comm.size()), cache, sequences, double(job.capacity),
                               Decoder::chunk_rows) +
                     rows,
                 fmt::format("{} sequences of {} tokens", job.settings.slots, job.capacity));
}

/// The text of the first sequence as it comes; the texts of a file's prompts at the end.
class TextOnTerminal {
 public:
  TextOnTerminal(const RunOptions& o, const Communicator& comm, const GenerationJob& job)
      : job_(job), shown_(comm.is_root() && !o.quiet && job.tokenizer != nullptr) {
    if (!shown_ || job.listed) return;
    stream_.emplace(*job.tokenizer);
    for (const std::int32_t token : job.prompts.front().tokens) show(0, token);
  }
  void show(std::int64_t prompt, std::int32_t token) {
    if (!stream_ || prompt != 0) return;
    fmt::print("{}", stream_->next(token));
    std::fflush(stdout);
  }
  void finish(const Generation& g) {
    if (stream_) fmt::print("{}\n\n", stream_->finish());
    if (!shown_ || stream_) return;
    for (std::size_t i = 0; i < g.tokens.size(); ++i) {
      std::vector<std::int32_t> all = job_.prompts[i].tokens;
      all.insert(all.end(), g.tokens[i].begin(), g.tokens[i].end());
      fmt::print("[{}] {}\n\n", i + 1, decode_text(*job_.tokenizer, all));
    }
  }

 private:
  const GenerationJob& job_;
  bool shown_;
  std::optional<TextStream> stream_;
};

/// The file of --print-logits, where it was asked for.
using Logits = std::optional<LogitsFile>;
void open_logits(const RunOptions& o, const Communicator& comm, const Configuration& c, Logits& file) {
  if (!o.print_logits.empty()) file.emplace(comm, o.print_logits, o.output.overwrite, c.vocabulary);
}

Generation generate_shown(const RunOptions& o, const Communicator& comm, ForwardPass& model,
                          const GenerationJob& job, std::int64_t vocabulary, Logits& logits, Result& result) {
  TextOnTerminal text(o, comm, job);
  const StopRequest stop;
  GenerationWatch watch;
  watch.token = [&](std::int64_t prompt, std::int32_t token) { text.show(prompt, token); };
  watch.go_on = [&] { return !stop.requested(comm); };
  if (logits) watch.logits = [&](auto rows, auto values) { logits->add(rows, values); };
  Generation g = generate(model, comm, vocabulary, job.prompts, job.settings, watch);
  if (!g.complete)
    result.set_incomplete(
        fmt::format("stopped by a signal at {} of at most {} tokens", g.made(), job.asked_for()));
  text.finish(g);
  if (logits) logits->finish();
  if (o.print_tokens && comm.is_root())
    for (std::size_t i = 0; i < g.tokens.size(); ++i)
      fmt::print("sequence {}: prompt [{}], made [{}]\n", i, fmt::join(job.prompts[i].tokens, ", "),
                 fmt::join(g.tokens[i], ", "));
  return g;
}

nlohmann::json model_section(const RunOptions& o, const std::string& name, Format format, ValueType type,
                             const std::string& instructions, const GenerationJob& job) {
  nlohmann::json section{{"name", name},
                         {"format", name_of(format)},
                         {"value", name_of(type)},
                         {"instructions", instructions},
                         {"prompt_tokens", job.longest_prompt()},
                         {"sequences", job.settings.slots}};
  if (instructions.starts_with(host_instructions)) section["blas"] = blas_description();
  if (o.model.activation_threshold) section["activation_threshold"] = *o.model.activation_threshold;
  return section;
}

void add_sections(Result& result, const RunOptions& o, const GenerationJob& job, const Generation& g) {
  result.set_section("generation", job.section(o.prompts));
  result.set_section("tokens", g.tokens);
}

/// What a simulated cluster does not run. Throws InputError.
void expect_simulated(const RunOptions& o) {
  if (o.prompts.prompt_file)
    throw InputError("--prompt-file: found a simulated cluster, expected --prompt or --prompt-tokens");
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
                    decodes_alone(g)
                        ? std::optional(double(g.decode_passes) / g.decode_seconds * bytes / bandwidth)
                        : std::nullopt,
                    "1", Kind::measured, "of the probe's, while decoding");
  result.add_figure("load_seconds", load_seconds, "s", Kind::measured, "reading and packing");
}

void run_on_cluster(const RunOptions& o, const Communicator& comm, const ResultFolder& out, Result& result) {
  Decoder::check_environment(comm);
  const auto sums = device_sums(comm);
  result.set_device_sums(sums->by());
  const double start = runtime::seconds();
  std::optional<GenerationJob> known;
  Logits logits;
  const RankWeights weights = o.model.weights(comm, [&](const Configuration& c, ValueType value) {
    known.emplace(comm, o.prompts, o.model.model, c);
    if (!o.model.hollow()) expect_room(comm, c, *known, o.model.cache_type(value));
    open_logits(o, comm, c, logits);
  });
  out.begin(result);
  const double load_seconds = runtime::seconds() - start;
  const Configuration& c = weights.configuration;
  const GenerationJob& job = *known;
  RegionTimes times;
  const PackedMatrix& m = weights.layers.front().down;
  const ValueType cache = o.model.cache_type(m.value_type);
  Decoder decoder(comm, weights, job.settings.slots, job.capacity, times, native_form(), cache, sums);
  const bool simulated = runtime::charges_kernels();
  EnergyMeter meter(comm);
  const Generation g = generate_shown(o, comm, decoder, job, c.vocabulary, logits, result);
  const EnergyReading energy =
      simulated ? EnergyReading{{}, "none", "energy is not simulated"} : meter.read();

  const double bytes = comm.sum(
      decoder.bytes_per_token(std::min(job.longest_prompt() + g.decode_passes / 2, job.capacity - 1)));
  const double together = g.decode_passes > 0 ? double(g.decode_tokens) / double(g.decode_passes) : 1;
  add_rates(result, job, g, Kind::measured);
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
  result.add_figure("cache_bytes", double(comm.sum(decoder.cache_bytes())), "bytes", Kind::measured,
                    fmt::format("keys and values in {}", name_of(cache)));
  nlohmann::json model = model_section(o, weights.name, m.format, m.value_type,
                                       simulated ? "simulated" : decoder.instructions(), job);
  model["cache"] = name_of(cache);
  result.set_section("model", std::move(model));
  add_sections(result, o, job, g);
  result.set_energy(energy);
  result.set_regions(times.reduce(comm));
}

/// A pass of the prompts of which only so many rows are worked out.
Generation priced_pass(StreamedPass& model, const GenerationJob& job, std::int64_t worked_out) {
  std::vector<TokenRow> rows;
  std::vector<std::int64_t> wanted;
  for (std::size_t s = 0; s < job.prompts.size(); ++s) {
    const auto& prompt = job.prompts[s].tokens;
    for (std::size_t p = 0; p < prompt.size(); ++p)
      rows.push_back({prompt[p], std::int32_t(s), std::int64_t(p)});
    wanted.push_back(std::int64_t(rows.size()) - 1);
  }
  Generation g;
  g.tokens.resize(job.prompts.size());
  model.forward(rows, wanted, std::min(worked_out, std::int64_t(rows.size())));
  g.prefill_seconds = model.seconds();
  g.prefill_tokens = std::int64_t(rows.size());
  return g;
}

/// What the wafer does not run. Throws InputError.
void expect_on_wafer(const RunOptions& o, const WeightSource& source) {
  if (o.model.activation_threshold)
    throw InputError("--activation-threshold: found --target wafer, expected cluster");
  if (!o.model.cache.empty())
    throw InputError(fmt::format("--cache {}: found --target wafer, expected cluster", o.model.cache));
  expect_llama(source.configuration, source.name, "--target wafer");
}

/// The prompts, which all begin at once there.
GenerationJob job_on_wafer(const RunOptions& o, const Communicator& comm, const WeightSource& source) {
  GenerationJob job(comm, o.prompts, o.model.model, source.configuration);
  if (job.waits())
    throw InputError(fmt::format(
        "--target wafer: found {} prompts for {} sequences, or later arrivals, expected prompts that "
        "all begin at once",
        job.prompts.size(), job.settings.slots));
  return job;
}

void write_books(const ResultFolder& out, const wse::RegionExecutor& books) {
  if (!out.given()) return;
  books.record().write_heat_map(out.path() + "/wafer.h5", books.link_words().by_name());
  books.record().write_trace(out.path() + "/trace.json");
}

void run_streamed(const RunOptions& o, const Communicator& comm, const ResultFolder& out, Result& result) {
  const WeightSource source = o.model.source();
  expect_on_wafer(o, source);
  const GenerationJob job = job_on_wafer(o, comm, source);
  if (o.wafer.worked_out && (job.longest_made() > 1 || !o.print_logits.empty()))
    throw InputError(
        fmt::format("--tokens {}: found --worked-out, which makes none, expected --tokens 1 and no "
                    "--print-logits",
                    job.longest_made()));
  Logits logits;
  open_logits(o, comm, source.configuration, logits);
  out.begin(result);
  const double start = runtime::seconds();
  const wse::Machine machine = o.wafer.read();
  const wse::TileGrid grid = o.wafer.grid(machine);
  const auto traced = o.wafer.traced_tiles(grid);
  StreamedSettings settings = o.wafer.streamed_settings(o.model, 1.0 - estimated_sparsity(source));
  settings.sequences = job.settings.slots;
  settings.tokens = 0;
  for (const Prompt& p : job.prompts) settings.tokens += std::int64_t(p.tokens.size());
  settings.kept = job.longest_made() > 1 ? job.settings.slots * job.capacity : 0;
  StreamedPass pass(comm, source, machine, grid, settings, job.capacity);
  if (!traced.empty()) pass.executor().record().trace(traced, 10);
  const Generation g = o.wafer.worked_out ? priced_pass(pass, job, *o.wafer.worked_out)
                                          : generate_shown(o, comm, pass, job,
                                                           source.configuration.vocabulary, logits, result);
  add_rates(result, job, g, Kind::emulated, pass.time_band());
  pass.report(result, g.prefill_tokens + g.decode_tokens);
  result.add_figure("emulator_seconds", runtime::seconds() - start, "s", Kind::measured);
  result.set_section("model",
                     model_section(o, source.name, settings.format, settings.value_type, "emulated", job));
  add_sections(result, o, job, g);
  write_books(out, pass.executor());
}

void run_on_wafer(const RunOptions& o, const Communicator& comm, const ResultFolder& out, Result& result) {
  const WeightSource source = o.model.source();
  const Configuration& c = source.configuration;
  expect_on_wafer(o, source);
  const GenerationJob job = job_on_wafer(o, comm, source);
  expect_numbers(source);
  Logits logits;
  open_logits(o, comm, c, logits);
  out.begin(result);
  const double start = runtime::seconds();
  const auto since = [&] { return runtime::seconds() - start; };
  const wse::Machine machine = o.wafer.read();
  const wse::TileGrid grid = o.wafer.grid(machine);
  const auto traced = o.wafer.traced_tiles(grid);
  WaferSettings settings = o.wafer.settings(o.model, source);
  settings.sequences = job.settings.slots;
  settings.context = std::max(settings.context, job.capacity);
  WaferDecoder decoder(comm, source, machine, grid, settings);
  const double load_seconds = since();
  if (!traced.empty()) decoder.executor().record().trace(traced, 10);
  const Generation g = generate_shown(o, comm, decoder, job, c.vocabulary, logits, result);
  add_rates(result, job, g, Kind::emulated, decoder.time_band());
  decoder.report(result, g.prefill_tokens + g.decode_tokens);
  result.add_figure("load_seconds", load_seconds, "s", Kind::measured, "packing of the emulator");
  result.add_figure("emulator_seconds", since() - load_seconds, "s", Kind::measured);
  result.set_section("model",
                     model_section(o, source.name, settings.format, settings.value_type, "emulated", job));
  add_sections(result, o, job, g);
  write_books(out, decoder.executor());
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
  o->model.add_cache_to(*command);
  command->add_option("--target", o->target, "cluster: MPI ranks; wafer: the emulated machine")
      ->check(one_of({"cluster", "wafer"}))
      ->capture_default_str();
  o->wafer.add_to(*command);
  o->wafer.add_trace_to(*command);
  o->prompts.add_to(*command);
  command
      ->add_option("--print-logits", o->print_logits,
                   "*.npy to write the logits to that each token is drawn from")
      ->check(npy_file());
  command->add_flag("--print-tokens", o->print_tokens, "the numbers of all tokens, at the end");
  command->add_flag("--quiet", o->quiet, "figures only");
  o->output.add_to(*command, "folder for result.json");
  command->callback([o, command, &action] { action = [o, command] { return run(*o, *command); }; });
}

}  // namespace wafermark::llama
