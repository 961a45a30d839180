#include "sparse_llama/commands/evaluation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/errors.hpp"
#include "sparse_llama/compress/model_files.hpp"
#include "sparse_llama/compress/perplexity.hpp"

namespace wafermark::llama {
namespace {

using nlohmann::json;

std::optional<double> known(double value) {
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

std::int64_t window_within(const EvaluationInput& in, const Configuration& c, std::int64_t usual) {
  if (in.window > c.context)
    throw InputError(
        fmt::format("--window {}: expected at most the model's context {}", in.window, c.context));
  return in.window > 0 ? in.window : std::min(c.context, usual);
}

class TextEvaluation final : public Evaluation {
 public:
  TextEvaluation(const Communicator& comm, const EvaluationInput& in, const Configuration& c) : input_(in) {
    const TokenizedText text = read_tokens(comm, in.text, in.tokenizer, c.vocabulary);
    constexpr std::int64_t usual_of_llama_perplexity = 512;
    window_ =
        window_within(in, c, in.protocol == Protocol::llama_cpp ? usual_of_llama_perplexity : usual_window);
    bos_ = text.bos;
    all_ = std::int64_t(text.tokens.size());
    if (in.protocol == Protocol::whole) window_ = std::min(window_, all_);
    sequences_ = windows_of(in.protocol, text.tokens, bos_, window_);
  }

  void report(const Communicator&, std::span<const SequenceScore> scores, Result& result) const override {
    const Perplexity p = perplexity_of(scores);
    const std::string how = fmt::format("per token, windows of {} tokens{}", window_,
                                        bos_ < 0 ? ", without bos" : ""),
                      way = input_.protocol == Protocol::whole
                                ? how
                                : fmt::format("{}; {}", how, description_of(input_.protocol));
    result.add_figure("perplexity", p.value, "1", Kind::measured, way);
    result.add_figure("perplexity_standard_error", known(p.standard_error), "1", Kind::measured,
                      "over tokens, as if each stood for itself");
    result.add_figure("tokens", double(all_), "tokens", Kind::measured, "of the text");
    result.add_figure("tokens_counted", double(p.tokens), "tokens");
    result.set_section("evaluation", {{"model", input_.model},
                                      {"text", input_.text},
                                      {"tokenizer", input_.tokenizer},
                                      {"protocol", name_of(input_.protocol)},
                                      {"protocol_in_words", description_of(input_.protocol)},
                                      {"window", window_},
                                      {"windows", sequences_.size()},
                                      {"tokens_counted", p.tokens},
                                      {"bos", bos_ < 0 ? json() : json(bos_)}});
  }

 private:
  EvaluationInput input_;
  std::int64_t window_ = 0, all_ = 0;
  std::int32_t bos_ = -1;
};

class TaskEvaluation final : public Evaluation {
 public:
  TaskEvaluation(const EvaluationInput& in, const Configuration& c) : input_(in), items_(read_task(in.task)) {
    const auto tokenizer = read_tokenizer(in.tokenizer);
    expect_fits(*tokenizer, c.vocabulary);
    window_ = window_within(in, c, c.context);
    bos_ = tokenizer->bos();
    TaskSequences all = sequences_of(items_, in.task, *tokenizer, window_, c.vocabulary);
    sequences_ = std::move(all.endings);
    cut_ = all.cut;
  }

  void report(const Communicator& comm, std::span<const SequenceScore> scores,
              Result& result) const override {
    if (comm.is_root() && cut_ > 0)
      fmt::print("note: {} of {} endings: the context was cut at its beginning, to fit into {} tokens\n",
                 cut_, sequences_.size(), window_);
    const bool one = items_.front().endings.size() == 1;
    json records = json::array();
    std::int64_t right = 0, right_by_byte = 0;
    std::vector<SequenceScore> as_one;  // an item counts as a token does in a perplexity
    for (const TaskItem& item : items_) {
      const auto own = scores.first(item.endings.size());
      scores = scores.subspan(own.size());
      const TaskChoice choice = choice_of(item, own);
      right += one ? own[0].all_most_likely : choice.by_likelihood == item.label;
      right_by_byte += choice.by_byte == item.label;
      as_one.emplace_back().add(own[0].log_likelihood, true);
      json& record = records.emplace_back(json{{"line", item.line}, {"label", item.label}});
      for (const SequenceScore& s : own) record["log_likelihoods"].push_back(s.log_likelihood);
      if (one)
        record["greedy"] = own[0].all_most_likely;
      else
        record.update({{"choice", choice.by_likelihood}, {"choice_by_byte", choice.by_byte}});
    }
    add_figures(result, one, right, right_by_byte, perplexity_of(as_one));
    result.set_section("evaluation", {{"model", input_.model},
                                      {"task", input_.task},
                                      {"tokenizer", input_.tokenizer},
                                      {"window", window_},
                                      {"endings", sequences_.size()},
                                      {"endings_with_cut_context", cut_},
                                      {"bos", bos_ < 0 ? json() : json(bos_)},
                                      {"items", std::move(records)}});
  }

 private:
  void add_figures(Result& result, bool one, std::int64_t right, std::int64_t right_by_byte,
                   const Perplexity& per_item) const {
    const auto count = std::int64_t(items_.size());
    const Accuracy a = accuracy_of(right, count), by_byte = accuracy_of(right_by_byte, count);
    result.add_figure("items", double(count), "items");
    result.add_figure("accuracy", a.value, "1", Kind::measured,
                      one ? "greedy decoding makes the ending" : "the likeliest ending is the right one");
    result.add_figure("accuracy_standard_error", known(a.standard_error), "1");
    if (!one) {
      result.add_figure("accuracy_normalised", by_byte.value, "1", Kind::measured,
                        "the same by ln p per byte of the ending");
      result.add_figure("accuracy_normalised_standard_error", known(by_byte.standard_error), "1");
      return;
    }
    result.add_figure("ending_perplexity", per_item.value, "1", Kind::measured,
                      "exp(-mean ln p of an ending)");
    result.add_figure("ending_perplexity_standard_error", known(per_item.standard_error), "1");
  }

  EvaluationInput input_;
  std::vector<TaskItem> items_;
  std::int64_t window_ = 0, cut_ = 0;
  std::int32_t bos_ = -1;
};

}  // namespace

std::int64_t Evaluation::longest() const {
  std::int64_t most = 0;
  for (const ScoredSequence& s : sequences_) most = std::max(most, s.length());
  return most;
}

std::unique_ptr<Evaluation> read_evaluation(const Communicator& comm, const EvaluationInput& input,
                                            const Configuration& configuration) {
  if (!input.task.empty()) return std::make_unique<TaskEvaluation>(input, configuration);
  return std::make_unique<TextEvaluation>(comm, input, configuration);
}

}  // namespace wafermark::llama
