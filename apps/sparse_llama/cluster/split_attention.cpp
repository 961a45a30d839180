#include "sparse_llama/cluster/split_attention.hpp"

#include <algorithm>

#include "sparse_llama/cluster/lanes.hpp"
#include "sparse_llama/kernels/attention_parts.hpp"
#include "sparse_llama/kernels/rms_norm.hpp"
#include "sparse_llama/kernels/rope.hpp"

namespace wafermark::llama {
namespace {

constexpr int attention_warps = 4;
constexpr int heads_of_team = 4;          // that share keys and values, at most
constexpr std::int64_t value_slices = 8;  // of a part, whose values are summed apart
constexpr std::int64_t enough_teams = 512;

/// One head of one row of the pass, by a warp.
template <class Cached>
struct PlaceHeads {
  Kokkos::View<TokenRow*, MemSpace> rows;
  HeadAdjustments adjust;
  Turns turns;
  std::int64_t heads, all, head_dim, first_slot;
  Rows qkv;
  CacheArrays<Cached> cache;

  struct Elements {  // i and i + head_dim / 2
    float a, b;
  };
  /// What the elements of a head become, normed by `scale` where `norm` says so.
  KOKKOS_FUNCTION Elements adjusted(std::int64_t r, std::int64_t h, std::int64_t i, const float* norm,
                                    float scale) const {
    const std::int64_t half = head_dim / 2, position = rows(r).position;
    Elements e{biased(r, h, i), biased(r, h, i + half)};
    if (norm != nullptr) {
      e.a *= scale * norm[i];
      e.b *= scale * norm[i + half];
    }
    if (!is_value(h)) rope_rotate(e.a, e.b, turns.cosine(position, i), turns.sine(position, i));
    return e;
  }
  KOKKOS_FUNCTION bool is_value(std::int64_t h) const { return h >= heads + (all - heads) / 2; }
  KOKKOS_FUNCTION float biased(std::int64_t r, std::int64_t h, std::int64_t i) const {
    const float x = qkv(r, h * head_dim + i);
    return adjust.bias == nullptr ? x : x + adjust.bias[h * head_dim + i];
  }

  KOKKOS_FUNCTION void operator()(const Team::member_type& team) const {
    const std::int64_t r = team.league_rank() / all, h = team.league_rank() % all, half = head_dim / 2;
    const float* norm = is_value(h) ? nullptr : h < heads ? adjust.query_norm : adjust.key_norm;
    float scale = 1;
    if (norm != nullptr) {
      float squares = 0;
      Kokkos::parallel_reduce(
          Kokkos::ThreadVectorRange(team, int(head_dim)),
          [&](int i, float& sum) { sum += biased(r, h, i) * biased(r, h, i); }, squares);
      scale = rms_scale(squares, head_dim, adjust.epsilon);
    }
    if (h >= heads) return store(team, r, h, norm, scale);
    Kokkos::parallel_for(Kokkos::ThreadVectorRange(team, int(half)), [&](int i) {
      const Elements e = adjusted(r, h, i, norm, scale);
      qkv(r, h * head_dim + i) = e.a;
      qkv(r, h * head_dim + i + half) = e.b;
    });
  }

  /// A key or a value goes into the cache.
  KOKKOS_FUNCTION void store(const Team::member_type& team, std::int64_t r, std::int64_t h, const float* norm,
                             float scale) const {
    const std::int64_t half = head_dim / 2, kv_heads = (all - heads) / 2, kv = (h - heads) % kv_heads;
    const CachedHead<Cached> head = cache.head(first_slot + rows(r).sequence, kv);
    const std::int64_t place = head.place(rows(r).position);
    float inverse = 1;
    if constexpr (is_scaled<Cached>) {
      float largest = 0;
      Kokkos::parallel_reduce(
          Kokkos::ThreadVectorRange(team, int(half)),
          [&](int i, float& most) {
            const Elements e = adjusted(r, h, i, norm, scale);
            most = Kokkos::max(most, Kokkos::max(Kokkos::fabs(e.a), Kokkos::fabs(e.b)));
          },
          Kokkos::Max<float>(largest));
      const float own = largest / largest_cached;
      inverse = inverse_or_zero(own);
      Kokkos::single(Kokkos::PerThread(team),
                     [&] { (is_value(h) ? head.value_scales : head.key_scales)[place] = own; });
    }
    Kokkos::parallel_for(Kokkos::ThreadVectorRange(team, int(half)), [&](int i) {
      const Elements e = adjusted(r, h, i, norm, scale);
      put(head, place, is_value(h), i, cached_number<Cached>(e.a, inverse));
      put(head, place, is_value(h), i + half, cached_number<Cached>(e.b, inverse));
    });
  }
  KOKKOS_FUNCTION void put(const CachedHead<Cached>& head, std::int64_t place, bool value, std::int64_t i,
                           Cached x) const {
    if (value)
      head.values[place * head_dim + i] = x;
    else
      head.keys[key_place(place, i, head_dim)] = x;
  }
};

/// What was found of the splits of a row's head, before it is merged. Views, so that memory that has become
/// too small for later passes stays as long as a graph has it.
struct SplitSums {
  Kokkos::View<float*, MemSpace> weighted, tops, sums;  // [row][head][split]([head_dim])
  Kokkos::View<int*, MemSpace> written;  // splits, of the heads of a team: zero between launches
  std::int64_t most;                     // splits of a row
};

/// The parts of a sequence that hold positions [begin, seen), and those of one of several splits.
struct PartsOfRow {
  std::int64_t begin, seen, first, count;

