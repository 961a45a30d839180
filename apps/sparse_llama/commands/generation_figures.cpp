#include "sparse_llama/commands/generation_figures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace wafermark::llama {
namespace {

/// The smallest that a share of the values is at most.
double quantile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  const auto rank = std::size_t(std::ceil(share * double(values.size())));
  return values[std::max<std::size_t>(rank, 1) - 1];
}

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double v : values) sum += v;
  return sum / double(values.size());
}

/// Of prompts that ended: seconds from their arrival.
void add_latencies(Result& result, const GenerationJob& job, const Generation& g, Kind kind) {
  std::vector<double> whole, first;
  for (std::size_t i = 0; i < job.prompts.size(); ++i) {
    if (g.times[i].ended <= 0) continue;
    whole.push_back(g.times[i].ended - job.prompts[i].arrival);
    first.push_back(g.times[i].first_token - job.prompts[i].arrival);
  }
  if (whole.empty()) return;
  const std::string of = fmt::format(", of {} prompts", whole.size()),
                    most = "95 of 100 prompts took at most this";
  result.add_figure("latency_mean", mean_of(whole), "s", kind, "from arrival to the last token" + of);
  result.add_figure("latency_p95", quantile(whole, 0.95), "s", kind, most);
  result.add_figure("time_to_first_token_mean", mean_of(first), "s", kind, "from arrival" + of);
  result.add_figure("time_to_first_token_p95", quantile(first, 0.95), "s", kind, most);
}

void add_served_rates(Result& result, const GenerationJob& job, const Generation& g, Kind kind) {
  const char* shared = "prompts and decoding share passes";
  result.add_figure("decode_tokens_per_second", std::nullopt, "tokens/s", kind, shared);
  result.add_figure("prefill_tokens_per_second", std::nullopt, "tokens/s", kind, shared);
  result.add_figure("made_tokens_per_second", double(g.made()) / g.seconds, "tokens/s", kind,
                    fmt::format("{} tokens of {} prompts in {} slots, prefill and waiting included", g.made(),
                                job.prompts.size(), job.settings.slots));
  result.add_figure("slots_busy", g.busy_seconds / (g.seconds * double(job.settings.slots)), "1", kind,
                    "share of the time of all slots");
  add_latencies(result, job, g, kind);
}

}  // namespace

bool decodes_alone(const Generation& g) { return g.decode_passes > 0 && !g.waited; }

void add_rates(Result& result, const GenerationJob& job, const Generation& g, Kind kind,
               const std::optional<wse::Band>& time) {
  if (g.waited) return add_served_rates(result, job, g, kind);
  const auto bounds = [&](double value, bool rate) {
    return time ? std::optional((rate ? time->inverse() : *time).of(value)) : std::nullopt;
  };
  result.add_figure(
      "decode_tokens_per_second",
      g.decode_passes > 0 ? std::optional(double(g.decode_tokens) / g.decode_seconds) : std::nullopt,
      "tokens/s", kind, fmt::format("{} tokens, {} sequences", g.decode_tokens, job.prompts.size()),
      g.decode_passes > 0 ? bounds(double(g.decode_tokens) / g.decode_seconds, true) : std::nullopt);
  const double prefill = double(g.prefill_tokens) / g.prefill_seconds;
  result.add_figure("prefill_tokens_per_second", prefill, "tokens/s", kind,
                    fmt::format("{} tokens", g.prefill_tokens), bounds(prefill, true));
  result.add_figure("time_to_first_token", g.prefill_seconds, "s", kind, "",
                    bounds(g.prefill_seconds, false));
}

}  // namespace wafermark::llama
