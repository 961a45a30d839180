#include "sparse_llama/wafer/program_cost.hpp"

#include <algorithm>
#include <cmath>

#include "sparse_llama/kernels/attention.hpp"
#include "sparse_llama/kernels/exponential.hpp"
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

SectionCounts count_sections() {
  SectionCounts s;
  const wse::CountedStream<float> values;
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

  s.largest = counted([] {  // and the loop's counter and jump
    wse::larger_of(C(1.0f), C(2.0f));
    wse::count(Operation::integer);
    wse::count(Operation::branch);
  });
  s.shifted = with_words(counted([] { (void)(C(2.0f) * C(3.0f) - C(1.0f)); }).without_fma());
  s.position = with_words(counted([] {
                            C sum = 0.0f;
                            sum += exponential_by_polynomial(C(-1.0f));
                          }).without_fma());
  s.position_value = of_one_more([](int n, C* a, C* b) {
    C sum = 0.0f;
    add_weighted(C(0.5f), b, n, a, sum);
  });
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
    : machine_(machine), counts_(count_sections()), in_lanes_(type != ValueType::fp32) {}

wse::Section ProgramCost::stored_weights(StoredWeights how, std::int64_t rows) const {
  const OperationCounts add = counts_.dense_value;
  if (how == StoredWeights::sent) {
    OperationCounts sent;  // from memory to the fabric by a thread of its own
    sent[Operation::move] = sent[Operation::load] = 1;
    const wse::Precision precision = in_lanes_ ? wse::Precision::fp16 : wse::Precision::fp32;
    return wse::Section::priced(
        machine_, sent + rows * (in_lanes_ ? add.in_lanes() : add), [=](const wse::Machine& m) {
          return m.arriving_weight_cycles +
                 m.vector_cycles_per_element * std::ceil(double(rows) / wse::lanes(m, precision));
        });
  }
  if (rows == 1) return wse::Section::scalar(machine_, counts_.stored_value);
  // The weight is found and read once; then a loop of multiply-adds over the tokens' sums.
  const OperationCounts stored = counts_.stored_value;
  const bool lanes = in_lanes_;
  const OperationCounts others = (rows - 1) * (lanes ? add.in_lanes() : add);
  return wse::Section::priced(machine_, stored + others, [=](const wse::Machine& m) {
    const double loop = lanes ? wse::Section::nest_in_lanes(m, add, 1).cycles(rows)
                              : wse::loop_cycles(m, add, rows, wse::Loop::repeated);
    return wse::scalar_cycles(m, stored) + loop - wse::scalar_cycles(m, add);
  });
}
wse::Section ProgramCost::beside_weights(StoredWeights how) const {
  if (how == StoredWeights::found) return wse::Section::scalar(machine_, counts_.mask_word);
  OperationCounts start;
  start[Operation::integer] = 1;
  return wse::Section::priced(machine_, start, [](const wse::Machine& m) { return m.vector_restart_cycles; });
}
wse::Section ProgramCost::dense_weights(std::int64_t rows) const {
  if (!in_lanes_) return wse::Section::nest(machine_, counts_.dense_value, rows);
  return wse::Section::nest_in_lanes(machine_, counts_.dense_value, rows);
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

wse::Section ProgramCost::scores(std::int64_t queries, std::int64_t dims, std::int64_t tokens) const {
  return wse::Section::passes(machine_, counts_.score, queries * dims, tokens, of_attention());
}
wse::Section ProgramCost::largest(std::int64_t queries) const {
  return wse::Section::scalar(machine_, queries * counts_.largest);
}
wse::Section ProgramCost::shifted(std::int64_t queries, std::int64_t tokens) const {
  return wse::Section::passes(machine_, counts_.shifted, queries, tokens, wse::Precision::fp32);
}
wse::Section ProgramCost::weights_of_positions() const {
  return wse::Section::passes(machine_, counts_.position, 1, 1, wse::Precision::fp32);
}
wse::Section ProgramCost::values(std::int64_t queries, std::int64_t dims) const {
  // A weight meets the dimensions of a value: a vector instruction, or scalar code for a few.
  const OperationCounts add = counts_.position_value;
  const wse::Precision precision = of_attention();
  const std::int64_t pairs = queries * dims;
  return wse::Section::priced(machine_, pairs * (precision == wse::Precision::fp32 ? add : add.in_lanes()),
                              [=](const wse::Machine& m) {
                                return double(queries) *
                                       wse::Section::passes(m, add, 1, 1, precision).cycles(dims);
                              });
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
  add("largest", counts_.largest);
  add("shifted", counts_.shifted);
  add("position", counts_.position);
  add("position_value", counts_.position_value);
  add("divided", counts_.divided);
  add("divided_value", counts_.divided_value);
  add("gated", counts_.gated);
  add("added", counts_.added);
  add("compared", counts_.compared);
  return all;
}

}  // namespace wafermark::llama