  KOKKOS_INLINE_FUNCTION PartsOfRow(std::int64_t position, std::int64_t window, std::int64_t part)
      : begin(window > 0 ? Kokkos::max(position + 1 - window, std::int64_t(0)) : 0),
        seen(position + 1),
        first(begin / part),
        count((seen - 1) / part - first + 1) {}
  KOKKOS_INLINE_FUNCTION std::int64_t first_of(std::int64_t split, std::int64_t splits) const {
    return first + count * split / splits;
  }
};

/// Some heads of one row, which share keys and values, and one split of the positions.
template <class Cached>
struct AttendSplit {
  Kokkos::View<TokenRow*, MemSpace> rows;
  std::int64_t first_slot, window, part, heads, group, head_dim;
  Rows qkv, out;
  CacheArrays<Cached> cache;
  SplitSums splits;

  struct Room {  // of a team
    float *queries, *scores, *sliced, *weighted, *fade;
    AttentionSum<float>* state;
  };
  KOKKOS_FUNCTION Room room(const Team::member_type& team) const {
    constexpr std::int64_t H = heads_of_team;
    return {team_array<float>(team, H * head_dim),
            team_array<float>(team, H * part),
            team_array<float>(team, value_slices * H * head_dim),
            team_array<float>(team, H * head_dim),
            team_array<float>(team, H),
            team_array<AttentionSum<float>>(team, H)};
  }
  std::int64_t bytes_of_team() const {
    constexpr std::int64_t H = heads_of_team;
    return team_bytes<float>(H * head_dim) * 2 + team_bytes<float>(H * part) +
           team_bytes<float>(value_slices * H * head_dim) + team_bytes<float>(H) +
           team_bytes<AttentionSum<float>>(H);
  }

  /// Scores of the positions of a part, the lowest number for those that are not seen.
  KOKKOS_FUNCTION void score(const Team::member_type& team, const Room& to, const PartsOfRow& row,
                             const CachedHead<Cached>& head, std::int64_t first) const {
    Kokkos::parallel_for(Kokkos::TeamThreadRange(team, int(part / row_lanes)), [&](int piece) {
      each_lane(team, [&](int lane) {
        const std::int64_t p = first + piece * row_lanes + lane;
        const bool seen = p >= row.begin && p < row.seen;
        float sums[heads_of_team] = {};
        const std::int64_t place = head.place(p);
        if (seen) key_dots(to.queries, head.keys + key_place(place, 0, head_dim), head_dim, sums);
        if constexpr (is_scaled<Cached>)
          for (int h = 0; h < heads_of_team; ++h) sums[h] *= head.key_scales[place];
        for (int h = 0; h < heads_of_team; ++h)
          to.scores[h * part + piece * row_lanes + lane] = seen ? sums[h] : AttentionSum<float>().top;
      });
    });
  }

  /// The scores of a part become weights over the top of all so far, of integers times the values' scales.
  KOKKOS_FUNCTION void weigh(const Team::member_type& team, const Room& at,
                             [[maybe_unused]] const CachedHead<Cached>& head,
                             [[maybe_unused]] std::int64_t first) const {
    Kokkos::parallel_for(Kokkos::TeamThreadRange(team, heads_of_team), [&](int h) {
      float* const scores = at.scores + h * part;
      float top = 0, sum = 0;
      Kokkos::parallel_reduce(
          Kokkos::ThreadVectorRange(team, int(part)),
          [&](int p, float& most) { most = Kokkos::max(most, scores[p]); }, Kokkos::Max<float>(top));
      AttentionSum<float> state = at.state[h];
      const float fade = raise_top(state, Kokkos::max(top, state.top));
      Kokkos::parallel_reduce(
          Kokkos::ThreadVectorRange(team, int(part)),
          [&](int p, float& all) {
            scores[p] = weight_of_score(scores[p], state.top);
            all += scores[p];
            if constexpr (is_scaled<Cached>) scores[p] *= head.value_scales[head.place(first + p)];
          },
          sum);
      state.sum += sum;
      Kokkos::single(Kokkos::PerThread(team), [&] {
        at.fade[h] = fade;
        at.state[h] = state;
      });
    });
  }

