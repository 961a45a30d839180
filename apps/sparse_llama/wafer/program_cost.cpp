#include "sparse_llama/wafer/program_cost.hpp"

#include <algorithm>

#include "sparse_llama/kernels/attention.hpp"
#include "sparse_llama/kernels/rms_norm.hpp"
#include "sparse_llama/kernels/rope.hpp"
#include "sparse_llama/kernels/row_dot.hpp"
#include "sparse_llama/kernels/sampling.hpp"
#include "sparse_llama/kernels/swiglu.hpp"
#include "wse_emulator/counted_memory.hpp"

namespace wafermark::llama {
namespace {

using C = wse::Counted<float>;
using wse::counted;
using wse::Operation;
using wse::OperationCounts;

/// One more element of a section that takes their number: what 33 cost beyond 32.
template <class Section>
OperationCounts of_one_more(const Section& section) {
  const auto of = [&](int n) {
    std::vector<C> a(64, C(1.0f)), b(64, C(2.0f));  // as loaded: no sum may still swallow a product
    return counted([&] { section(n, a.data(), b.data()); });
  };
  OperationCounts one = of(33);
  one -= of(32);
  return with_words(one);
}

}  // namespace

OperationCounts with_words(OperationCounts counts) {
  counts[Operation::load] = 2 * counts.instructions();
  counts[Operation::store] = counts.instructions();
  return counts;
}

SectionCounts count_sections(ValueType type) {
  SectionCounts s;
  const wse::CountedStream<float> values(type != ValueType::fp32);
  const wse::CountedSums<float> sums;
  const auto masked = [&](std::uint32_t bits) {
    wse::CountedWord word = bits;
    word.keep_in_memory();
    return counted([&] {
      wse::count(Operation::integer);  // counter and jump over words
      wse::count(Operation::branch);
      masked_add(&word, 1, values, C(1.0f), sums);
    });
  };
  s.mask_word = masked(0);
  s.stored_value = masked(1);
  s.stored_value -= s.mask_word;
  s.dense_value = counted([&] { dense_add(values, 1, C(1.0f), sums); });
  s.dense_value[Operation::integer] -= 1;  // its sums lie one after the other

  s.square = of_one_more([](int n, C* a, C*) { sum_of_squares(a, n); });
  s.root = counted([] { rms_scale(C(1.0f), 64, C(1e-5f)); });
  s.scaled = of_one_more([](int n, C* a, C* b) {
    for (int i = 0; i < n; ++i) b[i] = a[i] * C(2.0f) * C(3.0f);
  });
  s.rotary_pair = of_one_more([](int n, C* a, C* b) {
    for (int i = 0; i < n; ++i) rope_rotate(a[i], b[i], C(0.6f), C(0.8f));
  });
  s.score = of_one_more([](int n, C* a, C* b) {
    C score[1];
    attention_scores(a, b, n, C(1.0f), score);
  });

  const auto attended = [](float score, int n, C* a, C* b) {
    AttentionSum<C> state;
    state.top = C(0.0f);
    attend(state, {C(score)}, b, n, a);
  };
  s.position_value = of_one_more([&](int n, C* a, C* b) { attended(-1.0f, n, a, b); });
  s.position = counted([&] {
    (void)(C(2.0f) * C(3.0f));  // the score's scale
    attended(-1.0f, 0, nullptr, nullptr);
    wse::count(Operation::branch);
  });
  s.faded = of_one_more([&](int n, C* a, C* b) { attended(1.0f, n, a, b); });
  s.faded -= s.position_value;
  s.new_top = counted([&] { attended(1.0f, 0, nullptr, nullptr); });
  s.new_top -= counted([&] { attended(-1.0f, 0, nullptr, nullptr); });
  s.divided = counted([] { divide_by_sum<C>(C(2.0f), 0, nullptr); });
  s.divided_value = of_one_more([](int n, C* a, C*) { divide_by_sum(C(2.0f), n, a); });
  auto memory = wse::in_memory<float>(3);
  s.gated = counted([&] { memory[2] = swiglu<C>(memory[0], memory[1]); });
  s.added = of_one_more([](int n, C* a, C* b) {
    for (int i = 0; i < n; ++i) b[i] += a[i];
  });
  s.compared = of_one_more([](int n, C* a, C*) { greedy_token(a, n); });
  return s;
}

ProgramCost::ProgramCost(const wse::Machine& machine, ValueType type)
    : machine_(machine), counts_(count_sections(type)), in_lanes_(type != ValueType::fp32) {}

wse::Section ProgramCost::masked_weights(std::int64_t rows) const {
  if (rows == 1) return wse::Section::scalar(machine_, counts_.stored_value);
  // The weight is found and read once; then a loop of multiply-adds over the tokens' sums.
  OperationCounts add = counts_.dense_value;
  add[Operation::convert] = 0;
  const OperationCounts stored = counts_.stored_value;
  const bool lanes = in_lanes_;
  const OperationCounts others = (rows - 1) * (lanes ? add.in_lanes() : add);
  return wse::Section::priced(machine_, stored + others, [=](const wse::Machine& m) {
    const double loop = lanes ? wse::Section::nest_in_lanes(m, add, 1, {}).cycles(rows)
                              : wse::loop_cycles(m, add, rows, wse::Loop::repeated);
    return wse::scalar_cycles(m, stored) + loop - wse::scalar_cycles(m, add);
  });
}
wse::Section ProgramCost::mask_words() const { return wse::Section::scalar(machine_, counts_.mask_word); }
wse::Section ProgramCost::dense_weights(std::int64_t rows) const {
  if (!in_lanes_) return wse::Section::nest(machine_, counts_.dense_value, rows);
  OperationCounts add = counts_.dense_value, converted;
  std::swap(add[Operation::convert], converted[Operation::convert]);  // once for all tokens
  return wse::Section::nest_in_lanes(machine_, add, rows, converted);
}

wse::Section ProgramCost::squares() const {
  return wse::Section::loop(machine_, counts_.square, wse::Loop::products);
}
wse::Section ProgramCost::scaled() const { return wse::Section::loop(machine_, counts_.scaled); }
wse::Section ProgramCost::rotary_pairs() const {
  return wse::Section::loop(machine_, counts_.rotary_pair, wse::Loop::products);
}
wse::Section ProgramCost::added() const { return wse::Section::loop(machine_, counts_.added); }
wse::Section ProgramCost::compared() const { return wse::Section::loop(machine_, counts_.compared); }
wse::Section ProgramCost::root() const { return wse::Section::scalar(machine_, counts_.root); }
wse::Section ProgramCost::gated() const { return wse::Section::scalar(machine_, counts_.gated); }

wse::Section ProgramCost::score(std::int64_t dims) const {
  return wse::Section::loops(machine_, counts_.score, dims, wse::Loop::products);
}
wse::Section ProgramCost::position(std::int64_t dims) const {
  return wse::Section::scalar(machine_, counts_.position) +
         wse::Section::loops(machine_, counts_.position_value, dims);
}
wse::Section ProgramCost::new_top(std::int64_t dims) const {
  return wse::Section::scalar(machine_, counts_.new_top) + wse::Section::loops(machine_, counts_.faded, dims);
}
wse::Section ProgramCost::divided(std::int64_t dims) const {
  return wse::Section::scalar(machine_, counts_.divided) +
         wse::Section::loops(machine_, counts_.divided_value, dims);
}

nlohmann::json ProgramCost::json() const {
  nlohmann::json all;
  const auto add = [&](const char* name, const OperationCounts& of) {
    for (std::size_t k = 0; k < wse::operation_classes; ++k)
      if (of.n[k] != 0) all[name][wse::operation_names[k]] = of.n[k];
  };
  add("stored_value", counts_.stored_value);
  add("mask_word", counts_.mask_word);
  add("dense_value", counts_.dense_value);
  add("square", counts_.square);
  add("root", counts_.root);
  add("scaled", counts_.scaled);
  add("rotary_pair", counts_.rotary_pair);
  add("score", counts_.score);
  add("position", counts_.position);
  add("position_value", counts_.position_value);
  add("new_top", counts_.new_top);
  add("faded", counts_.faded);
  add("divided", counts_.divided);
  add("divided_value", counts_.divided_value);
  add("gated", counts_.gated);
  add("added", counts_.added);
  add("compared", counts_.compared);
  return all;
}

}  // namespace wafermark::llama
