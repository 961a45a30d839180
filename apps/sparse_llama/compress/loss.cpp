#include "sparse_llama/compress/loss.hpp"

#include <Kokkos_Core.hpp>

#include "sparse_llama/kernels/softmax.hpp"
#include "sparse_llama/kernels/softmax_backward.hpp"
#include "sparse_llama/model/tokenizer.hpp"

namespace wafermark::llama {
namespace {

using Host = Kokkos::RangePolicy<Kokkos::DefaultHostExecutionSpace>;

/// MSE(teacher, student) and MSE(teacher, 0), not divided by the number of elements.
template <class T>
std::pair<double, double> squared_distance(const std::vector<T>& teacher, const std::vector<T>& student) {
  double distance = 0, norm = 0;
  for (std::size_t i = 0; i < teacher.size(); ++i) {
    const double d = double(student[i]) - double(teacher[i]);
    distance += d * d;
    norm += double(teacher[i]) * double(teacher[i]);
  }
  return {distance, norm};
}

}  // namespace

template <class T>
double to_probabilities(T* logits, std::int64_t vocabulary, std::span<const std::int32_t> targets) {
  double sum = 0;
  Kokkos::parallel_reduce(
      "cross entropy", Host(0, std::int64_t(targets.size())),
      [=](std::int64_t n, double& part) {
        part +=
            double(cross_entropy(logits + n * vocabulary, vocabulary, std::int64_t(targets[std::size_t(n)])));
      },
      sum);
  return sum;
}

template <class T>
Loss loss_and_gradient(Transformer<T>& student, const T* parameters, std::span<const std::int32_t> tokens,
                       std::span<const std::int32_t> targets, const LossWeights& weights,
                       Transformer<T>* teacher, GradientSink<T>& gradient) {
  expect_rows(targets, student.configuration().vocabulary, "text");
  student.forward(parameters, tokens);
  const std::int64_t n = student.tokens(), vocabulary = student.configuration().vocabulary;
  const std::int64_t layers = student.configuration().layers;
  Loss loss;
  loss.token = to_probabilities(student.logits().data(), vocabulary, targets) / double(n);
  T* p = student.logits().data();

  const T per_token = T(weights.token / double(n)), per_logit = T(weights.logit / double(n));
  if (weights.logit != 0) {
    T* q = teacher->logits().data();
    Kokkos::parallel_reduce(
        "logit distillation", Host(0, n),
        [=](std::int64_t row, double& part) {
          T *student_row = p + row * vocabulary, *teacher_row = q + row * vocabulary;
          softmax(teacher_row, vocabulary);
          for (std::int64_t i = 0; i < vocabulary; ++i) {
            if (teacher_row[i] > 0)
              part += double(teacher_row[i] * (Kokkos::log(teacher_row[i]) - Kokkos::log(student_row[i])));
            student_row[i] = (per_token + per_logit) * student_row[i] - per_logit * teacher_row[i];
          }
        },
        loss.logit);
    loss.logit /= double(n);
  } else {
    for (std::int64_t i = 0; i < n * vocabulary; ++i) p[i] *= per_token;
  }
  for (std::int64_t row = 0; row < n; ++row) p[row * vocabulary + targets[std::size_t(row)]] -= per_token;

  std::vector<T> feature_factor(std::size_t(layers), T(0));
  if (weights.feature != 0)
    for (std::int64_t l = 0; l < layers; ++l) {
      const auto [distance, norm] = squared_distance(teacher->features(l), student.features(l));
      loss.feature += distance / norm;
      feature_factor[std::size_t(l)] = T(2 * weights.feature / norm);
    }
  loss.total = weights.token * loss.token + weights.logit * loss.logit + weights.feature * loss.feature;

  student.backward(parameters, tokens, p, gradient, [&](std::int64_t l, T* g) {
    if (weights.feature == 0) return;
    const auto &from = teacher->features(l), &mine = student.features(l);
    const T factor = feature_factor[std::size_t(l)];
    for (std::size_t i = 0; i < mine.size(); ++i) g[i] += factor * (mine[i] - from[i]);
  });
  return loss;
}

template Loss loss_and_gradient(Transformer<float>&, const float*, std::span<const std::int32_t>,
                                std::span<const std::int32_t>, const LossWeights&, Transformer<float>*,
                                GradientSink<float>&);
template Loss loss_and_gradient(Transformer<double>&, const double*, std::span<const std::int32_t>,
                                std::span<const std::int32_t>, const LossWeights&, Transformer<double>*,
                                GradientSink<double>&);
template double to_probabilities(float*, std::int64_t, std::span<const std::int32_t>);
template double to_probabilities(double*, std::int64_t, std::span<const std::int32_t>);

}  // namespace wafermark::llama
