#include "sparse_llama/cluster/split_attention.hpp"

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
template <class CacheView>
struct PlaceHeads {
  using Cached = typename CacheView::value_type;
  Kokkos::View<TokenRow*> rows;
  HeadAdjustments adjust;
  Turns turns;
  std::int64_t heads, all, head_dim, first_slot;
  Rows qkv;
  CacheView keys, values;

  KOKKOS_FUNCTION void operator()(const Team::member_type& team) const {
    const std::int64_t r = team.league_rank() / all, h = team.league_rank() % all, half = head_dim / 2,
                       kv_heads = (all - heads) / 2;
    float* const head = &qkv(r, h * head_dim);
    const bool is_value = h >= heads + kv_heads;
    const auto biased = [&](std::int64_t i) {
      return head[i] + (adjust.bias == nullptr ? 0.0f : adjust.bias[h * head_dim + i]);
    };
    const float* norm = is_value ? nullptr : h < heads ? adjust.query_norm : adjust.key_norm;
    float scale = 1;
    if (norm != nullptr) {
      float squares = 0;
      Kokkos::parallel_reduce(
          Kokkos::ThreadVectorRange(team, int(head_dim)),
          [&](int i, float& sum) { sum += biased(i) * biased(i); }, squares);
      scale = rms_scale(squares, head_dim, adjust.epsilon);
    }
    const std::int64_t position = rows(r).position;
    Kokkos::parallel_for(Kokkos::ThreadVectorRange(team, int(half)), [&](int i) {
      float a = biased(i), b = biased(i + half);
      if (norm != nullptr) {
        a *= scale * norm[i];
        b *= scale * norm[i + half];
      }
      if (!is_value) rope_rotate(a, b, turns.cosine(position, i), turns.sine(position, i));
      put(r, h, i, a);
      put(r, h, i + half, b);
    });
  }
  KOKKOS_FUNCTION void put(std::int64_t r, std::int64_t h, std::int64_t i, float x) const {
    const std::int64_t kv_heads = (all - heads) / 2, slot = first_slot + rows(r).sequence,
                       position = rows(r).position;
    if (h < heads)
      qkv(r, h * head_dim + i) = x;
    else if (h < heads + kv_heads)
      (&keys(slot, h - heads, 0, 0))[key_place(position, i, head_dim)] = Cached(x);
    else
      values(slot, h - heads - kv_heads, position, i) = Cached(x);
  }
};

/// Where what was found of a split of a row's head goes, before it is merged.
struct SplitSums {
  float *weighted, *tops, *sums;
  std::int64_t splits;
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
template <class CacheView>
struct AttendSplit {
  using Cached = typename CacheView::value_type;
  Kokkos::View<TokenRow*> rows;
  std::int64_t first_slot, window, part, heads, group, head_dim;
  Rows qkv, out;
  CacheView keys, values;
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
                             const Cached* key, std::int64_t first) const {
    Kokkos::parallel_for(Kokkos::TeamThreadRange(team, int(part / row_lanes)), [&](int piece) {
      each_lane(team, [&](int lane) {
        const std::int64_t p = first + piece * row_lanes + lane;
        const bool seen = p >= row.begin && p < row.seen;
        float sums[heads_of_team] = {};
        if (seen) key_dots(to.queries, key + key_place(p, 0, head_dim), head_dim, sums);
        for (int h = 0; h < heads_of_team; ++h)
          to.scores[h * part + piece * row_lanes + lane] = seen ? sums[h] : AttentionSum<float>().top;
      });
    });
  }

  /// The scores of a part become weights over the top of all so far.
  KOKKOS_FUNCTION void weigh(const Team::member_type& team, const Room& at) const {
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
                                  const Cached* value, std::int64_t first) const {
    const std::int64_t positions = part / value_slices;
    Kokkos::parallel_for(Kokkos::TeamVectorRange(team, int(value_slices * head_dim)), [&](int k) {
      const std::int64_t s = k / head_dim, i = k % head_dim, begin = s * positions,
                         n = Kokkos::min(positions, Kokkos::max(row.seen - first - begin, std::int64_t(0)));
      float sums[heads_of_team] = {};
      value_sums(at.scores + begin, part, n, value + (first + begin) * head_dim + i, head_dim, sums);
      for (int h = 0; h < heads_of_team; ++h) at.sliced[(s * heads_of_team + h) * head_dim + i] = sums[h];
    });
    team.team_barrier();
    Kokkos::parallel_for(Kokkos::TeamVectorRange(team, int(heads_of_team * head_dim)), [&](int k) {
      float sum = at.weighted[k] * at.fade[k / head_dim];
      for (std::int64_t s = 0; s < value_slices; ++s) sum += at.sliced[s * heads_of_team * head_dim + k];
      at.weighted[k] = sum;
    });
  }

