#include "sparse_llama/wafer/layer_program.hpp"

#include <algorithm>

#include "sparse_llama/wafer/wafer_decoder.hpp"
#include "wse_emulator/fabric/row_stream.hpp"

namespace wafermark::llama {
LayerCode::LayerCode(const ProgramCost& cost, const WaferSettings& settings,
                     const std::vector<RowHeads>& rows, std::int64_t group)
    : squares(cost.squares()),
      root(cost.root()),
      scaled(cost.scaled()),
      rotary_pairs(cost.rotary_pairs()),
      gated(cost.gated()),
      added(cost.added()),
      weights_of_positions(cost.weights_of_positions()),
      beside_weights(cost.beside_weights(settings.stored_weights)),
      sums(settings.sums),
      format_(settings.format),
      stored_weights_(settings.stored_weights),
      heads_(rows),
      group_(group) {
  for (const RowHeads& row : rows) {
    largest.push_back(cost.largest(row.count * group));
    values.push_back(cost.values(row.count * group, row.dims()));
    divided.push_back(cost.divided(row.dims()));
  }
}

void LayerCode::set_tokens(const ProgramCost& cost, std::int64_t tokens) {
  if (tokens == tokens_) return;
  tokens_ = tokens;
  weights = row_of(format_).layout == Layout::whole ? cost.dense_weights(tokens)
                                                    : cost.stored_weights(stored_weights_, tokens);
  scores.clear();
  shifted.clear();
  for (const RowHeads& row : heads_) {
    scores.push_back(cost.scores(row.count * group_, row.dims(), tokens));
    shifted.push_back(cost.shifted(row.count * group_, tokens));
  }
}

LayerShares shares_of(const Configuration& c, const wse::TileRegion& r) {
  return {row_heads(c, r.area.height), even_cut(c.dim, r.area.width).counts(),
          even_cut(c.hidden, r.area.height).counts(), c.heads / c.kv_heads};
}

void set_items(LayerItems& n, const LayerShares& shares, std::int64_t tokens,
               const std::vector<std::int64_t>& positions) {
  const auto filled = [](std::size_t size, const auto& of) {
    std::vector<int> list(size);
    for (std::size_t k = 0; k < size; ++k) list[k] = int(of(k));
    return list;
  };
  const auto by_row = [&](const auto& of) {
    return filled(shares.heads.size(), [&](std::size_t y) { return of(shares.heads[y]); });
  };
  const std::int64_t group = shares.group;
  n.tokens = {int(tokens)};
  n.elements = filled(shares.dims.size(), [&](std::size_t x) { return tokens * shares.dims[x]; });
  n.query_key_value = by_row([&](const RowHeads& h) { return tokens * h.count * (group + 2) * h.dims(); });
  n.of_query = by_row([&](const RowHeads& h) { return tokens * h.count * group * h.dims(); });
  n.of_key = by_row([&](const RowHeads& h) { return tokens * h.count * h.dims(); });
  n.pairs = by_row([&](const RowHeads& h) { return tokens * h.count * (group + 1) * h.pairs; });
  n.heads = by_row([&](const RowHeads& h) { return h.count * group; });
  n.serving = by_row([](const RowHeads& h) { return h.count > 0 ? 1 : 0; });
  n.queries = by_row([&](const RowHeads& h) { return tokens * h.count * group; });
  n.weighted = by_row([&](const RowHeads& h) { return tokens * h.count * group * (h.dims() + 1); });
  n.attended = by_row([&](const RowHeads& h) { return tokens * h.count * group * h.dims(); });
  n.hidden = filled(shares.hidden.size(), [&](std::size_t y) { return tokens * shares.hidden[y]; });
  n.gate_up = filled(shares.hidden.size(), [&](std::size_t y) { return 2 * tokens * shares.hidden[y]; });
  n.positions = filled(positions.size(), [&](std::size_t x) { return positions[x]; });
  n.band_scores.clear();
  for (std::size_t y = 0; y < shares.heads.size(); y += std::size_t(shares.heads[y].band_rows))
    if (shares.heads[y].count > 0)
      for (const std::int64_t of_column : positions)
        n.band_scores.push_back(int(shares.heads[y].count * group * of_column));
}

LayerPlan::LayerPlan(const wse::TileRegion& r, const std::vector<RowHeads>& heads, const LayerCode& prices,
                     const LayerItems& n)
    : region(r), code(prices), items(n) {
  const auto sum = [](const wse::Lines& lines, const std::vector<int>& words) {
    return std::make_shared<wse::LineReduce>(lines, words);
  };
  const int band = heads.front().band_rows,
            serving =
                int(std::count_if(heads.begin(), heads.end(), [](const RowHeads&h) { return h.count > 0; }));
  bands = wse::Lines::bands(r, band, serving / band);
  const wse::Lines rows = wse::Lines::rows(r), columns = wse::Lines::columns(r);
  squares = sum(wse::Lines::root_row(r), n.tokens);
  query_key_value = sum(rows, n.query_key_value);
  band_scores = sum(bands, n.band_scores);
  tops = sum(rows, n.queries);
  weighted = sum(rows, n.weighted);
  attended = sum(columns, n.elements);
  gate_up = sum(rows, n.gate_up);
  down = sum(columns, n.elements);
}

void add_norm(wse::Program& p, const wse::TileRegion& r, const LayerCode& code,
              const std::vector<int>& elements, const std::vector<int>& tokens,
              const std::shared_ptr<const wse::LineReduce>& squares, std::function<void()> body) {
  p.compute("norm", r.root_row_tiles(), {{code.squares, elements}}).does(std::move(body));
  p.pattern("sum of squares", squares, color::row_sums);
  p.compute("norm", r.root(), {{code.root, tokens}});
  p.pattern("scale of the norm", std::make_shared<wse::LineBroadcast>(wse::Lines::root_row(r), tokens),
            color::along_rows);
  p.compute("norm", r.root_row_tiles(), {{code.scaled, elements}});
}

const std::shared_ptr<const wse::LineReduce>& LayerPlan::sum_of(Product product) const {
  switch (product) {
    case Product::query_key_value:
      return query_key_value;
    case Product::attention_output:
      return attended;
    case Product::gate_up:
      return gate_up;
    default:
      return down;
  }
}

/// The phases of a layer, one part of it after the other.
class LayerPhases {
 public:
  LayerPhases(const LayerPlan& plan, std::int64_t number, WaferDecoder* run)
      : region_(plan.region),
        plan_(plan),
        code_(plan.code),
        items_(plan.items),
        rows_(wse::Lines::rows(region_)),
        columns_(wse::Lines::columns(region_)),
        number_(number),
        run_(run) {}

