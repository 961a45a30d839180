#include "sparse_llama/cluster/batch_products.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/environment.hpp"
#include "common/errors.hpp"
#include "common/printable.hpp"
#include "sparse_llama/kernels/rms_norm.hpp"

namespace wafermark::llama {
namespace {

constexpr const char* batch_variable = "WAFERMARK_BATCH_PRODUCTS";
constexpr int vector_warps = 16;  // of a team that has a whole vector
constexpr int expand_warps = 8;   // of a team, each with a row
constexpr std::int64_t expanding_rows = on_cpu ? 1 : expand_warps;
constexpr std::int64_t panel_multiple = 128;  // rows of a tile of the libraries

/// Whether the library multiplies the rows as they are stored.
bool is_dense_bf16(const PackedMatrix& m) {
  return m.value_type == ValueType::bf16 && row_of(m.format).layout == Layout::whole;
}

/// Two columns side by side, which one store writes.
struct alignas(2 * sizeof(BFloat16)) ColumnPair {
  BFloat16 at[2];
};

/// A vector in bf16, normed where there is a norm, with zeros behind its columns; by a team.
struct RoundVector {
  ProductInput in;
  std::int64_t columns, padded;
  BFloat16* out;

  KOKKOS_FUNCTION void operator()(const Team::member_type& team) const {
    const float* x = in.x + team.league_rank() * in.stride;
    BFloat16* to = out + team.league_rank() * padded;
    float squares = 0;
    if (in.norm != nullptr)
      Kokkos::parallel_reduce(
          Kokkos::TeamVectorRange(team, int(columns)), [&](int c, float& sum) { sum += x[c] * x[c]; },
          squares);
    const float scale = in.norm == nullptr ? 1.0f : rms_scale(squares, columns, in.epsilon);
    Kokkos::parallel_for(Kokkos::TeamVectorRange(team, int(padded)), [&](int c) {
      const float normed = c >= columns ? 0.0f : in.norm == nullptr ? x[c] : x[c] * scale * in.norm[c];
      to[c] = BFloat16(normed);
    });
  }
};

/// Rows [first, first + count) of a packed matrix as dense ones of bf16; a row by a warp.
template <Layout layout, class Value>
struct ExpandPanel {
  RowsOf<Value> m;
  std::int64_t first, count;
  BFloat16* panel;  // [count][padded columns]

  KOKKOS_FUNCTION std::int64_t columns() const { return m.words * mask_columns; }

  KOKKOS_FUNCTION void operator()(const Team::member_type& team) const {
    const std::int64_t i = team.league_rank() * team.team_size() + team.team_rank(), row = first + i;
    const bool here = i < count;
    BFloat16* const to = panel + i * columns();
    if constexpr (layout == Layout::listed) {
      if (here) each_pair(team, to, [](std::int64_t) { return ColumnPair(); });
      team.team_barrier();  // before other lanes put numbers where one has put zeros
      if (here) each_lane(team, [&](int lane) { listed(row, lane, to); });
    } else if constexpr (layout == Layout::whole) {
      if (here) each_pair(team, to, [&](std::int64_t c) { return whole(row, c); });
    } else {
      if (here) each_lane(team, [&](int lane) { masked(row, lane, to); });
    }
  }

 private:
  /// pair_at(c) for columns c and c + 1 of a row: neighbouring lanes write neighbours.
  template <class PairAt>
  KOKKOS_FUNCTION void each_pair(const Team::member_type& team, BFloat16* to, const PairAt& pair_at) const {
    each_lane(team, [&](int lane) {
      for (std::int64_t c = 2 * lane; c < columns(); c += mask_columns)
        *reinterpret_cast<ColumnPair*>(to + c) = pair_at(c);
    });
  }

  KOKKOS_FUNCTION static BFloat16 rounded(const Value& value, float scale) {
    if constexpr (std::is_same_v<Value, BFloat16>)
      return value;
    else
      return BFloat16(float(value) * scale);
  }

  KOKKOS_FUNCTION ColumnPair whole(std::int64_t row, std::int64_t c) const {
    const Value* from = m.values + row * columns() + c;
    const float scale = m.scale(row * m.groups + c / group_columns);
    return {{rounded(from[0], scale), rounded(from[1], scale)}};
  }

  KOKKOS_FUNCTION void listed(std::int64_t row, int lane, BFloat16* to) const {
    const std::int64_t begin = m.slice_start[row], n = m.slice_start[row + 1] - begin;
    for (std::int64_t k = lane; k < n; k += row_lanes) {
      float scale = 1;
      if constexpr (is_scaled<Value>) scale = m.scale(m.scale_start[row] + k / group_columns);
      to[m.column[begin + k]] = rounded(m.values[begin + k], scale);
    }
  }

