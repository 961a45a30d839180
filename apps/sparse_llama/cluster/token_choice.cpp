#include "sparse_llama/cluster/token_choice.hpp"

#include "sparse_llama/cluster/packed_rows.hpp"
#include "sparse_llama/kernels/exponential.hpp"
#include "sparse_llama/kernels/sampling.hpp"

namespace wafermark::llama {
namespace {

constexpr int choosing_warps = 16;

/// One token, by a team. Sorting is not needed: the nucleus ends, and the drawn token lies, at a logit that
/// is found by halving the range of logits.
struct DrawToken {
  Kokkos::View<TokenChoice*, SharedSpace> choices;
  Kokkos::View<std::int64_t*, SharedSpace> ranked;
  std::int64_t first, first_token, vocabulary;
  Rows logits;
  Kokkos::View<double*, MemSpace> weights;

  /// The logits of one row, and exp(logit / temperature) over the largest.
  struct Row {
    const float* x;
    double* w;
    int n;
  };
  template <class T, class Term>
  KOKKOS_FUNCTION static T sum(const Team::member_type& team, const Row& row, const Term& term) {
    T all = 0;
    Kokkos::parallel_reduce(
        Kokkos::TeamVectorRange(team, row.n), [&](int i, T& part) { part += term(i); }, all);
    return all;
  }
  /// Weights of the tokens with this logit or a larger one, by keys.
  KOKKOS_FUNCTION static double at_least(const Team::member_type& team, const Row& row, std::uint32_t key) {
    return sum<double>(team, row, [&](int i) { return ordered_key(row.x[i]) >= key ? row.w[i] : 0.0; });
  }

  /// Tokens with the same logit, in their order.
  struct Ties {
    std::uint32_t key;
    double above, weight;  // of those with larger logits; of one of these
    std::int64_t count;
  };
  KOKKOS_FUNCTION static Ties ties_at(const Team::member_type& team, const Row& row, std::uint32_t key) {
    const double above =
        sum<double>(team, row, [&](int i) { return ordered_key(row.x[i]) > key ? row.w[i] : 0.0; });
    const auto count =
        sum<std::int64_t>(team, row, [&](int i) { return std::int64_t(ordered_key(row.x[i]) == key); });
    return {key, above, count > 0 ? (at_least(team, row, key) - above) / double(count) : 0.0, count};
  }

  KOKKOS_FUNCTION std::int64_t drawn(const Team::member_type& team, const Row& row, const TokenChoice& choice,
                                     std::uint32_t largest) const {
    // The nucleus: tokens down to those that tie at its end, and so many of these.
    const double all = at_least(team, row, 0), nucleus = choice.top_p * all;
    const std::uint32_t lowest = all < nucleus || choice.top_p >= 1
                                     ? 0
                                     : last_that_holds<std::uint32_t>(0, largest, [&](std::uint32_t key) {
                                         return at_least(team, row, key) >= nucleus;
                                       });
    std::int64_t kept = row.n;  // of the ties at the end
    double weight = all;
    if (lowest > 0) {
      const Ties end = ties_at(team, row, lowest);
      kept = Kokkos::clamp(std::int64_t(Kokkos::ceil((nucleus - end.above) / end.weight)), std::int64_t(1),
                           end.count);
      weight = end.above + double(kept) * end.weight;
    }
    const double left = choice.draw * weight;
    const std::uint32_t key = last_that_holds<std::uint32_t>(
        lowest, largest, [&](std::uint32_t k) { return at_least(team, row, k) > left; });
    const Ties ties = ties_at(team, row, key);
    const std::int64_t most = (key == lowest ? Kokkos::min(kept, ties.count) : ties.count) - 1;
    const std::int64_t skipped =
        ties.weight > 0 && most > 0
            ? Kokkos::clamp(std::int64_t((left - ties.above) / ties.weight), std::int64_t(0), most)
            : 0;
    // The last token before which at most so many of the ties lie.
    return last_that_holds<std::int64_t>(0, row.n - 1, [&](std::int64_t token) {
      return sum<std::int64_t>(team, row, [&](int i) {
               return std::int64_t(i < token && ordered_key(row.x[i]) == key);
             }) <= skipped;
    });
  }

  KOKKOS_FUNCTION void operator()(const Team::member_type& team) const {
    const std::int64_t v = team.league_rank();
    const Row row{&logits(v, 0), weights.data() + v * vocabulary, int(vocabulary)};
    const TokenChoice choice = choices(first + v);
    std::int64_t best = 0;
    Kokkos::parallel_reduce(
        Kokkos::TeamVectorRange(team, row.n),
        [&](int i, std::int64_t& most) { most = Kokkos::max(most, ranked_token(row.x[i], i)); },
        Kokkos::Max<std::int64_t>(best));
    std::int64_t token = token_of_rank(best);
    if (choice.temperature > 0) {
      const double top = double(row.x[token]) / choice.temperature;
      Kokkos::parallel_for(Kokkos::TeamVectorRange(team, row.n), [&](int i) {
        row.w[i] = exponential(double(row.x[i]) / choice.temperature - top);
      });
      team.team_barrier();
      token = drawn(team, row, choice, ordered_key(row.x[token]));
    }
    Kokkos::single(Kokkos::PerTeam(team),
                   [&] { ranked(first + v) = ranked_token(row.x[token], first_token + token); });
  }
};

}  // namespace

TokenChooser::TokenChooser(std::int64_t most)
    : choices_("choices", std::size_t(most)), ranked_("tokens", std::size_t(most)) {}

void TokenChooser::note(std::span<const TokenChoice> choices) {
  weighted_ = false;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    choices_(i) = choices[i];
    weighted_ = weighted_ || choices[i].temperature > 0;
  }
}

void TokenChooser::draw(KernelChain& kernels, std::int64_t first, std::int64_t n, const Rows& logits,
                        std::int64_t first_token, bool hollow) {
  const auto vocabulary = std::int64_t(logits.extent(1));
  if (weighted_) grow(weights_, n * vocabulary);
  if (hollow)
    for (std::int64_t i = 0; i < n; ++i) ranked_(first + i) = ranked_token(0.0f, first_token);
  announce_bytes(double(n * vocabulary) * sizeof(float));
  kernels.add("choose token", warps_of_teams(hollow ? 0 : n, choosing_warps),
              DrawToken{choices_, ranked_, first, first_token, vocabulary, logits, weights_});
}

}  // namespace wafermark::llama
