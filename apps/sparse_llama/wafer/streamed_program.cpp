#include "sparse_llama/wafer/streamed_program.hpp"

#include <algorithm>
#include <cmath>

namespace wafermark::llama {
namespace {

/// Colors of the fabric: norms take ten, products four each, attention two.
namespace streamed_color {
inline constexpr int sums = 0, back = 8, products = 10, next_products = 14, ring = 18;
}

constexpr int whole(double n) { return int(std::min(n, 2e9)); }

wse::Lines group_rows(const StreamedPlace& place) {
  return {place.area(), true, place.width, place.width / 2, place.groups};
}

/// A list by column of a group, for the columns of all groups.
std::vector<int> of_all_groups(const StreamedPlace& place, const std::vector<int>& of_group) {
  std::vector<int> all;
  for (int g = 0; g < place.groups; ++g) all.insert(all.end(), of_group.begin(), of_group.end());
  return all;
}

std::vector<int> counts_of(const Cut& cut, std::int64_t times) {
  std::vector<int> counts;
  for (int x = 0; x < cut.lines(); ++x) counts.push_back(int(times * cut.count(x)));
  return counts;
}

void add_streamed_norm(wse::Program& p, const StreamedPlace& place, const StreamedCode& code,
                       const StreamedItems& n, const std::function<void()>& body) {
  const wse::Block all = place.area();
  p.compute("norm", all, {{code.square, {n.rows, n.elements}}}).does(body);
  p.pattern("sum of squares", std::make_shared<wse::LineReduce>(group_rows(place), n.line_words),
            streamed_color::sums);
  wse::Block roots = all;
  for (int g = 0; g < place.groups; ++g) {
    roots.x0 = all.x0 + g * place.width + place.width / 2;
    roots.width = 1;
    p.compute("norm", roots, {{code.root, {n.rows, n.once}}});
  }
  p.pattern("scale of the norm", std::make_shared<wse::LineBroadcast>(group_rows(place), n.line_words),
            streamed_color::back);
  p.compute("norm", all, {{code.scaled, {n.rows, n.elements}}});
}

/// `weight_words`: of a weight on the fabric.
void add_product(wse::Program& p, const std::string& name, const StreamedPlace& place,
                 const StreamedSettings& s, const StreamedCode& code, const StreamedItems& n,
                 StreamedMatrix matrix, double weight_words, int color, wse::EdgeStream& edge,
                 const StreamedBodies& bodies) {
  const auto m = std::size_t(matrix);
  const wse::StreamedProduct::Place at{place.area(), place.groups, place.width, place.feed};
  auto product = std::make_shared<wse::StreamedProduct>(at, n.weights[m], n.totals[m], code.cycles, n.tokens,
                                                        weight_words, s.ahead, edge);
  wse::Phase& phase = p.stream(name, place.area(), std::move(product), color,
                               {{code.weight, {n.rows, n.weights_of_columns[m]}},
                                {code.add, {n.rows, n.sums_of_columns[m]}},
                                {code.keep, {n.rows, n.kept_of_columns[m]}}});
  if (bodies.multiply) phase.does([multiply = bodies.multiply, matrix] { multiply(matrix); });
}

wse::Lines sequence_rings(const StreamedPlace& place, int rows) {
  const wse::TileRegion region{place.area()};
  return wse::Lines::bands(region, rows, region.area.height / rows);
}

}  // namespace

wse::Precision StreamedSettings::precision() const {
  if (value_type == ValueType::fp32) return wse::Precision::fp32;
  return tile_sums == TileSums::half ? wse::Precision::fp16 : wse::Precision::mixed;
}

double StreamedSettings::bits(std::int64_t inputs, double stored) const {
  const auto value = double(value_bits());
  if (dense()) return value * double(inputs);
  return value * stored + (edge_code == EdgeCode::index ? 16.0 * stored : double(inputs));
}

std::int64_t StreamedShape::outputs() const {
  std::int64_t sum = 0;
  for (const std::int64_t rows : parts) sum += rows;
  return sum;
}

std::vector<StreamedOutput> StreamedShape::order(int columns) const {
  std::vector<StreamedOutput> all;
  const auto add_part = [&](std::size_t first, std::size_t last) {  // parts of one cut, a row of each in turn
    const Cut cut = even_cut(parts[first], columns);
    for (std::int64_t k = 0; k < cut.most(); ++k)
      for (int x = 0; x < columns; ++x)
        for (std::size_t part = first; part < last && k < cut.count(x); ++part)
          all.push_back({int(part), cut.start[std::size_t(x)] + k, x});
  };
  if (in_turn)
    add_part(0, parts.size());
  else
    for (std::size_t part = 0; part < parts.size(); ++part) add_part(part, part + 1);
  return all;
}

std::int64_t StreamedShape::number(const StreamedOutput& output) const {
  if (in_turn) return output.row * std::int64_t(parts.size()) + output.part;
  std::int64_t before = 0;
  for (int part = 0; part < output.part; ++part) before += parts[std::size_t(part)];
  return before + output.row;
}

StreamedShape StreamedShape::of(const Configuration& c, StreamedMatrix matrix) {
  switch (matrix) {
    case StreamedMatrix::query_key_value:
      return {c.dim, {c.query_dim(), c.kv_dim(), c.kv_dim()}, false};
    case StreamedMatrix::attention_output:
      return {c.query_dim(), {c.dim}, false};
    case StreamedMatrix::gate_up:  // both of a hidden unit one after the other: SwiGLU needs no room for
                                   // gates
      return {c.dim, {c.hidden, c.hidden}, true};
    case StreamedMatrix::down:
      return {c.hidden, {c.dim}, false};
    default:
      return {c.dim, {c.vocabulary}, false};
  }
}

void set_totals(StreamedItems& n, const StreamedPlace& place, StreamedMatrix matrix,
                wse::StreamTotals totals) {
  const auto m = std::size_t(matrix);
  n.weights_of_columns[m] = of_all_groups(place, totals.weights);
  n.sums_of_columns[m] = of_all_groups(place, totals.sums);
  n.kept_of_columns[m] = of_all_groups(place, totals.kept);
  n.totals[m] = std::move(totals);
}

wse::StreamTotals expected_totals(const StreamedShape& shape, const StreamedSettings& s, int width) {
  const std::int64_t outputs = shape.outputs();
  const double density = s.dense() ? 1.0 : s.density;
  const double stored = density * double(shape.inputs);
  wse::StreamTotals t;
  t.bits = double(outputs) * s.bits(shape.inputs, stored);
  const Cut inputs = even_cut(shape.inputs, width);
  for (int x = 0; x < width; ++x) {
    t.weights.push_back(whole(std::round(density * double(inputs.count(x) * outputs))));
    t.kept.push_back(int(divided_up(outputs, width)));
    t.sums.push_back(width == 1 ? 0 : int(outputs));
  }
  return t;
}

StreamedItems streamed_items(const Configuration& c, const StreamedSettings& s, const StreamedPlace& place,
                             std::int64_t tokens, double seen, std::int64_t longest, std::int64_t together) {
  StreamedItems n;
  const int height = place.area().height;
  const auto of_tile = place.tokens_of_tile(tokens);
  const auto tiles = double(place.area().tiles());
  n.tokens = int(of_tile);
  n.rows.assign(std::size_t(height), 1);
  const auto by_column = [&](std::int64_t elements) {
    return of_all_groups(place, counts_of(even_cut(elements, place.width), of_tile));
  };
  n.elements = by_column(c.dim);
  n.hidden = by_column(c.hidden);
  n.pairs = by_column((c.heads + c.kv_heads) * (c.head_dim / 2));
  n.once.assign(std::size_t(place.groups * place.width), n.tokens);
  n.line_words.assign(std::size_t(place.groups * height), n.tokens);
  // Tiles share the tokens' heads, and the keys that a head's queries meet.
  n.scores = whole(std::ceil(double(c.heads) * seen / tiles));
  n.heads.assign(n.once.size(), whole(std::ceil(double(c.heads * tokens) / tiles)));
  n.scores_of_columns.assign(n.once.size(), n.scores);
  n.merged.assign(n.once.size(), int(together * c.head_dim));
  const double value_words = double(s.value_bits()) / 32;
  n.circulating =
      whole(std::ceil(2 * value_words * double(c.head_dim) * n.scores / double(together) +  // keys, values
                      value_words * double(together * c.head_dim) +                         // queries
                      double(together * (c.head_dim + 2))));                                // partial sums
  n.sequence_rows = int(std::clamp<std::int64_t>(divided_up(longest, of_tile), 1, height));
  for (std::size_t m = 0; m < streamed_matrices; ++m) {
    const auto matrix = StreamedMatrix(m);
    StreamedSettings of = s;
    if (matrix == StreamedMatrix::head) of.format = Format::dense;
    set_totals(n, place, matrix, expected_totals(StreamedShape::of(c, matrix), of, place.width));
  }
  return n;
}

wse::Program streamed_layer_program(const StreamedPlace& place, const StreamedSettings& s,
                                    const StreamedCode& code, const StreamedItems& n, wse::EdgeStream& edge,
                                    const StreamedBodies& bodies) {
  const wse::Block all = place.area();
  const auto product = [&](wse::Program& p, const std::string& name, StreamedMatrix matrix, int color) {
    add_product(p, name, place, s, code, n, matrix, s.weight_words(), color, edge, bodies);
  };
  wse::Program p;
  add_streamed_norm(p, place, code, n, bodies.attention_norm);
  product(p, "multiply query, key, value", StreamedMatrix::query_key_value, streamed_color::products);
  p.compute("rotate", all, {{code.pair, {n.rows, n.pairs}}});
  p.stream("attention", all,
           std::make_shared<wse::RingStream>(sequence_rings(place, n.sequence_rows), n.circulating,
                                             code.attended, n.scores),
           streamed_color::ring, {{code.attended, {n.rows, n.scores_of_columns}}})
      .does(bodies.attention);
  p.compute("merge attention", all, {{code.merged, {n.rows, n.merged}}, {code.divided, {n.rows, n.heads}}});
  product(p, "multiply attention output", StreamedMatrix::attention_output, streamed_color::products);
  p.compute("residual", all, {{code.residual, {n.rows, n.elements}}}).does(bodies.residual);
  add_streamed_norm(p, place, code, n, bodies.feed_forward_norm);
  product(p, "multiply gate, up", StreamedMatrix::gate_up, streamed_color::products);
  p.compute("gate", all, {{code.gated, {n.rows, n.hidden}}}).does(bodies.gate);
  product(p, "multiply down", StreamedMatrix::down, streamed_color::next_products);
  p.compute("residual", all, {{code.residual, {n.rows, n.elements}}}).does(bodies.residual);
  return p;
}

wse::Program streamed_product_program(const StreamedPlace& place, const StreamedSettings& s,
                                      const StreamedCode& code, const StreamedItems& n, StreamedMatrix matrix,
                                      wse::EdgeStream& edge) {
  wse::Program p;
  add_product(p, "multiply", place, s, code, n, matrix, s.weight_words(), streamed_color::products, edge, {});
  return p;
}

wse::Program streamed_head_program(const StreamedPlace& place, const StreamedSettings& s,
                                   const StreamedCode& code, const StreamedItems& n, wse::EdgeStream& edge,
                                   const StreamedBodies& bodies, const std::vector<int>& finished) {
  wse::Program p;
  add_streamed_norm(p, place, code, n, bodies.attention_norm);
  add_product(p, "multiply head", place, s, code, n, StreamedMatrix::head, double(s.value_bits()) / 32,
              streamed_color::products, edge, bodies);
  p.reach(place.area(), finished);
  return p;
}

}  // namespace wafermark::llama