  KOKKOS_FUNCTION void add_values(const Team::member_type& team, const Room& at, const PartsOfRow& row,
                                  const CachedHead<Cached>& head, std::int64_t first) const {
    const std::int64_t positions = part / value_slices;
    Kokkos::parallel_for(Kokkos::TeamVectorRange(team, int(value_slices * head_dim)), [&](int k) {
      const std::int64_t s = k / head_dim, i = k % head_dim, begin = s * positions,
                         n = Kokkos::min(positions, Kokkos::max(row.seen - first - begin, std::int64_t(0)));
      const Cached* value = head.values + head.place(first + begin) * head_dim + i;
      float sums[heads_of_team] = {};
      value_sums(at.scores + begin, part, n, value, head_dim, sums);
      for (int h = 0; h < heads_of_team; ++h) at.sliced[(s * heads_of_team + h) * head_dim + i] = sums[h];
    });
    team.team_barrier();
    Kokkos::parallel_for(Kokkos::TeamVectorRange(team, int(heads_of_team * head_dim)), [&](int k) {
      float sum = at.weighted[k] * at.fade[k / head_dim];
      for (std::int64_t s = 0; s < value_slices; ++s) sum += at.sliced[s * heads_of_team * head_dim + k];
      at.weighted[k] = sum;
    });
  }

  /// Heads that share keys and values, of one row.
  struct Heads {
    std::int64_t row, first, count;
  };

  /// Leaves the sums of a split where the team that merges finds them.
  KOKKOS_FUNCTION void leave(const Team::member_type& team, const Room& at, const Heads& own,
                             std::int64_t split) const {
    Kokkos::parallel_for(Kokkos::TeamVectorRange(team, int(own.count * head_dim)), [&](int q) {
      const std::int64_t of_split = (own.row * heads + own.first + q / head_dim) * splits.most + split;
      splits.weighted(of_split * head_dim + q % head_dim) = at.weighted[q];
      if (q % head_dim > 0) return;
      splits.tops(of_split) = at.state[q / head_dim].top;
      splits.sums(of_split) = at.state[q / head_dim].sum;
    });
  }

  /// Whether a team that has left its split is the last of n; the counter is then at zero again. Fences stand
  /// on both sides of the counter, in every thread: what was left is seen before its count, and nothing is
  /// read before the last count.
  KOKKOS_FUNCTION bool is_last(const Team::member_type& team, std::int64_t counter, std::int64_t n) const {
    Kokkos::memory_fence();
    team.team_barrier();
    int last = 0;
    Kokkos::single(
        Kokkos::PerTeam(team),
        [&](int& of_team) {
          of_team = Kokkos::atomic_fetch_add(&splits.written(counter), 1) == int(n) - 1;
          if (of_team) Kokkos::atomic_store(&splits.written(counter), 0);
        },
        last);
    Kokkos::memory_fence();
    return last != 0;
  }

  /// From n splits, in their order whichever team merges them: each head by a warp.
  KOKKOS_FUNCTION void merge(const Team::member_type& team, const Heads& own, std::int64_t n) const {
    Kokkos::parallel_for(Kokkos::TeamThreadRange(team, int(own.count)), [&](int q) {
      const std::int64_t h = own.first + q, first = (own.row * heads + h) * splits.most;
      const float *tops = &splits.tops(first), *sums = &splits.sums(first),
                  *weighted = &splits.weighted(first * head_dim);
      float top = 0, sum = 0;
      Kokkos::parallel_reduce(
          Kokkos::ThreadVectorRange(team, int(n)),
          [&](int s, float& most) { most = Kokkos::max(most, tops[s]); }, Kokkos::Max<float>(top));
      Kokkos::parallel_reduce(
          Kokkos::ThreadVectorRange(team, int(n)),
          [&](int s, float& all) { all += sums[s] * weight_of_score(tops[s], top); }, sum);
      Kokkos::parallel_for(Kokkos::ThreadVectorRange(team, int(head_dim)), [&](int i) {
        float all = 0;
        for (std::int64_t s = 0; s < n; ++s)
          all += weighted[s * head_dim + i] * weight_of_score(tops[s], top);
        out(own.row, h * head_dim + i) = all / sum;
      });
    });
  }

