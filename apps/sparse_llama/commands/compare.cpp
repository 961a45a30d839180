#include "sparse_llama/commands/compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

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
#include "sparse_llama/model/memory_need.hpp"

namespace wafermark::llama {
namespace {

struct CompareOptions {
  ModelOptions model;
  std::vector<std::string> formats{"dense", "bit_mask"};
  std::int64_t rounds = 9, prompt_tokens = 64, tokens = 16;
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

/// The model in one format, and what each round measured of it.
struct Contender {
  RankWeights weights;
  RegionTimes times;
  Decoder decoder;
  double bytes;  ///< read by a token, by all ranks
  std::vector<double> decode, prefill, share, bandwidth;

  Contender(const Communicator& comm, RankWeights&& packed, const CompareOptions& o)
      : weights(std::move(packed)),
        decoder(comm, weights, 1, o.prompt_tokens + o.tokens, times),
        bytes(comm.sum(decoder.bytes_per_token(o.prompt_tokens + o.tokens / 2))) {}
  const PackedMatrix& layers() const { return weights.layers.front().down; }

  void measure(const Communicator& comm, const CompareOptions& o) {
    const std::int64_t vocabulary = weights.configuration.vocabulary;
    const std::vector<Prompt> prompt{{made_up_prompt(std::int32_t(std::min<std::int64_t>(1, vocabulary - 1)),
                                                     o.prompt_tokens, vocabulary, 1),
                                      o.tokens}};
    const Generation g = generate(decoder, comm, vocabulary, prompt, {});
    decode.push_back(double(g.decode_tokens) / g.decode_seconds);
    prefill.push_back(double(g.prefill_tokens) / g.prefill_seconds);
    bandwidth.push_back(memory_read_bandwidth(comm, weights));
    share.push_back(decode.back() * bytes / bandwidth.back());
  }
};

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
  if (o.model.model.ends_with(".h5"))
    throw InputError(
        fmt::format("{}: found weights packed in one format, expected a checkpoint", o.model.model));
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
    bytes += packed_bytes(shape, format, type, density) / comm.size() +
             decoder_bytes(shape, Shares(shape, comm.rank(), comm.size()), 1,
                           double(o.prompt_tokens + o.tokens), Decoder::chunk_rows);
  require_memory(comm, bytes, fmt::format("{} in {} formats at once", source.name, formats.size()));
  std::vector<std::unique_ptr<Contender>> contenders;  // decoders hold on to their weights' places
  for (const Format format : formats)
    contenders.push_back(std::make_unique<Contender>(comm, pack_rank_weights(comm, source, format, type), o));
  out.begin(result);  // all weights are read and are numbers

  for (std::int64_t round = -1; round < o.rounds; ++round)
    for (const auto& c : contenders) {
      c->measure(comm, o);
      if (round < 0) c->decode = c->prefill = c->share = c->bandwidth = {};  // caches and pages were cold
    }

  std::string table = fmt::format("{}, {} values, {} rounds: median (smallest ... largest)\n", source.name,
                                  o.model.value, o.rounds);
  const std::string over = "over " + o.formats.front();
  const auto line = [&](auto... cells) {
    table += fmt::format("{:<9} {:>11}  {:<24}  {:<20}  {:<25}  {:<20}  {}\n", cells...);
  };
  line("format", "bits/weight", "decode, tokens/s", over, "prefill, tokens/s", over, "decoding reads");
  auto section = nlohmann::json::array();
  const Contender& base = *contenders.front();
  for (const auto& c : contenders) {
    const char* format = name_of(c->layers().format);
    const Spread decode(c->decode), prefill(c->prefill), share(c->share), bandwidth(c->bandwidth),
        decode_ratio(ratios(c->decode, base.decode)), prefill_ratio(ratios(c->prefill, base.prefill));
    const WeightFigures w = weight_figures(comm, c->weights);
    line(format, fmt::format("{:.2f}", w.bits_per_weight), decode.text(2), decode_ratio.text(2),
         prefill.text(1), prefill_ratio.text(2),
         fmt::format("{:.0f} % of {:.1f} GB/s", 100 * share.median, bandwidth.median / 1e9));
    section.push_back({{"format", format},
                       {"value", name_of(c->layers().value_type)},
                       {"sparsity", w.sparsity},
                       {"bits_per_weight", w.bits_per_weight},
                       {"weight_bytes", w.bytes},
                       {"decode_tokens_per_second", decode.json()},
                       {"prefill_tokens_per_second", prefill.json()},
                       {"memory_read_bandwidth", bandwidth.json()},
                       {"bandwidth_share", share.json()},
                       {"decode_ratio", decode_ratio.json()},
                       {"prefill_ratio", prefill_ratio.json()},
                       {"rounds",
                        {{"decode_tokens_per_second", c->decode},
                         {"prefill_tokens_per_second", c->prefill},
                         {"memory_read_bandwidth", c->bandwidth},
                         {"bandwidth_share", c->share}}}});
    if (c == contenders.front()) continue;
    const std::string how = fmt::format("{}, {} rounds: ", over, o.rounds);
    result.add_figure(fmt::format("decode_ratio_{}", format), decode_ratio.median, "1", Kind::measured,
                      how + decode_ratio.text(2));
    result.add_figure(fmt::format("prefill_ratio_{}", format), prefill_ratio.median, "1", Kind::measured,
                      how + prefill_ratio.text(2));
  }
  result.set_section("model",
                     {{"name", source.name}, {"value", o.model.value}, {"prompt_tokens", o.prompt_tokens}});
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
  command->add_option("--tokens", o->tokens, "to make after each prompt")
      ->transform(whole_number_in({2, 1e9}))
      ->capture_default_str();
  o->output.add_to(*command, "folder for result.json");
  command->callback([o, command, &action] { action = [o, command] { return compare(*o, *command); }; });
}

}  // namespace wafermark::llama
