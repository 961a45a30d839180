#include "sparse_llama/wafer/wafer_decoder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/errors.hpp"
#include "sparse_llama/kernels/rms_norm.hpp"
#include "sparse_llama/kernels/swiglu.hpp"
#include "sparse_llama/model/shares.hpp"
#include "wse_emulator/fabric/line_reduction.hpp"
#include "wse_emulator/fabric/reduction.hpp"
#include "wse_emulator/whole_cycles.hpp"

namespace wafermark::llama {
namespace {

using Tiles = Kokkos::RangePolicy<Kokkos::DefaultHostExecutionSpace, Kokkos::Schedule<Kokkos::Dynamic>>;

WaferSettings accepted(const WaferSettings& settings) {
  const auto expect = [](const auto& row, const auto& rows, const char* option) {
    if (row.on_tiles) return;
    std::string able;
    for (const auto& other : rows)
      if (other.on_tiles) able += (able.empty() ? "" : ", ") + std::string(other.name);
    throw InputError(
        fmt::format("{} {}: tiles do not hold it, expected {} with --target wafer", option, row.name, able));
  };
  expect(row_of(settings.value_type), value_rows, "--value");
  expect(row_of(settings.format), format_rows, "--format");
  return settings;
}

}  // namespace

WaferDecoder::WaferDecoder(const Communicator& comm, const WeightSource& source, const wse::Machine& machine,
                           const wse::TileGrid& grid, WaferSettings settings)
    : comm_(comm),
      name_(source.name),
      model_(source.configuration),
      cost_(machine, accepted(settings).value_type),
      placement_(Placement::search(model_, machine, cost_, grid, settings)),
      times_(comm, wse::Blocks(comm, grid), machine),
      dims_(even_cut(model_.dim, placement_.layers.front().area.width)),
      vocabulary_(even_cut(model_.vocabulary, placement_.head.area.height)),
      heads_(row_heads(model_, placement_.layers.front().area.height)),
      turns_(model_, settings.context),
      final_norm_(source.norm(Norm::final, 0)),
      ready_(std::size_t(settings.sequences), 0) {
  wse::reject_collisions(machine.fabric, placement_.patterns());
  query_key_value_cut_ = query_key_value_cut(model_, heads_);
  attended_cut_ = attended_cut(model_, heads_);
  const auto compute = [&](const char* name) { return times_.phase(name, wse::PhaseKind::compute); };
  phase_ = {compute("multiply"), compute("norm"), compute("rotate"),   compute("scores"),
            compute("softmax"),  compute("gate"), compute("residual"), compute("choose token")};
  embedding_row_ = [row = source.row, dim = model_.dim, type = settings.value_type](std::int64_t token,
                                                                                    float* out) {
    row(Matrix::embedding, 0, token, 0, dim, out);
    if (type == ValueType::bf16)
      for (std::int64_t i = 0; i < dim; ++i) out[i] = BFloat16(out[i]);
  };
  pack_layers(source);
}

std::vector<float> WaferDecoder::forward(std::span<const TokenRow> rows,
                                         std::span<const std::int64_t> wanted) {
  std::vector<char> is_wanted(rows.size(), 0);
  for (const std::int64_t w : wanted) is_wanted[std::size_t(w)] = 1;
  std::vector<float> logits(wanted.size() * std::size_t(model_.vocabulary));
  float* next = logits.data();
  const auto together = std::size_t(placement_.settings.rows_together);
  for (std::size_t first = 0; first < rows.size(); first += together) {
    const std::size_t n = std::min(together, rows.size() - first);
    const std::vector<char> of_pass(is_wanted.begin() + std::ptrdiff_t(first),
                                    is_wanted.begin() + std::ptrdiff_t(first + n));
    run_pass(rows.subspan(first, n), of_pass, next);
    next += std::count(of_pass.begin(), of_pass.end(), 1) * model_.vocabulary;
  }
  return logits;
}

void WaferDecoder::run_pass(std::span<const TokenRow> rows, const std::vector<char>& wanted, float* logits) {
  times_.phases().begin_step();
  ++passes_;
  std::vector<float> stream = embed(rows);
  const Region* at = &placement_.embedding;
  for (std::int64_t l = 0; l < model_.layers; ++l) {
    const Region& here = placement_.of_layer(l);
    if (&here != at) hand_over(*at, here, std::int64_t(rows.size()));
    at = &here;
    layer(l, rows, stream);
  }
  // Tokens behind which no logits are wanted end here.
  std::vector<float> kept;
  for (std::size_t v = 0; v < rows.size(); ++v)
    if (wanted[v])
      kept.insert(kept.end(), stream.begin() + std::ptrdiff_t(v) * model_.dim,
                  stream.begin() + std::ptrdiff_t(v + 1) * model_.dim);
  const std::int64_t n = std::int64_t(kept.size()) / model_.dim;
  if (n == 0) {
    for (int x = 0; x < at->area.width; ++x)
      finished_ = std::max(finished_, times_.at(*at, x, at->root_row()));
    return;
  }
  const Region& head = placement_.head;
  hand_over(*at, head, n);
  const std::vector<float> normed = norm(head, kept, final_norm_, n);
  const std::vector<float> all =
      product(head, {Lie::inputs_by_columns, &dims_, &vocabulary_}, head_, normed, n);
  std::copy(all.begin(), all.end(), logits);
  choose_token(n);
  const std::int64_t known = times_.at(head, head.root_column(), head.root_row());
  for (std::size_t v = 0; v < rows.size(); ++v)
    if (wanted[v]) ready_[std::size_t(rows[v].sequence)] = known;
  finished_ = std::max(finished_, known);
}

void WaferDecoder::layer(std::int64_t l, std::span<const TokenRow> rows, std::vector<float>& stream) {
  const Layer& w = layers_[std::size_t(l)];
  const Region& r = placement_.of_layer(l);
  const auto n = std::int64_t(rows.size());
  const TileMatrix in{Lie::inputs_by_columns, &dims_, &query_key_value_cut_},
      out{Lie::inputs_by_rows, &dims_, &attended_cut_}, up{Lie::inputs_by_columns, &dims_, &w.gate_up},
      down{Lie::inputs_by_rows, &dims_, &w.hidden};

  std::vector<float> x = norm(r, stream, w.attention_norm, n);
  x = attention(r, l, product(r, in, w.query_key_value, x, n), rows);
  add_residual(r, stream, product(r, out, w.attention_output, x, n), n);

  x = norm(r, stream, w.feed_forward_norm, n);
  x = gate(r, w, product(r, up, w.gate_up_weights, x, n), n);
  add_residual(r, stream, product(r, down, w.down, x, n), n);
}

std::vector<float> WaferDecoder::embed(std::span<const TokenRow> rows) {
  const Region& r = placement_.embedding;
  const int width = r.area.width;
  std::vector<float> stream(rows.size() * std::size_t(model_.dim));
  const Cut table = even_cut(model_.vocabulary, r.area.height);
  for (std::size_t v = 0; v < rows.size(); ++v) {
    embedding_row_(rows[v].token, stream.data() + std::ptrdiff_t(v) * model_.dim);
    const int y =
        int(std::upper_bound(table.start.begin(), table.start.end(), rows[v].token) - table.start.begin()) -
        1;
    // The token's number goes to its row and along it; each tile sends its part of the row to the root.
    const int away = std::abs(y - r.root_row());
    times_.wait_until(r, r.root_column(), y, ready_[std::size_t(rows[v].sequence)]);
    times_.broadcast(r, {true, y}, 1);
    for (int x = 0; x < width; ++x)
      times_.wait_until(r, x, r.root_row(), times_.arrival(times_.at(r, x, y), away) + dims_.count(x) - 1);
    times_.count_hops(model_.dim * away);
  }
  return stream;
}

void WaferDecoder::hand_over(const Region& from, const Region& to, std::int64_t rows) {
  const wse::FabricTiming& f = cost_.machine().fabric;
  const int across = std::abs(to.area.x0 - from.area.x0),
            down = std::abs(to.area.y0 + to.root_row() - from.area.y0 - from.root_row());
  // Straight along its column a segment has the links to itself. To another strip, each takes a row of its
  // own as far as there are rows, so that a row's links carry so many segments.
  const int lanes = std::min(from.area.height, to.area.height),
            sharing = across == 0 ? 1 : (to.area.width + lanes - 1) / lanes;
  for (int x = 0; x < to.area.width; ++x) {
    const std::int64_t words = rows * dims_.count(x);
    times_.wait_until(
        to, x, to.root_row(),
        times_.at(from, x, from.root_row()) +
            wse::point_to_point_cycles(f, across + down + (across > 0 ? lanes : 0), int(sharing * words)));
    times_.count_hops(words * (across + down));
  }
}

std::vector<float> WaferDecoder::norm(const Region& r, const std::vector<float>& stream,
                                      const std::vector<float>& weight, std::int64_t rows) {
  const int width = r.area.width, y = r.root_row();
  const SectionCounts& s = cost_.counts();
  const auto n = std::size_t(rows);
  std::vector<float> squares(std::size_t(width) * n), sums(n), out(stream.size());
  for (int x = 0; x < width; ++x) {
    for (std::int64_t v = 0; v < rows; ++v)
      squares[std::size_t(x * rows + v)] =
          sum_of_squares(stream.data() + v * model_.dim + dims_.start[std::size_t(x)], dims_.count(x));
    const std::int64_t elements = rows * dims_.count(x);
    times_.compute(r, x, y, phase_.norm, cost_.products(s.square, elements), s.square, elements);
  }
  line_sums(wse::LineReduction::best(cost_.machine().fabric, width, r.root_column(), int(rows)),
            squares.data(), rows, sums.data());
  times_.reduce(r, {true, y}, rows);
  times_.compute(r, r.root_column(), y, phase_.norm, double(rows) * cost_.once(s.root), s.root, rows);
  times_.broadcast(r, {true, y}, rows);
  for (std::int64_t v = 0; v < rows; ++v) {
    const float scale = rms_scale(sums[std::size_t(v)], model_.dim, float(model_.norm_epsilon));
    for (std::int64_t i = 0; i < model_.dim; ++i)
      out[std::size_t(v * model_.dim + i)] =
          stream[std::size_t(v * model_.dim + i)] * scale * weight[std::size_t(i)];
  }
  for (int x = 0; x < width; ++x) {
    const std::int64_t elements = rows * dims_.count(x);
    times_.compute(r, x, y, phase_.norm, cost_.loop(s.scaled, elements), s.scaled, elements);
  }
  return out;
}

std::vector<float> WaferDecoder::product(const Region& r, const TileMatrix& m, const TileWeights& weights,
                                         const std::vector<float>& x, std::int64_t rows) {
  const OwnTiles own(r.area, times_.blocks().mine());
  const bool by_columns = m.lie == Lie::inputs_by_columns;
  const Cut &inputs = m.inputs(), &outputs = m.outputs();
  const auto all_inputs = std::int64_t(inputs.order.size()), all_outputs = std::int64_t(outputs.order.size());
  const int along = by_columns ? r.area.width : r.area.height;  // tiles of an output line
  // When the roots of the input lines begin to send.
  std::vector<std::int64_t> starts(static_cast<std::size_t>(inputs.lines()));
  for (int line = 0; line < inputs.lines(); ++line) {
    starts[std::size_t(line)] =
        by_columns ? times_.at(r, line, r.root_row()) : times_.at(r, r.root_column(), line);
    times_.count_hops(rows * inputs.count(line) * ((by_columns ? r.area.height : r.area.width) - 1));
  }
  // Partial sums, [output line][tile of the line][row][output].
  std::vector<float> partial(std::size_t(rows * all_outputs * along), 0.0f);
  const auto part = [&](int line, int tile) {
    return partial.data() + rows * (outputs.start[std::size_t(line)] * along + tile * outputs.count(line));
  };
  struct Work {
    std::int64_t begin, cycles, stored, words;
  };
  std::vector<Work> work(std::size_t(own.count()));
  const double receive = cost_.receive(rows);
  const bool dense = weights.format == Format::dense;
  Kokkos::parallel_for("tiles multiply", Tiles(0, own.count()), [&](int t) {
    thread_local std::vector<std::int64_t> stored;
    const int tx = own.x0 + t % own.width(), ty = own.y0 + t / own.width();
    const int in = m.input_line(tx, ty), out = m.output_line(tx, ty);
    const std::size_t tile =
        by_columns ? weights.tile(ty - own.y0, tx - own.x0) : weights.tile(tx - own.x0, ty - own.y0);
    const std::int64_t columns = inputs.count(in), sums = outputs.count(out);
    weights.multiply(tile, columns, sums, rows, x.data() + inputs.start[std::size_t(in)], all_inputs,
                     part(out, by_columns ? tx : ty), stored);
    const int distance = by_columns ? std::abs(ty - r.root_row()) : std::abs(tx - r.root_column());
    const std::int64_t first = times_.arrival(starts[std::size_t(in)], distance);
    const std::int64_t words = dense ? 0 : divided_up(sums, TileWeights::word_bits);
    std::int64_t& clock = times_.at(r, tx, ty);
    Work done{clock, 0, 0, words * columns};
    // Each column is multiplied when its activations are there.
    for (std::int64_t k = 0; k < columns; ++k) {
      const std::int64_t there = distance == 0 ? starts[std::size_t(in)] : first + (k + 1) * rows - 1;
      const std::int64_t here = stored[std::size_t(k)];
      const std::int64_t cycles =
          wse::whole_cycles((distance == 0 ? 0 : receive) + (dense ? cost_.dense_column(here, rows)
                                                                   : cost_.masked_column(words, here, rows)));
      clock = std::max(clock, there) + cycles;
      done.cycles += cycles;
      done.stored += here;
    }
    work[std::size_t(t)] = done;
  });
  const SectionCounts& s = cost_.counts();
  for (int t = 0; t < own.count(); ++t) {
    const Work& w = work[std::size_t(t)];
    times_.record(r, own.x0 + t % own.width(), own.y0 + t / own.width(), phase_.multiply, w.begin, w.cycles);
    times_.count(s.mask_word, w.words);
    times_.count(dense ? s.dense_value : s.stored_value, w.stored);
    times_.count(s.dense_value, w.stored * (rows - 1));
  }
  times_.join(r);
  times_.join(partial);

  std::vector<float> y(std::size_t(rows * all_outputs)), line_sum;
  for (int line = 0; line < outputs.lines(); ++line) {
    const std::int64_t count = outputs.count(line);
    if (count == 0) continue;
    line_sum.resize(std::size_t(rows * count));
    const int root = by_columns ? r.root_column() : r.root_row();
    line_sums(wse::LineReduction::best(cost_.machine().fabric, along, root, int(rows * count)), part(line, 0),
              rows * count, line_sum.data());
    for (std::int64_t v = 0; v < rows; ++v)
      std::copy_n(line_sum.begin() + v * count, count,
                  y.begin() + v * all_outputs + outputs.start[std::size_t(line)]);
    times_.reduce(r, {by_columns, line}, rows * count);
  }
  return y;
}

void WaferDecoder::add_residual(const Region& r, std::vector<float>& stream, const std::vector<float>& sums,
                                std::int64_t rows) {
  for (std::size_t i = 0; i < stream.size(); ++i) stream[i] += sums[i];
  for (int x = 0; x < r.area.width; ++x) {
    const std::int64_t elements = rows * dims_.count(x);
    times_.compute(r, x, r.root_row(), phase_.residual, cost_.loop(cost_.counts().added, elements),
                   cost_.counts().added, elements);
  }
}

std::vector<float> WaferDecoder::gate(const Region& r, const Layer& layer, const std::vector<float>& gate_up,
                                      std::int64_t rows) {
  const SectionCounts& s = cost_.counts();
  const auto hidden = std::int64_t(layer.hidden.order.size());
  std::vector<float> out(std::size_t(rows * hidden));
  for (int y = 0; y < r.area.height; ++y) {
    const std::int64_t count = layer.hidden.count(y), first = layer.hidden.start[std::size_t(y)];
    if (count == 0) continue;
    for (std::int64_t v = 0; v < rows; ++v)
      for (std::int64_t i = 0; i < count; ++i) {
        const float* in = gate_up.data() + v * 2 * hidden + 2 * first;  // gates, then ups
        out[std::size_t(v * hidden + first + i)] = swiglu(in[i], in[count + i]);
      }
    // Exponentials and divisions are slow: the tiles beside the root take their share.
    const wse::SharedWork shared = wse::best_shared_work(cost_.machine().fabric, r.root_column(),
                                                         rows * count, 2, 1, cost_.once(s.gated));
    times_.compute(r, r.root_column(), y, phase_.gate, double(shared.cycles), s.gated, rows * count);
    for (int h = 1; h <= shared.helpers; ++h)
      times_.wait_until(r, r.root_column() - h, y, times_.at(r, r.root_column(), y));
    times_.count_hops(shared.hops);
  }
  return out;
}

void WaferDecoder::choose_token(std::int64_t rows) {
  const Region& r = placement_.head;
  const SectionCounts& s = cost_.counts();
  const int x = r.root_column();
  for (int y = 0; y < r.area.height; ++y) {
    const std::int64_t logits = rows * vocabulary_.count(y);
    times_.compute(r, x, y, phase_.choose, cost_.loop(s.compared, logits), s.compared, logits);
  }
  // The largest of every row of tiles and its number, two words, to the root; from there to the embedding.
  times_.reduce(r, {false, x}, 2 * rows);
  const Region& e = placement_.embedding;
  const int away =
      std::abs(e.area.x0 - r.area.x0) + std::abs(e.area.y0 + e.root_row() - r.area.y0 - r.root_row());
  times_.wait_until(r, x, r.root_row(), times_.arrival(times_.at(r, x, r.root_row()), away) + rows - 1);
  times_.count_hops(rows * away);
}

}  // namespace wafermark::llama
