#include "sparse_llama/wafer/layer_program.hpp"

#include <algorithm>

#include "sparse_llama/wafer/wafer_decoder.hpp"
#include "wse_emulator/fabric/row_stream.hpp"

namespace wafermark::llama {
LayerCode::LayerCode(const ProgramCost& cost, Format storage, const std::vector<RowHeads>& rows)
    : squares(cost.squares()),
      root(cost.root()),
      scaled(cost.scaled()),
      rotary_pairs(cost.rotary_pairs()),
      gated(cost.gated()),
      added(cost.added()),
      mask_words(cost.mask_words()),
      format(storage) {
  for (const RowHeads& row : rows) {
    scores.push_back(cost.score(row.dims()));
    positions.push_back(cost.position(row.dims()));
    new_tops.push_back(cost.new_top(row.dims()));
    divided.push_back(cost.divided(row.dims()));
  }
}

void LayerCode::set_tokens(const ProgramCost& cost, std::int64_t tokens) {
  weights = row_of(format).layout == Layout::whole ? cost.dense_weights(tokens) : cost.masked_weights(tokens);
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
  n.once.assign(shares.dims.size(), 1);
  n.query_key_value = by_row([&](const RowHeads& h) { return tokens * h.count * (group + 2) * h.dims(); });
  n.pairs = by_row([&](const RowHeads& h) { return tokens * h.count * (group + 1) * h.pairs; });
  n.heads = by_row([&](const RowHeads& h) { return h.count * group; });
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

wse::Program layer_program(const LayerPlan& plan, std::int64_t l, const wse::TileRegion* from,
                           WaferDecoder* run) {
  const wse::TileRegion& r = plan.region;
  const LayerCode& code = plan.code;
  const LayerItems& n = plan.items;
  const wse::Lines rows = wse::Lines::rows(r), columns = wse::Lines::columns(r);
  const auto broadcast = [](const wse::Lines& lines, const std::vector<int>& words) {
    return std::make_shared<wse::LineBroadcast>(lines, words);
  };
  const auto work = [&](const wse::Steps& steps) {
    return wse::StreamWork{code.weights, code.mask_words, steps};
  };

  wse::Program p;
  if (from != nullptr)
    p.pattern("stream from the region before", std::make_shared<wse::RowStream>(*from, r, n.elements),
              color::between);

  add_norm(p, r, code, n.elements, n.tokens, plan.squares, [=] { run->norm(run->layer(l).attention_norm); });
  p.stream("multiply", broadcast(columns, n.elements), color::along_columns,
           work(n.steps(Product::query_key_value)))
      .does([=] { run->multiply(l, Product::query_key_value); });
  p.pattern("sums of query, key, value", plan.query_key_value, color::row_sums).does([=] {
    run->sum_products(l, Product::query_key_value);
  });

  // The owner of a position has sent its turns to the root beforehand.
  p.compute("rotate", r.root_column_tiles(), {{code.rotary_pairs, n.pairs}}).does([=] { run->rotate(); });
  p.pattern("query, key, value along the row", broadcast(rows, n.query_key_value), color::along_rows)
      .does([=] { run->keep_keys_and_values(l); });
  p.compute("scores", r.area, {{code.scores, {n.heads, n.positions}}}).by_owners().does([=] {
    run->score(l);
  });
  if (plan.bands.length > 1) {
    p.pattern("scores of a band", plan.band_scores, color::column_sums);
    p.pattern("scores back to the band", broadcast(plan.bands, n.band_scores), color::along_columns);
  }
  p.host([=] { run->sum_scores(l); });
  // Over a tile's own positions; then the tops of a row become one, and each tile moves its sums to it.
  p.compute("softmax", r.area, {{code.positions, {n.heads, n.positions}}}).by_owners().does([=] {
    run->soften(l);
  });
  p.compute("softmax", r.area, {{code.new_tops, n.new_tops}}).by_owners();
  p.pattern("largest score", plan.tops, color::row_sums);
  p.pattern("largest score back", broadcast(rows, n.queries), color::along_rows);
  p.compute("softmax", r.area, {{code.new_tops, {n.queries, n.once}}});
  p.pattern("weighted values", plan.weighted, color::row_sums).does([=] { run->sum_weighted(l); });
  p.compute("softmax", r.root_column_tiles(), {{code.divided, n.queries}}).does([=] { run->divide(); });

  p.stream("multiply", broadcast(rows, n.attended), color::along_rows,
           work(n.steps(Product::attention_output)))
      .does([=] { run->multiply(l, Product::attention_output); });
  p.pattern("sums of attention output", plan.attended, color::column_sums).does([=] {
    run->sum_products(l, Product::attention_output);
  });
  p.compute("residual", r.root_row_tiles(), {{code.added, n.elements}}).does([=] { run->add_residual(); });

  add_norm(p, r, code, n.elements, n.tokens, plan.squares,
           [=] { run->norm(run->layer(l).feed_forward_norm); });
  p.stream("multiply", broadcast(columns, n.elements), color::along_columns, work(n.steps(Product::gate_up)))
      .does([=] { run->multiply(l, Product::gate_up); });
  p.pattern("sums of gate, up", plan.gate_up, color::row_sums).does([=] {
    run->sum_products(l, Product::gate_up);
  });
  // Exponentials and divisions are slow: the tiles beside the root take their share.
  p.share("gate", std::make_shared<wse::LineShare>(rows, code.gated, n.hidden, 2, 1), color::shared)
      .does([=] { run->gate(l); });
  p.stream("multiply", broadcast(rows, n.hidden), color::along_rows, work(n.steps(Product::down))).does([=] {
    run->multiply(l, Product::down);
  });
  p.pattern("sums of down", plan.down, color::column_sums).does([=] { run->sum_products(l, Product::down); });
  p.compute("residual", r.root_row_tiles(), {{code.added, n.elements}}).does([=] { run->add_residual(); });
  return p;
}

}  // namespace wafermark::llama
