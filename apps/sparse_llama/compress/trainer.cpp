#include "sparse_llama/compress/trainer.hpp"

#include <fmt/format.h>

#include <Kokkos_Core.hpp>
#include <chrono>
#include <cmath>
#include <optional>

#include "common/errors.hpp"
#include "sparse_llama/compress/token_stream.hpp"
#include "sparse_llama/kernels/adamw.hpp"

namespace wafermark::llama {
namespace {

using Host = Kokkos::RangePolicy<Kokkos::DefaultHostExecutionSpace>;

/// Clips the gradient to settings.gradient_clip and takes one AdamW step of `rate` on the weights that the
/// mask lets live. Returns the gradient's 2-norm before clipping.
double update(const TrainingSettings& settings, const ParameterLayout& layout, double rate,
              std::vector<float>& gradient, TrainingState& state) {
  const auto size = std::int64_t(gradient.size());
  float *g = gradient.data(), *m = state.first_moment.data(), *v = state.second_moment.data();
  float* w = state.parameters.data();
  const std::uint8_t* mask = state.mask.data();
  double squares = 0;
  for (std::int64_t i = 0; i < size; ++i) {
    if (mask[i] == 0) g[i] = 0;
    squares += double(g[i]) * double(g[i]);
  }
  const double norm = std::sqrt(squares);
  const auto clip = float(norm > settings.gradient_clip ? settings.gradient_clip / norm : 1.0);
  const double t = double(state.step + 1);
  const AdamWStep<float> step{float(rate),
                              float(settings.beta1),
                              float(settings.beta2),
                              float(settings.epsilon),
                              float(1 - std::pow(settings.beta1, t)),
                              float(1 - std::pow(settings.beta2, t))};
  for (const ParameterBlock& block : layout.blocks) {
    const auto decay = float(block.is_matrix() ? settings.weight_decay : 0.0);
    Kokkos::parallel_for("adamw", Host(block.offset, block.end()), [=](std::int64_t i) {
      if (mask[i] != 0) adamw(step, g[i] * clip, decay, m[i], v[i], w[i]);
    });
  }
  return norm;
}

}  // namespace

Trainer::Trainer(const Communicator& comm, const TrainingSettings& settings, std::vector<std::int32_t> tokens,
                 std::int32_t bos, std::vector<float> teacher)
    : comm_(comm), settings_(settings), tokens_(std::move(tokens)), bos_(bos), teacher_(std::move(teacher)) {
  if (const std::int64_t least = shortest_stream(bos_, settings_.length);
      std::int64_t(tokens_.size()) < least)
    throw InputError(
        fmt::format("training text: found {} tokens, expected at least {} for sequence_tokens = {}",
                    tokens_.size(), least, settings_.length));
  if (settings_.batch % comm_.size() != 0)
    throw InputError(fmt::format("batch_sequences = {}: expected a multiple of the {} ranks", settings_.batch,
                                 comm_.size()));
  if (settings_.loss.needs_teacher() && teacher_.empty())
    throw InputError("distillation: expected a teacher, found none");
}

void Trainer::run(TrainingState& state, const std::function<bool(const TrainingState&)>& after_step,
                  const std::function<void(const TrainingReport&)>& report) {
  const std::int64_t mine = settings_.batch / comm_.size(), first = comm_.rank() * mine;
  const ParameterLayout layout(state.configuration);
  Transformer<float> student(state.configuration, mine, settings_.length);
  std::optional<Transformer<float>> teacher;
  if (settings_.loss.needs_teacher()) teacher.emplace(state.configuration, mine, settings_.length);
  std::vector<float> gradient(state.parameters.size());

  while (state.step < settings_.steps) {
    const auto start = std::chrono::steady_clock::now();
    const TokenBatch batch =
        draw_batch(tokens_, bos_, std::uint64_t(settings_.seed), state.step, first, mine, settings_.length);
    if (teacher) teacher->forward(teacher_.data(), batch.tokens);
    std::fill(gradient.begin(), gradient.end(), 0.0f);
    const Loss loss = loss_and_gradient(student, state.parameters.data(), batch.tokens, batch.targets,
                                        settings_.loss, teacher ? &*teacher : nullptr, gradient.data());
    if (comm_.size() > 1) {
      gradient = comm_.sum(std::move(gradient));
      for (float& g : gradient) g /= float(comm_.size());
    }
    const double rate = learning_rate_at(settings_, state.step);
    const double norm = update(settings_, layout, rate, gradient, state);
    if (!std::isfinite(norm))
      throw std::runtime_error(fmt::format("training: the gradient is not a number at step {}", state.step));
    ++state.step;
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    state.seconds += seconds;
    SinceReport& since = state.since_report;
    since.seconds += seconds;
    ++since.steps;
    const auto sums = comm_.sum(std::vector<double>{loss.token, loss.logit, loss.feature, loss.total});
    since.loss.token += sums[0], since.loss.logit += sums[1];
    since.loss.feature += sums[2], since.loss.total += sums[3];

    if (state.step % settings_.report_every == 0 || state.step == settings_.steps) {
      const double n = double(since.steps) * comm_.size();
      report({state.step,
              {since.loss.token / n, since.loss.logit / n, since.loss.feature / n, since.loss.total / n},
              rate,
              norm,
              double(since.steps * settings_.batch * settings_.length) / since.seconds});
      since = {};
    }
    if (!after_step(state)) return;
  }
}

}  // namespace wafermark::llama