  /// A lane's two columns of every word. All lanes read the same mask, which one load brings, and know by its
  /// bits where their values are: neighbours.
  KOKKOS_FUNCTION void masked(std::int64_t row, int lane, BFloat16* to) const {
    const Value* from = m.values + m.slice_start[row];
    const int column = 2 * lane;
    for (std::int64_t w = 0; w < m.words; ++w) {
      const MaskWord mask = m.mask[row * m.words + w], below = mask & ((MaskWord(1) << column) - 1);
      const bool stored[2] = {(mask >> column & 1) != 0, (mask >> column >> 1 & 1) != 0};
      const float scale = m.scale(row * m.groups + w * mask_columns / group_columns);
      const Value* own = from + Kokkos::popcount(below);
      ColumnPair pair;
      if (stored[0]) pair.at[0] = rounded(own[0], scale);
      if (stored[1]) pair.at[1] = rounded(own[stored[0] ? 1 : 0], scale);
      *reinterpret_cast<ColumnPair*>(to + w * mask_columns + column) = pair;
      from += Kokkos::popcount(mask);
    }
  }
};
static_assert(mask_columns == 2 * row_lanes);

template <class Value>
void expand(KernelChain& kernels, const PackedMatrix& m, std::int64_t first, std::int64_t count,
            BFloat16* panel) {
  const Team teams = warps_of_teams((count + expanding_rows - 1) / expanding_rows, expand_warps);
  const auto add = [&]<Layout layout>(std::integral_constant<Layout, layout>) {
    kernels.add("rows as dense bf16", teams,
                ExpandPanel<layout, Value>{RowsOf<Value>(m), first, count, panel});
  };
  switch (row_of(m.format).layout) {
    case Layout::whole:
      return add(std::integral_constant<Layout, Layout::whole>{});
    case Layout::listed:
      return add(std::integral_constant<Layout, Layout::listed>{});
    case Layout::masked:
      return add(std::integral_constant<Layout, Layout::masked>{});
  }
}

/// A call of the library, which a graph can have.
struct LibraryCall {
  MatrixLibrary* library;
  DenseProduct product;
  void operator()(const ExecSpace& space) const { library->multiply(space, product); }
};

/// Hidden units of a vector from gate and up, by a team.
struct GateVector {
  const float* gate_up;  // [vectors][2 hidden]
  std::int64_t hidden;
  ProductOutput out;

  KOKKOS_FUNCTION void operator()(const Team::member_type& team) const {
    const float *gate = gate_up + team.league_rank() * 2 * hidden, *up = gate + hidden;
    float* to = out.out + team.league_rank() * out.stride;
    Kokkos::parallel_for(Kokkos::TeamVectorRange(team, int(hidden)),
                         [&](int u) { to[u] = hidden_unit(gate[u], up[u], out); });
  }
};

}  // namespace

BatchForm choose_batch_form(const std::string& wanted, bool library_there) {
  if (wanted.empty()) return library_there ? BatchForm::library : BatchForm::warps;
  if (wanted == "warps") return BatchForm::warps;
  if (wanted != "library")
    throw InputError(
        fmt::format("{}: found '{}', expected warps or library", batch_variable, excerpt(wanted)));
  if (!library_there)
    throw InputError(fmt::format(
        "{}: found 'library', but this build has none for its device, expected warps", batch_variable));
  return BatchForm::library;
}

BatchForm choose_batch_form(const Communicator& comm) {
  const BatchForm form = choose_batch_form(environment_value(batch_variable, comm), MatrixLibrary::there());
  return runtime::charges_kernels() ? BatchForm::warps : form;
}

std::int64_t BatchProducts::rows_of_panel(const PackedMatrix& m) const {
  const std::int64_t fit = panel_bytes_ / (m.padded_columns() * std::int64_t(sizeof(BFloat16)));
  return std::max(panel_multiple, fit / panel_multiple * panel_multiple);
}

bool BatchProducts::suits(const PackedMatrix& m, std::int64_t vectors) {
  return vectors >= library_from && suits_pairs(m) && m.value_type != ValueType::fp32 && !m.hollow();
}

void BatchProducts::make_room(const PackedMatrix& m, PairEnd end) {
  const std::int64_t padded = m.padded_columns();
  grow(x_, most_vectors_ * padded);
  if (!is_dense_bf16(m)) grow(panel_, std::min(m.rows, rows_of_panel(m)) * padded);
  if (end == PairEnd::swiglu) grow(gate_up_, most_vectors_ * m.rows);
}

void BatchProducts::multiply(KernelChain& kernels, const PackedMatrix& m, const ProductInput& in,
                             const ProductOutput& out) {
  const std::int64_t padded = m.padded_columns();
  kernels.add("vectors in bf16", warps_of_teams(in.count, vector_warps),
              RoundVector{in, m.columns, padded, x_.data()});
  const bool gated = out.end == PairEnd::swiglu;
  float* const to = gated ? gate_up_.data() : out.out;
  const std::int64_t stride = gated ? m.rows : out.stride;
  const auto call = [&](const BFloat16* rows, std::int64_t first, std::int64_t count) {
    kernels.add_call(LibraryCall{
        &library_, {rows, x_.data(), count, in.count, padded, to + first, stride, out.end == PairEnd::add}});
  };
  if (is_dense_bf16(m)) {
    call(reinterpret_cast<const BFloat16*>(m.values.data()), 0, m.rows);
  } else {
    const std::int64_t together = rows_of_panel(m);
    for (std::int64_t first = 0; first < m.rows; first += together) {
      const std::int64_t count = std::min(together, m.rows - first);
      if (m.value_type == ValueType::int8)
        expand<std::int8_t>(kernels, m, first, count, panel_.data());
      else
        expand<BFloat16>(kernels, m, first, count, panel_.data());
      call(panel_.data(), first, count);
    }
  }
  if (gated)
    kernels.add("SwiGLU", warps_of_teams(in.count, vector_warps),
                GateVector{gate_up_.data(), m.rows / 2, out});
}

}  // namespace wafermark::llama
