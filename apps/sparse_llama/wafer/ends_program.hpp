// The two ends of a pass as tile programs: a token's row of the embedding, and the output head.
#pragma once

#include "sparse_llama/wafer/layer_program.hpp"

namespace wafermark::llama {

/// What the embedding goes by, of one token. Its number comes from the head that chose it.
struct EmbeddingItems {
  int row = 0;                ///< of tiles, that holds the token
  std::vector<int> number;    ///< by row: 1 where the token's number goes along, else 0
  std::vector<int> awaited;   ///< by row: event that the token waits for, else -1
  std::vector<int> elements;  ///< by column: of the stream
};

/// A row of the table on its way to the roots of the columns. Items must outlive the program.
wse::Program embedding_program(const wse::TileRegion& region, const EmbeddingItems& items);

/// What the head goes by, of the tokens of a pass behind which logits are wanted.
struct HeadItems {
  std::vector<int> tokens;    ///< one number
  std::vector<int> elements;  ///< by column: of the stream
  std::vector<int> logits;    ///< by row
  std::vector<int> choices;   ///< one number: words of the largest logits and their numbers
  std::vector<int> chosen;    ///< events: that the next token of a sequence is known
  wse::Steps steps;
};

/// Sections of the head, with a machine's prices.
struct HeadCode {
  explicit HeadCode(const ProgramCost& cost);
  wse::Section compared, weights, nothing_beside;
  LayerCode of_norm;
};

/// The head's tiles and sums. Code and items must outlive it.
struct HeadPlan {
  HeadPlan(const wse::TileRegion& region, const wse::TileRegion& embedding, const HeadCode& code,
           const HeadItems& items);

  wse::TileRegion region, embedding;
  const HeadCode& code;
  const HeadItems& items;
  std::shared_ptr<const wse::LineReduce> squares, logits;
};

/// Logits, and the choice of a token whose number goes to the embedding. `from`: the region of the last
/// layer. `run` null: to be priced, checked and printed only. The plan must outlive it.
wse::Program head_program(const HeadPlan& plan, const wse::TileRegion* from, WaferDecoder* run);

}  // namespace wafermark::llama
