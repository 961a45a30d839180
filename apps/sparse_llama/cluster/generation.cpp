#include "sparse_llama/cluster/generation.hpp"

#include <algorithm>
#include <chrono>
#include <random>
#include <thread>

#include "common/runtime.hpp"

namespace wafermark::llama {
namespace {

/// A sequence under way.
struct Running {
  std::size_t prompt;
  std::int32_t slot;
  Sampler sampler;
};

/// Rows of a pass, and behind which of them logits are wanted: one a sequence, in their order.
struct Pass {
  std::vector<TokenRow> rows;
  std::vector<std::int64_t> wanted;
};

class Batch {
 public:
  Batch(ForwardPass& model, const Communicator& comm, std::int64_t vocabulary,
        std::span<const Prompt> prompts, const GenerationSettings& settings, const GenerationWatch& watch)
      : model_(model),
        comm_(comm),
        vocabulary_(std::size_t(vocabulary)),
        prompts_(prompts),
        settings_(settings),
        watch_(watch),
        start_(model.seconds()),
        taken_(std::size_t(settings.slots), false) {
    out_.tokens.resize(prompts.size());
    out_.times.resize(prompts.size());
    for (std::size_t i = 0; i < prompts.size(); ++i) waiting_.push_back(i);
    std::stable_sort(waiting_.begin(), waiting_.end(),
                     [&](std::size_t a, std::size_t b) { return prompts[a].arrival < prompts[b].arrival; });
    arrivals_ = std::any_of(prompts.begin(), prompts.end(), [](const Prompt& p) { return p.arrival > 0; });
  }