  KOKKOS_FUNCTION void operator()(const Team::member_type& team) const {
    const std::int64_t kv_heads = heads / group, chunks = (group + heads_of_team - 1) / heads_of_team,
                       split = team.league_rank() % splits.most, k = team.league_rank() / splits.most,
                       chunk = k % chunks, kv = k / chunks % kv_heads, r = k / (chunks * kv_heads),
                       first_head = kv * group + chunk * heads_of_team,
                       count = Kokkos::min(std::int64_t(heads_of_team), group - chunk * heads_of_team);
    const PartsOfRow row(rows(r).position, window, part);
    const std::int64_t own_splits = Kokkos::min(row.count, splits.most);
    if (split >= own_splits) return;  // longer sequences have more
    const Room at = room(team);
    const float scale = 1.0f / Kokkos::sqrt(float(head_dim));
    Kokkos::parallel_for(Kokkos::TeamVectorRange(team, int(heads_of_team * head_dim)), [&](int q) {
      at.queries[q] = q < count * head_dim ? scale * qkv(r, first_head * head_dim + q) : 0.0f;
      at.weighted[q] = 0;
      if (q < heads_of_team) at.state[q] = AttentionSum<float>();
    });
    team.team_barrier();
    const CachedHead<Cached> head = cache.head(first_slot + rows(r).sequence, kv);
    for (std::int64_t p = row.first_of(split, own_splits); p < row.first_of(split + 1, own_splits); ++p) {
      score(team, at, row, head, p * part);
      team.team_barrier();
      weigh(team, at, head, p * part);
      team.team_barrier();
      add_values(team, at, row, head, p * part);
      team.team_barrier();
    }
    if (own_splits == 1) {
      Kokkos::parallel_for(Kokkos::TeamVectorRange(team, int(count * head_dim)), [&](int q) {
        out(r, first_head * head_dim + q) = at.weighted[q] / at.state[q / head_dim].sum;
      });
      return;
    }
    const Heads own{r, first_head, count};
    leave(team, at, own, split);
    if (is_last(team, k, own_splits)) merge(team, own, own_splits);
  }
};

}  // namespace

void place_heads(KernelChain& kernels, const AttentionPass& pass, const HeadAdjustments& adjust,
                 const Turns& turns, std::int64_t heads, const Rows& qkv, const KeyValueCache& cache) {
  std::visit(
      [&]<class Cached>(const CacheArrays<Cached>& arrays) {
        const std::int64_t all = heads + 2 * arrays.kv_heads();
        announce_bytes(bytes_of_placing(arrays, heads, pass.count));
        kernels.add("rope", warps_of_teams(arrays.empty() ? 0 : pass.count * all, 1),
                    PlaceHeads<Cached>{pass.rows, adjust, turns, heads, all, arrays.head_dim(),
                                       pass.first_slot, qkv, arrays});
      },
      cache);
}

SplitAttention::SplitAttention(std::int64_t part_positions)
    : part_(part_positions), written_("written splits", std::size_t(enough_teams)) {}

std::int64_t SplitAttention::most_parts(std::int64_t positions, std::int64_t window) const {
  const std::int64_t seen = window > 0 ? std::min(window, positions) : positions;
  return std::min((positions + part_ - 1) / part_, (seen + part_ - 2) / part_ + 1);
}

void SplitAttention::attend(KernelChain& kernels, const AttentionPass& pass, std::int64_t most_parts,
                            std::int64_t heads, const Rows& qkv, const KeyValueCache& cache,
                            const Rows& out) {
  std::visit([&](const auto& arrays) { attend_to(kernels, pass, most_parts, heads, qkv, arrays, out); },
             cache);
}

template <class Cached>
void SplitAttention::attend_to(KernelChain& kernels, const AttentionPass& pass, std::int64_t most_parts,
                               std::int64_t heads, const Rows& qkv, const CacheArrays<Cached>& cache,
                               const Rows& out) {
  const std::int64_t head_dim = cache.head_dim(), group = heads / cache.kv_heads(),
                     chunks = (group + heads_of_team - 1) / heads_of_team,
                     teams = pass.count * cache.kv_heads() * chunks;
  // Where there are several splits, there are fewer than enough_teams counters.
  const std::int64_t n =
      Kokkos::min(most_parts, Kokkos::max((enough_teams + teams - 1) / teams, std::int64_t(1)));
  if (n > 1) {
    grow(weighted_, pass.count * heads * n * head_dim);
    grow(tops_, pass.count * heads * n);
    grow(sums_, pass.count * heads * n);
  }
  const std::int64_t parts = Kokkos::min((pass.attended + part_ - 1) / part_, pass.count * n),
                     merged = parts > pass.count ? parts * heads * (head_dim + 2) : 0;  // about
  announce_bytes(bytes_of_attending(cache, heads, pass.count, pass.attended) +
                 double(2 * merged) * sizeof(float));
  const AttendSplit<Cached> body{pass.rows,
                                 pass.first_slot,
                                 pass.window,
                                 part_,
                                 heads,
                                 group,
                                 head_dim,
                                 qkv,
                                 out,
                                 cache,
                                 {weighted_, tops_, sums_, written_, n}};
  kernels.add("attention",
              warps_of_teams(cache.empty() ? 0 : teams * n, attention_warps, body.bytes_of_team()), body);
}

}  // namespace wafermark::llama