  void stream_from(const wse::TileRegion& before) {
    program_.pattern("stream from the region before",
                     std::make_shared<wse::RowStream>(before, region_, items_.elements), color::between);
  }
  void query_key_value();
  void attention();
  void feed_forward();
  wse::Program take() { return std::move(program_); }

 private:
  /// What happens to the data; nothing where the program is priced, checked and printed only.
  std::function<void()> does(std::function<void(WaferDecoder&, std::int64_t layer)> body) const {
    if (run_ == nullptr) return {};
    return [body = std::move(body), run = run_, layer = number_] { body(*run, layer); };
  }
  void norm(std::vector<float> WaferDecoder::Layer::*weight) {
    add_norm(program_, region_, code_, items_.elements, items_.tokens, plan_.squares,
             does([weight](WaferDecoder& run, std::int64_t l) { run.norm(run.layer(l).*weight); }));
  }
  /// A product whose inputs come along these lines.
  void multiply(const wse::Lines& lines, int color, const std::vector<int>& words, Product product) {
    program_
        .stream("multiply", std::make_shared<wse::LineBroadcast>(lines, words), color,
                {code_.weights, code_.beside_weights, items_.steps(product)})
        .does(does([product](WaferDecoder& run, std::int64_t l) { run.multiply(l, product); }));
  }
  void sum(const std::string& name, int color, Product product) {
    program_.pattern(name, plan_.sum_of(product), color)
        .does(does([product](WaferDecoder& run, std::int64_t l) { run.sum_products(l, product); }));
  }
  void back(const std::string& name, const wse::Lines& lines, const std::vector<int>& words, int color) {
    program_.pattern(name, std::make_shared<wse::LineBroadcast>(lines, words), color);
  }
  /// Sums of rows that go back to all their tiles, list by list.
  void sums_and_back(const std::string& name, const std::vector<const std::vector<int>*>& lists) {
    for (const std::vector<int>* words : lists) {
      program_.pattern(name, std::make_shared<wse::LineReduce>(rows_, *words), color::row_sums);
      back(name + " back", rows_, *words, color::along_rows);
    }
  }
  void residual() {
    program_.compute("residual", region_.root_row_tiles(), {{code_.added, items_.elements}})
        .does(does([](WaferDecoder& run, std::int64_t) { run.add_residual(); }));
  }