  Generation run() {
    for (bool first = true; out_.complete && (next_ < waiting_.size() || !running_.empty()); first = false) {
      const double before = now();
      const Pass pass = next_pass(before);
      if (pass.rows.empty()) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));  // nobody has arrived
        if (watch_.go_on && !watch_.go_on()) out_.complete = false;
        continue;
      }
      std::vector<TokenChoice> choices;
      for (Running& r : running_) choices.push_back(r.sampler.next());
      std::optional<std::vector<std::int32_t>> drawn;
      std::vector<float> logits;
      if (!watch_.logits) drawn = model_.next_tokens(pass.rows, pass.wanted, choices);
      if (!drawn) logits = model_.forward(pass.rows, pass.wanted);
      const double after = now();
      count(pass, before, after, first);
      if (watch_.logits) show_logits(pass, logits);
      take_tokens(drawn ? *drawn : draw(logits, choices), after);
      // Those whose last token was made now have ended all the same.
      if (watch_.go_on && !watch_.go_on() && (next_ < waiting_.size() || !running_.empty()))
        out_.complete = false;
    }
    runtime::end_timed_steps(out_.decode_passes);
    out_.seconds = model_.seconds() - start_;
    return std::move(out_);
  }

 private:
  double now() const { return model_.seconds() - start_; }

  /// Lets prompts in that have arrived while slots are free: how many came.
  std::size_t admit(double time) {
    if (arrivals_) comm_.broadcast(time);  // clocks differ
    std::size_t came = 0;
    for (; next_ < waiting_.size() && prompts_[waiting_[next_]].arrival <= time; ++next_, ++came) {
      const auto free = std::find(taken_.begin(), taken_.end(), false);
      if (free == taken_.end()) break;
      *free = true;
      const std::size_t prompt = waiting_[next_];
      running_.push_back(
          {prompt, std::int32_t(free - taken_.begin()), Sampler(settings_.sampling, prompts_[prompt].draws)});
      out_.times[prompt].entered = time;
    }
    return came;
  }

  Pass next_pass(double time) {
    const std::size_t came = admit(time), old = running_.size() - came;
    Pass pass;
    for (std::size_t i = 0; i < running_.size(); ++i) {
      const Running& r = running_[i];
      const auto& prompt = prompts_[r.prompt].tokens;
      const auto& text = out_.tokens[r.prompt];
      if (i < old)
        pass.rows.push_back({text.back(), r.slot, std::int64_t(prompt.size() + text.size()) - 1});
      else
        for (std::size_t p = 0; p < prompt.size(); ++p)
          pass.rows.push_back({prompt[p], r.slot, std::int64_t(p)});
      pass.wanted.push_back(std::int64_t(pass.rows.size()) - 1);
    }
    decoding_ = std::int64_t(old);
    return pass;
  }

  void count(const Pass& pass, double before, double after, bool first) {
    const std::int64_t entering = std::int64_t(pass.rows.size()) - decoding_;
    out_.prefill_tokens += entering;
    out_.busy_seconds += double(running_.size()) * (after - before);
    if (out_.decode_passes == 0 && decoding_ == 0 && out_.prefill_seconds == 0) {
      out_.prefill_seconds = after - before;
      runtime::begin_timed_steps();
      first_pass_end_ = now();
      out_.waited = next_ < waiting_.size() || !first;
      return;
    }
    out_.waited = out_.waited || entering > 0;
    ++out_.decode_passes;
    out_.decode_tokens += decoding_;
    out_.decode_seconds = after - first_pass_end_;
  }

  void show_logits(const Pass& pass, const std::vector<float>& logits) const {
    std::vector<TokenRow> rows;
    for (std::size_t i = 0; i < running_.size(); ++i) {
      rows.push_back(pass.rows[std::size_t(pass.wanted[i])]);
      rows.back().sequence = std::int32_t(running_[i].prompt);
    }
    watch_.logits(rows, logits);
  }

  /// By rank 0, for all.
  std::vector<std::int32_t> draw(const std::vector<float>& logits,
                                 const std::vector<TokenChoice>& choices) const {
    std::vector<std::int32_t> drawn(choices.size());
    if (comm_.is_root())
      for (std::size_t i = 0; i < choices.size(); ++i)
        drawn[i] = token_of_choice(choices[i], std::span(logits).subspan(i * vocabulary_, vocabulary_));
    comm_.broadcast(drawn);
    return drawn;
  }

  void take_tokens(const std::vector<std::int32_t>& drawn, double time) {
    std::vector<Running> still;
    for (std::size_t i = 0; i < running_.size(); ++i) {
      Running& r = running_[i];
      auto& text = out_.tokens[r.prompt];
      const bool ends = std::find(settings_.end_tokens.begin(), settings_.end_tokens.end(), drawn[i]) !=
                        settings_.end_tokens.end();
      if (text.empty()) out_.times[r.prompt].first_token = time;
      out_.times[r.prompt].ended = time;
      if (!ends) {
        text.push_back(drawn[i]);
        if (watch_.token) watch_.token(std::int64_t(r.prompt), drawn[i]);
      }
      if (ends || std::int64_t(text.size()) >= prompts_[r.prompt].more)
        taken_[std::size_t(r.slot)] = false;
      else
        still.push_back(std::move(r));
    }
    running_ = std::move(still);
  }

  ForwardPass& model_;
  const Communicator& comm_;
  std::size_t vocabulary_;
  std::span<const Prompt> prompts_;
  const GenerationSettings& settings_;
  const GenerationWatch& watch_;
  double start_, first_pass_end_ = 0;
  bool arrivals_ = false;
  std::vector<bool> taken_;           ///< slots
  std::vector<std::size_t> waiting_;  ///< in the order in which they enter, those from next_ on
  std::size_t next_ = 0;
  std::vector<Running> running_;
  std::int64_t decoding_ = 0;  ///< sequences of this pass that are behind their prompts
  Generation out_;
};

}  // namespace

std::int64_t Generation::made() const {
  std::int64_t sum = 0;
  for (const auto& text : tokens) sum += std::int64_t(text.size());
  return sum;
}

Generation generate(ForwardPass& model, const Communicator& comm, std::int64_t vocabulary,
                    std::span<const Prompt> prompts, const GenerationSettings& settings,
                    const GenerationWatch& watch) {
  return Batch(model, comm, vocabulary, prompts, settings, watch).run();
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
