#include "sparse_llama/wafer/ends_program.hpp"

#include "sparse_llama/wafer/wafer_decoder.hpp"
#include "wse_emulator/fabric/row_stream.hpp"

namespace wafermark::llama {

wse::Program embedding_program(const wse::TileRegion& r, const EmbeddingItems& n) {
  wse::Program p;
  // The token's number goes to its row and along it; each tile sends its part of the row to the root.
  p.wait(r.root_column_tiles(), n.awaited);
  p.pattern("token along its row", std::make_shared<wse::LineBroadcast>(wse::Lines::rows(r), n.number),
            color::along_rows);
  p.pattern("embedding to the roots", std::make_shared<wse::RowStream>(r, n.row, n.elements), color::between);
  return p;
}

HeadCode::HeadCode(const ProgramCost& cost)
    : compared(cost.compared()),
      nothing_beside(cost.beside_weights(StoredWeights::found)),
      of_norm(cost, {}, {}, 1) {}

HeadPlan::HeadPlan(const wse::TileRegion& r, const wse::TileRegion& back, const HeadCode& prices,
                   const HeadItems& n)
    : region(r),
      embedding(back),
      code(prices),
      items(n),
      squares(std::make_shared<wse::LineReduce>(wse::Lines::root_row(r), n.tokens)),
      logits(std::make_shared<wse::LineReduce>(wse::Lines::rows(r), n.logits)) {}

wse::Program head_program(const HeadPlan& plan, const wse::TileRegion* from, WaferDecoder* run) {
  const wse::TileRegion& r = plan.region;
  const HeadItems& n = plan.items;
  wse::Program p;
  if (from != nullptr)
    p.pattern("stream to the head", std::make_shared<wse::RowStream>(*from, r, n.elements), color::between);
  add_norm(p, r, plan.code.of_norm, n.elements, n.tokens, plan.squares, [=] { run->norm_of_head(); });
  p.stream("multiply", std::make_shared<wse::LineBroadcast>(wse::Lines::columns(r), n.elements),
           color::along_columns, {plan.code.weights, plan.code.nothing_beside, n.steps})
      .does([=] { run->multiply_head(); });
  p.pattern("sums of the head", plan.logits, color::row_sums).does([=] { run->sum_head(); });

  p.compute("choose token", r.root_column_tiles(), {{plan.code.compared, n.logits}});
  // The largest of every row of tiles and its number to the root; from there to the embedding.
  p.pattern("choice of a row", std::make_shared<wse::LineReduce>(wse::Lines::root_column(r), n.choices),
            color::column_sums);
  p.pattern("token to the embedding",
            std::make_shared<wse::TileMessage>(r.root(), plan.embedding.root(), n.tokens), color::between);
  p.reach(r.root(), n.chosen);
  return p;
}

}  // namespace wafermark::llama
