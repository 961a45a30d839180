#include "sparse_llama/compress/trainer.hpp"

#include <fmt/format.h>

#include <Kokkos_Core.hpp>
#include <chrono>
#include <cmath>
#include <numeric>
#include <optional>

#include "common/errors.hpp"
#include "common/rank_ring.hpp"
#include "sparse_llama/compress/shared_gradient.hpp"
#include "sparse_llama/compress/token_stream.hpp"
#include "sparse_llama/kernels/adamw.hpp"
#include "sparse_llama/model/memory_need.hpp"

namespace wafermark::llama {
namespace {

using Host = Kokkos::RangePolicy<Kokkos::DefaultHostExecutionSpace>;

/// The mean over ranks of the owned gradient where the mask lets weights live, else zero; the square of its
/// 2-norm. Summed in parts whose bounds hang on nothing but the number of values, so that any number of
/// threads gets the same bits.
double masked_mean(const std::vector<std::uint8_t>& mask, int ranks, std::vector<float>& gradient) {
  constexpr std::int64_t part = 1 << 14;
  const auto size = std::int64_t(gradient.size());
  std::vector<double> squares(std::size_t((size + part - 1) / part));
  float* g = gradient.data();
  const std::uint8_t* lives = mask.data();
  double* sums = squares.data();
  const auto divisor = float(ranks);
  Kokkos::parallel_for("mean gradient", Host(0, std::int64_t(squares.size())), [=](std::int64_t k) {
    double sum = 0;
    for (std::int64_t i = k * part; i < std::min(size, (k + 1) * part); ++i) {
      g[i] = lives[i] == 0 ? 0 : g[i] / divisor;
      sum += double(g[i]) * double(g[i]);
    }
    sums[k] = sum;
  });
  return std::accumulate(squares.begin(), squares.end(), 0.0);
}

/// One AdamW step of `rate` on the owned weights that the mask lets live, with the gradient times `clip`.
void step(const TrainingSettings& settings, const ParameterLayout& layout, double rate, float clip,
          const std::vector<float>& gradient, TrainingState& state) {
  const double t = double(state.step + 1);
  const AdamWStep<float> adam{float(rate),
                              float(settings.beta1),
                              float(settings.beta2),
                              float(settings.epsilon),
                              float(1 - std::pow(settings.beta1, t)),
                              float(1 - std::pow(settings.beta2, t))};
  each_owned_part(layout, state.owned, [&](const ParameterBlock& block, Share part, std::int64_t at) {
    const auto decay = float(block.is_matrix() ? settings.weight_decay : 0.0);
    const float* g = gradient.data() + at;
    const std::uint8_t* mask = state.mask.data() + at;
    float *m = state.first_moment.data() + at, *v = state.second_moment.data() + at,
          *w = state.parameters.data() + part.first;
    Kokkos::parallel_for("adamw", Host(0, part.count), [=](std::int64_t i) {
      if (mask[i] != 0) adamw(adam, g[i] * clip, decay, m[i], v[i], w[i]);
    });
  });
}

/// Clips the gradient over all ranks to settings.gradient_clip, steps, and hands the weights round. Returns
/// the gradient's 2-norm before clipping.
double update(const Communicator& comm, const TrainingSettings& settings, const ParameterLayout& layout,
              double rate, std::vector<float>& gradient, TrainingState& state) {
  const double norm = std::sqrt(comm.sum(masked_mean(state.mask, comm.size(), gradient)));
  step(settings, layout, rate, float(norm > settings.gradient_clip ? settings.gradient_clip / norm : 1.0),
       gradient, state);
  for (const OwnedParameters::Piece& piece : state.owned.pieces())
    gather_shares(comm, state.parameters.data() + piece.all.first, piece.all.count);
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

double Trainer::bytes(const Configuration& c, const TrainingSettings& s, int ranks) {
  const ParameterLayout layout(c);
  const double activations = activation_bytes(c, double(s.batch) / ranks, double(s.length)),
               weights = sizeof(float) * double(layout.size);
  const double owned = double(OwnedParameters(layout, ranks - 1, ranks).count());
  return weights + owned * (2 * sizeof(float) + 1) + SharedGradient::bytes(layout, ranks) + activations +
         (s.loss.needs_teacher() ? weights + activations : 0);
}

void Trainer::run(TrainingState& state, const std::function<bool(const TrainingState&)>& after_step,
                  const std::function<void(const TrainingReport&)>& report) {
  const std::int64_t mine = settings_.batch / comm_.size(), first = comm_.rank() * mine;
  const ParameterLayout layout(state.configuration);
  Transformer<float> student(state.configuration, mine, settings_.length);
  std::optional<Transformer<float>> teacher;
  if (settings_.loss.needs_teacher()) teacher.emplace(state.configuration, mine, settings_.length);
  SharedGradient gradient(comm_, state.owned);

  while (state.step < settings_.steps) {
    const auto start = std::chrono::steady_clock::now();
    const TokenBatch batch =
        draw_batch(tokens_, bos_, std::uint64_t(settings_.seed), state.step, first, mine, settings_.length);
    if (teacher) teacher->forward(teacher_.data(), batch.tokens);
    gradient.clear();
    const Loss loss = loss_and_gradient(student, state.parameters.data(), batch.tokens, batch.targets,
                                        settings_.loss, teacher ? &*teacher : nullptr, gradient);
    const double rate = learning_rate_at(settings_, state.step);
    const double norm = update(comm_, settings_, layout, rate, gradient.own(), state);
    if (!std::isfinite(norm))
      throw std::runtime_error(fmt::format("training: the gradient is not a number at step {}", state.step));
    ++state.step;
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    state.seconds += seconds;
    SinceReport& since = state.since_report;
    since.seconds += seconds;
    ++since.steps;
    const auto sums = comm_.sum(std::vector<double>{loss.token, loss.logit, loss.feature, loss.total});
    const double ranks = comm_.size();
    since.loss.token += sums[0] / ranks, since.loss.logit += sums[1] / ranks;
    since.loss.feature += sums[2] / ranks, since.loss.total += sums[3] / ranks;

    if (state.step % settings_.report_every == 0 || state.step == settings_.steps) {
      const double n = double(since.steps);
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
