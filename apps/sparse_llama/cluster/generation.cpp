#include "sparse_llama/cluster/generation.hpp"

#include <algorithm>
#include <random>

#include "common/runtime.hpp"

namespace wafermark::llama {

Generation generate(ForwardPass& model, const Communicator& comm, std::int64_t vocabulary,
                    const std::vector<std::vector<std::int32_t>>& prompts, std::int64_t tokens,
                    const SamplingSettings& sampling, const std::vector<std::int32_t>& end_tokens,
                    const std::function<bool(std::int64_t, std::int32_t)>& on_token) {
  Generation out;
  out.tokens.resize(prompts.size());
  std::vector<Sampler> samplers;
  std::vector<TokenRow> rows;
  std::vector<std::int64_t> wanted, running;  // the rows with logits, and whose sequences they are
  for (std::size_t s = 0; s < prompts.size(); ++s) {
    samplers.emplace_back(sampling, s);
    for (std::size_t p = 0; p < prompts[s].size(); ++p)
      rows.push_back({prompts[s][p], std::int32_t(s), std::int64_t(p)});
    wanted.push_back(std::int64_t(rows.size()) - 1);
    running.push_back(std::int64_t(s));
  }
  out.prefill_tokens = std::int64_t(rows.size());

  double start = model.seconds();
  std::vector<float> logits = model.forward(rows, wanted);
  out.prefill_seconds = model.seconds() - start;
  runtime::begin_timed_steps();
  start = model.seconds();
  for (std::int64_t t = 0; t < tokens && !running.empty(); ++t) {
    std::vector<std::int32_t> drawn(running.size());
    if (comm.is_root())
      for (std::size_t i = 0; i < running.size(); ++i)
        drawn[i] = samplers[std::size_t(running[i])].next(
            std::span(logits).subspan(i * std::size_t(vocabulary), std::size_t(vocabulary)));
    comm.broadcast(drawn);
    rows.clear();
    wanted.clear();
    std::vector<std::int64_t> still;
    bool on = true;
    for (std::size_t i = 0; i < running.size(); ++i) {
      const std::int64_t s = running[i];
      if (std::find(end_tokens.begin(), end_tokens.end(), drawn[i]) != end_tokens.end()) continue;
      auto& text = out.tokens[std::size_t(s)];
      text.push_back(drawn[i]);
      on = on_token(s, drawn[i]) && on;
      still.push_back(s);
      wanted.push_back(std::int64_t(rows.size()));
      rows.push_back(
          {drawn[i], std::int32_t(s), std::int64_t(prompts[std::size_t(s)].size() + text.size()) - 1});
    }
    running = still;
    if (!on || running.empty() || t + 1 == tokens) break;
    logits = model.forward(rows, wanted);
    ++out.decode_passes;
    out.decode_tokens += std::int64_t(rows.size());
    out.decode_seconds = model.seconds() - start;
  }
  runtime::end_timed_steps(out.decode_passes);
  return out;
}

std::vector<std::int32_t> made_up_prompt(std::int32_t bos, std::int64_t count, std::int64_t vocabulary,
                                         std::uint64_t seed) {
  std::mt19937_64 engine(seed);
  std::vector<std::int32_t> tokens;
  if (bos >= 0) tokens.push_back(bos);
  while (std::int64_t(tokens.size()) < count)
    tokens.push_back(std::int32_t(engine() % std::uint64_t(vocabulary)));
  return tokens;
}

}  // namespace wafermark::llama
