#include "sparse_llama/commands/compare.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <set>

#include "common/energy_meter.hpp"
#include "common/errors.hpp"
#include "common/memory.hpp"
#include "common/option_checks.hpp"
#include "common/results/result.hpp"
#include "sparse_llama/cluster/decoder.hpp"
#include "sparse_llama/cluster/generation.hpp"
#include "sparse_llama/cluster/memory_probe.hpp"
#include "sparse_llama/commands/model_options.hpp"
#include "sparse_llama/commands/result_folder.hpp"
#include "sparse_llama/commands/used_options.hpp"
#include "sparse_llama/commands/wafer_options.hpp"
#include "sparse_llama/kernels/row_dots.hpp"
#include "sparse_llama/model/blas_kernels.hpp"
#include "sparse_llama/model/memory_need.hpp"

namespace wafermark::llama {
namespace {

struct CompareOptions {
  ModelOptions model;
  std::vector<std::string> formats{"dense", "bit_mask"};
  std::int64_t rounds = 9, prompt_tokens = 64, tokens = 16;
  std::vector<std::int64_t> together{1};

  std::int64_t most_together() const { return *std::max_element(together.begin(), together.end()); }
  OutputOptions output;
};

/// Of the rounds, one number each.
struct Spread {
  double smallest, median, largest;
  explicit Spread(std::vector<double> of) {
    std::sort(of.begin(), of.end());
    const std::size_t n = of.size();
    smallest = of.front();
    largest = of.back();
    median = (of[(n - 1) / 2] + of[n / 2]) / 2;
  }
  std::string text(int digits) const {
    return fmt::format("{1:.{0}f} ({2:.{0}f} ... {3:.{0}f})", digits, median, smallest, largest);
  }
  nlohmann::json json() const { return {{"median", median}, {"smallest", smallest}, {"largest", largest}}; }
};

/// Element by element.
std::vector<double> ratios(std::vector<double> of, const std::vector<double>& to) {
  for (std::size_t i = 0; i < of.size(); ++i) of[i] /= to[i];
  return of;
}

/// What each round measured of so many sequences together; joules where a meter counts them.
struct Batch {
  std::int64_t sequences;
  std::vector<double> decode, prefill, joules;
  std::string meter;

  void forget() { decode = prefill = joules = {}; }
  std::optional<Spread> joules_per_token() const {
    return joules.empty() ? std::nullopt : std::optional<Spread>(joules);
  }
};

std::vector<Prompt> prompts_of(const CompareOptions& o, std::int64_t sequences, std::int64_t vocabulary) {
  const auto first = std::int32_t(std::min<std::int64_t>(1, vocabulary - 1));
  std::vector<Prompt> prompts;
  for (std::int64_t k = 1; k <= sequences; ++k)
    prompts.push_back({made_up_prompt(first, o.prompt_tokens, vocabulary, std::uint64_t(k)), o.tokens});
  return prompts;
}

/// The model in one format, and what each round measured of it.
struct Contender {
  RankWeights weights;
  RegionTimes times;
  Decoder decoder;
  double bytes;  ///< read by a token of a sequence alone, by all ranks
  std::vector<Batch> batches;
  std::vector<double> share, bandwidth;

  Contender(const Communicator& comm, RankWeights&& packed, const CompareOptions& o,
            const std::shared_ptr<DeviceSums>& sums)
      : weights(std::move(packed)),
        decoder(comm, weights, o.most_together(), o.prompt_tokens + o.tokens, times, native_form(),
                o.model.cache_type(layers().value_type), sums),
        bytes(comm.sum(decoder.bytes_per_token(o.prompt_tokens + o.tokens / 2))) {
    for (const std::int64_t sequences : o.together) batches.push_back({sequences, {}, {}, {}, {}});
  }
  const PackedMatrix& layers() const { return weights.layers.front().down; }