  const wse::TileRegion& region_;
  const LayerPlan& plan_;
  const LayerCode& code_;
  const LayerItems& items_;
  wse::Lines rows_, columns_;
  std::int64_t number_;
  WaferDecoder* run_;
  wse::Program program_;
};

void LayerPhases::query_key_value() {
  norm(&WaferDecoder::Layer::attention_norm);
  multiply(columns_, color::along_columns, items_.elements, Product::query_key_value);
  const bool apart = code_.sums == SumsOf::matrices;
  if (apart)
    sums_and_back("sums of query, key, value", {&items_.of_query, &items_.of_key, &items_.of_key});
  else
    sum("sums of query, key, value", color::row_sums, Product::query_key_value);
  // The owner of a position has sent its turns to the root beforehand.
  program_.compute("rotate", region_.root_column_tiles(), {{code_.rotary_pairs, items_.pairs}})
      .does(does([](WaferDecoder& run, std::int64_t) { run.rotate(); }));
  if (!apart)
    program_
        .pattern("query, key, value along the row",
                 std::make_shared<wse::LineBroadcast>(rows_, items_.query_key_value), color::along_rows)
        .does(does([](WaferDecoder& run, std::int64_t l) { run.keep_keys_and_values(l); }));
}

void LayerPhases::attention() {
  const wse::Block& all = region_.area;
  program_.compute("scores", all, {{code_.scores, {items_.serving, items_.positions}}})
      .does(does([](WaferDecoder& run, std::int64_t l) { run.score(l); }));
  if (plan_.bands.length > 1) {
    program_.pattern("scores of a band", plan_.band_scores, color::column_sums);
    back("scores back to the band", plan_.bands, items_.band_scores, color::along_columns);
  }
  program_.host(does([](WaferDecoder& run, std::int64_t l) { run.sum_scores(l); }));
  // The largest score of a row's tiles becomes known to all of them; then each weighs its own positions.
  program_.compute("softmax", all, {{code_.largest, {items_.serving, items_.positions}}});
  program_.pattern("largest score", plan_.tops, color::row_sums);
  back("largest score back", rows_, items_.queries, color::along_rows);
  program_
      .compute("softmax", all,
               {{code_.shifted, {items_.serving, items_.positions}},
                {code_.weights_of_positions, {items_.heads, items_.positions}},
                {code_.values, {items_.serving, items_.positions}}})
      .does(does([](WaferDecoder& run, std::int64_t l) { run.soften(l); }));
  if (code_.sums == SumsOf::matrices) sums_and_back("sum of weights", {&items_.queries});
  program_.pattern("weighted values", plan_.weighted, color::row_sums)
      .does(does([](WaferDecoder& run, std::int64_t l) { run.sum_weighted(l); }));
  program_.compute("softmax", region_.root_column_tiles(), {{code_.divided, items_.queries}})
      .does(does([](WaferDecoder& run, std::int64_t) { run.divide(); }));
  multiply(rows_, color::along_rows, items_.attended, Product::attention_output);
  sum("sums of attention output", color::column_sums, Product::attention_output);
  residual();
}

void LayerPhases::feed_forward() {
  norm(&WaferDecoder::Layer::feed_forward_norm);
  multiply(columns_, color::along_columns, items_.elements, Product::gate_up);
  if (code_.sums == SumsOf::matrices)
    sums_and_back("sums of gate, up", {&items_.hidden, &items_.hidden});
  else
    sum("sums of gate, up", color::row_sums, Product::gate_up);
  // Exponentials and divisions are slow: the tiles beside the root take their share.
  program_
      .share("gate", std::make_shared<wse::LineShare>(rows_, code_.gated, items_.hidden, 2, 1), color::shared)
      .does(does([](WaferDecoder& run, std::int64_t l) { run.gate(l); }));
  multiply(rows_, color::along_rows, items_.hidden, Product::down);
  sum("sums of down", color::column_sums, Product::down);
  residual();
}

wse::Program layer_program(const LayerPlan& plan, std::int64_t l, const wse::TileRegion* from,
                           WaferDecoder* run) {
  LayerPhases phases(plan, l, run);
  if (from != nullptr) phases.stream_from(*from);
  phases.query_key_value();
  phases.attention();
  phases.feed_forward();
  return phases.take();
}

}  // namespace wafermark::llama