  KOKKOS_FUNCTION void operator()(const Team::member_type& team) const {
    const std::int64_t kv_heads = heads / group, chunks = (group + heads_of_team - 1) / heads_of_team,
                       split = team.league_rank() % splits.splits, k = team.league_rank() / splits.splits,
                       chunk = k % chunks, kv = k / chunks % kv_heads, r = k / (chunks * kv_heads),
                       first_head = kv * group + chunk * heads_of_team,
                       count = Kokkos::min(std::int64_t(heads_of_team), group - chunk * heads_of_team);
    const std::int64_t slot = first_slot + rows(r).sequence;
    const PartsOfRow row(rows(r).position, window, part);
    const Room at = room(team);
    const float scale = 1.0f / Kokkos::sqrt(float(head_dim));
    Kokkos::parallel_for(Kokkos::TeamVectorRange(team, int(heads_of_team * head_dim)), [&](int q) {
      at.queries[q] = q < count * head_dim ? scale * qkv(r, first_head * head_dim + q) : 0.0f;
      at.weighted[q] = 0;
      if (q < heads_of_team) at.state[q] = AttentionSum<float>();
    });
    team.team_barrier();
    const Cached *key = &keys(slot, kv, 0, 0), *value = &values(slot, kv, 0, 0);
    for (std::int64_t p = row.first_of(split, splits.splits); p < row.first_of(split + 1, splits.splits);
         ++p) {
      score(team, at, row, key, p * part);
      team.team_barrier();
      weigh(team, at);
      team.team_barrier();
      add_values(team, at, row, value, p * part);
      team.team_barrier();
    }
    Kokkos::parallel_for(Kokkos::TeamVectorRange(team, int(count * head_dim)), [&](int q) {
      const std::int64_t h = first_head + q / head_dim, of_split = (r * heads + h) * splits.splits + split;
      if (splits.splits == 1) {
        out(r, first_head * head_dim + q) = at.weighted[q] / at.state[q / head_dim].sum;
        return;
      }
      splits.weighted[of_split * head_dim + q % head_dim] = at.weighted[q];
      if (q % head_dim > 0) return;
      splits.tops[of_split] = at.state[q / head_dim].top;
      splits.sums[of_split] = at.state[q / head_dim].sum;
    });
  }
};

/// One head of one row from all its splits, by a warp. A split without positions has weight 0.
struct MergeSplits {
  std::int64_t heads, head_dim;
  SplitSums splits;
  Rows out;

  KOKKOS_FUNCTION void operator()(const Team::member_type& team) const {
    const std::int64_t r = team.league_rank() / heads, h = team.league_rank() % heads,
                       first = team.league_rank() * splits.splits;
    const float* tops = splits.tops + first;
    float top = 0, sum = 0;
    Kokkos::parallel_reduce(
        Kokkos::ThreadVectorRange(team, int(splits.splits)),
        [&](int s, float& most) { most = Kokkos::max(most, tops[s]); }, Kokkos::Max<float>(top));
    Kokkos::parallel_reduce(
        Kokkos::ThreadVectorRange(team, int(splits.splits)),
        [&](int s, float& all) { all += splits.sums[first + s] * weight_of_score(tops[s], top); }, sum);
    Kokkos::parallel_for(Kokkos::ThreadVectorRange(team, int(head_dim)), [&](int i) {
      float weighted = 0;
      for (std::int64_t s = 0; s < splits.splits; ++s)
        weighted += splits.weighted[(first + s) * head_dim + i] * weight_of_score(tops[s], top);
      out(r, h * head_dim + i) = weighted / sum;
    });
  }
};

}  // namespace

void place_heads(const AttentionPass& pass, const HeadAdjustments& adjust, const Turns& turns,
                 std::int64_t heads, const Rows& qkv, const Cache& keys, const Cache& values) {
  const auto kv_heads = std::int64_t(keys.extent(1)), head_dim = std::int64_t(keys.extent(3)),
             all = heads + 2 * kv_heads;
  announce_bytes(double(2 * pass.count * all * head_dim) * sizeof(float));
  Kokkos::parallel_for(
      "rope", warps_of_teams(keys.size() > 0 ? pass.count * all : 0, 1),
      PlaceHeads{pass.rows, adjust, turns, heads, all, head_dim, pass.first_slot, qkv, keys, values});
}

std::int64_t SplitAttention::parts(std::int64_t position, std::int64_t window) const {
  return PartsOfRow(position, window, part_).count;
}

void SplitAttention::attend(const AttentionPass& pass, std::int64_t most_parts, std::int64_t heads,
                            const Rows& qkv, const Cache& keys, const Cache& values, const Rows& out) {
  const auto kv_heads = std::int64_t(keys.extent(1)), head_dim = std::int64_t(keys.extent(3)),
             group = heads / kv_heads, chunks = (group + heads_of_team - 1) / heads_of_team,
             teams = pass.count * kv_heads * chunks;
  const std::int64_t n =
      Kokkos::min(most_parts, Kokkos::max((enough_teams + teams - 1) / teams, std::int64_t(1)));
  if (n > 1) {
    grow(weighted_, pass.count * heads * n * head_dim);
    grow(tops_, pass.count * heads * n);
    grow(sums_, pass.count * heads * n);
  }
  const SplitSums splits{weighted_.data(), tops_.data(), sums_.data(), n};
  const double merged = n > 1 ? double(pass.count * heads * n * (head_dim + 2)) * sizeof(float) : 0.0;
  announce_bytes(double(2 * head_dim * (pass.attended * kv_heads + pass.count * heads)) * sizeof(float) +
                 merged);
  const AttendSplit<Cache> body{
      pass.rows, pass.first_slot, pass.window, part_, heads, group, head_dim, qkv, out, keys, values, splits};
  Kokkos::parallel_for("attention",
                       warps_of_teams(keys.size() > 0 ? teams * n : 0, attention_warps, body.bytes_of_team()),
                       body);
  if (n == 1) return;
  announce_bytes(merged + double(pass.count * heads * head_dim) * sizeof(float));
  Kokkos::parallel_for("merge attention", warps_of_teams(keys.size() > 0 ? pass.count * heads : 0, 1),
                       MergeSplits{heads, head_dim, splits, out});
}

}  // namespace wafermark::llama