  void measure(const Communicator& comm, const CompareOptions& o) {
    const std::int64_t vocabulary = weights.configuration.vocabulary;
    for (Batch& b : batches) {
      GenerationSettings settings;
      settings.slots = b.sequences;
      EnergyMeter meter(comm);
      const Generation g =
          generate(decoder, comm, vocabulary, prompts_of(o, b.sequences, vocabulary), settings);
      const EnergyReading energy = meter.read();
      b.decode.push_back(double(g.decode_tokens) / g.decode_seconds);
      b.prefill.push_back(double(g.prefill_tokens) / g.prefill_seconds);
      b.meter = energy.note;
      if (energy.joules) b.joules.push_back(*energy.joules / double(g.prefill_tokens + g.decode_tokens));
    }
    bandwidth.push_back(memory_read_bandwidth(comm, weights));
    // Of the first batch: the weights are read once for all of its sequences.
    share.push_back(batches.front().decode.back() / double(batches.front().sequences) * bytes /
                    bandwidth.back());
  }
  void forget() {
    for (Batch& b : batches) b.forget();
    share = bandwidth = {};
  }
};

/// The kernels of all formats, each once.
std::string instructions_of(const std::vector<std::unique_ptr<Contender>>& contenders) {
  std::set<std::string> each;
  for (const auto& c : contenders) each.insert(c->decoder.instructions());
  return fmt::format("{}", fmt::join(each, "; "));
}

/// Of prompts, to the base; none where a crippled BLAS multiplied some.
std::optional<Spread> prefill_ratio_of(const Batch& b, const Batch& base) {
  if (crippled_blas(blas_kernels(), widest_vectors())) return std::nullopt;
  return Spread(ratios(b.prefill, base.prefill));
}

nlohmann::json record_of(const Batch& b, const Batch& base) {
  const auto joules = b.joules_per_token();
  const auto prefill_ratio = prefill_ratio_of(b, base);
  return {{"sequences", b.sequences},
          {"decode_tokens_per_second", Spread(b.decode).json()},
          {"prefill_tokens_per_second", Spread(b.prefill).json()},
          {"decode_ratio", Spread(ratios(b.decode, base.decode)).json()},
          {"prefill_ratio", prefill_ratio ? prefill_ratio->json() : nlohmann::json()},
          {"joules_per_token", joules ? joules->json() : nlohmann::json()},
          {"meter", b.meter},
          {"rounds",
           {{"decode_tokens_per_second", b.decode},
            {"prefill_tokens_per_second", b.prefill},
            {"joules_per_token", b.joules}}}};
}

int compare(const CompareOptions& o, const CLI::App& command) {
  Communicator comm;
  Result result(comm, "sparse_llama", "compare", "cluster");
  result.set_section("options", used_options(command));
  const ResultFolder out(comm, o.output, "compare", Writes::figures);
  out.expect_free();
  if (o.formats.size() < 2)
    throw InputError(fmt::format("--formats: found {}, expected two or more", o.formats.size()));
  std::vector<Format> formats;
  for (const std::string& name : o.formats) formats.push_back(format_named(name, "--formats"));
  const ValueType type = value_type_named(o.model.value, "--value");
  for (const Format format : formats) expect_holds(format, type, "--value");
  if (o.model.model.ends_with(".h5"))
    throw InputError(
        fmt::format("{}: found weights packed in one format, expected a checkpoint", o.model.model));
  Decoder::check_environment(comm);
  const auto sums = device_sums(comm);
  result.set_device_sums(sums->by());
  const WeightSource source = o.model.source();
  const std::int64_t context = source.configuration.context;
  if (o.prompt_tokens > context || o.tokens > context - o.prompt_tokens)
    throw InputError(fmt::format(
        "--prompt-tokens and --tokens: found {} and {}, expected at most the model's context of {} "
        "together",
        o.prompt_tokens, o.tokens, context));

  double bytes = 0;
  const Configuration& shape = source.configuration;
  const double density = 1 - estimated_sparsity(source);
  for (const Format format : formats)
    bytes +=
        packed_bytes(shape, format, type, density) / comm.size() +
        decoder_bytes(shape, Shares(shape, comm.rank(), comm.size()), o.model.cache_type(type),
                      double(o.most_together()), double(o.prompt_tokens + o.tokens), Decoder::chunk_rows);
  require_memory(comm, bytes, fmt::format("{} in {} formats at once", source.name, formats.size()));
  std::vector<std::unique_ptr<Contender>> contenders;  // decoders hold on to their weights' places
  for (const Format format : formats)
    contenders.push_back(
        std::make_unique<Contender>(comm, pack_rank_weights(comm, source, format, type), o, sums));
  out.begin(result);  // all weights are read and are numbers

  for (std::int64_t round = -1; round < o.rounds; ++round)
    for (const auto& c : contenders) {
      c->measure(comm, o);
      if (round < 0) c->forget();  // caches and pages were cold
    }

  std::string table = fmt::format("{}, {} values, {} rounds: median (smallest ... largest)\n", source.name,
                                  o.model.value, o.rounds);
  const std::string over = "over " + o.formats.front();
  const auto line = [&](auto... cells) {
    table += fmt::format("{:<9} {:>11}  {:>8}  {:<24}  {:<20}  {:<25}  {:<20}  {:>9}  {}\n", cells...);
  };
  line("format", "bits/weight", "together", "decode, tokens/s", over, "prefill, tokens/s", over, "J/token",
       "decoding reads");
  auto section = nlohmann::json::array();
  const Contender& base = *contenders.front();
  for (const auto& c : contenders) {
    const char* format = name_of(c->layers().format);
    const Spread share(c->share), bandwidth(c->bandwidth);
    const WeightFigures w = weight_figures(comm, c->weights);
    auto together = nlohmann::json::array();
    for (std::size_t k = 0; k < c->batches.size(); ++k) {
      const Batch &b = c->batches[k], &of_base = base.batches[k];
      const Spread decode_ratio(ratios(b.decode, of_base.decode));
      const auto prefill_ratio = prefill_ratio_of(b, of_base);
      const auto joules = b.joules_per_token();
      line(format, fmt::format("{:.2f}", w.bits_per_weight), b.sequences, Spread(b.decode).text(2),
           decode_ratio.text(2), Spread(b.prefill).text(1), prefill_ratio ? prefill_ratio->text(2) : "-",
           joules ? fmt::format("{:.3g}", joules->median) : "-",
           k > 0 ? "" : fmt::format("{:.0f} % of {:.1f} GB/s", 100 * share.median, bandwidth.median / 1e9));
      together.push_back(record_of(b, of_base));
      if (c == contenders.front()) continue;
      const std::string how = fmt::format("{}, {} rounds: ", over, o.rounds),
                        of_batch = k > 0 ? fmt::format("_together_{}", b.sequences) : "";
      result.add_figure(fmt::format("decode_ratio_{}{}", format, of_batch), decode_ratio.median, "1",
                        Kind::measured, how + decode_ratio.text(2));
      result.add_figure(fmt::format("prefill_ratio_{}{}", format, of_batch),
                        prefill_ratio ? std::optional(prefill_ratio->median) : std::nullopt, "1",
                        Kind::measured, prefill_ratio ? how + prefill_ratio->text(2) : blas_description());
    }
    nlohmann::json row = together.front();  // what is said of one batch is that of the first
    row.update({{"format", format},
                {"value", name_of(c->layers().value_type)},
                {"sparsity", w.sparsity},
                {"bits_per_weight", w.bits_per_weight},
                {"weight_bytes", w.bytes},
                {"memory_read_bandwidth", bandwidth.json()},
                {"bandwidth_share", share.json()},
                {"together", together}});
    row["rounds"]["memory_read_bandwidth"] = c->bandwidth;
    row["rounds"]["bandwidth_share"] = c->share;
    section.push_back(std::move(row));
  }
  result.set_section("model", {{"name", source.name},
                               {"value", o.model.value},
                               {"cache", name_of(o.model.cache_type(type))},
                               {"prompt_tokens", o.prompt_tokens},
                               {"instructions", instructions_of(contenders)},
                               {"blas", blas_description()}});
  result.set_section("formats", section);
  out.write(result);
  if (comm.is_root()) fmt::print("{}", table);
  return 0;
}

}  // namespace

void add_compare_command(CLI::App& app, std::function<int()>& action) {
  auto* command = app.add_subcommand("compare", "The same weights in several formats, in turn, as ratios");
  auto o = std::make_shared<CompareOptions>();
  o->model.add_model_to(*command);
  o->model.add_value_to(*command);
  o->model.add_cache_to(*command);
  command
      ->add_option("--formats", o->formats, "the first is what the others are compared with: dense, csr, ...")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->capture_default_str();
  command->add_option("--rounds", o->rounds, "each with a prompt and tokens in every format")
      ->transform(whole_number_in({1, 1e9}))
      ->capture_default_str();
  command->add_option("--prompt-tokens", o->prompt_tokens, "that look random")
      ->transform(whole_number_in({1, 1e9}))
      ->capture_default_str();
  command
      ->add_option("--together", o->together,
                   "sequences that decode together; several numbers, each by itself: 1,4,16")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->transform(whole_number_in({1, 1e6}))
      ->capture_default_str();
  command->add_option("--tokens", o->tokens, "to make after each prompt")
      ->transform(whole_number_in({2, 1e9}))
      ->capture_default_str();
  o->output.add_to(*command, "folder for result.json");
  command->callback([o, command, &action] { action = [o, command] { return compare(*o, *command); }; });
}

}  // namespace wafermark::llama
