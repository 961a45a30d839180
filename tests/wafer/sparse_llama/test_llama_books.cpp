// What a run of the decoder books, for every option, counted a second time from the model and the passes: no
// cycle, word or joule is lost or invented, and every phase is of the kind that it says.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "common/results/result.hpp"
#include "followed_words.hpp"
#include "wafer_model.hpp"
#include "wse_emulator/whole_cycles.hpp"

namespace wafermark::llama {
namespace {

using wse::Link;
using wse::OperationCounts;
using wse::Place;

struct Option {
  std::string name;
  Configuration model;
  wse::TileGrid grid;
  Format format;
  ValueType type;
  int together = 1, sequences = 2, layers_per_region = 0, strips = 0;
  bool balance = true;
  StoredWeights stored_weights = StoredWeights::found;
};

std::vector<Option> options() {
  const wse::TileGrid bands{24, 60}, heads{8, 8};
  return {
      {"heads_in_rows", grouped(), heads, Format::bit_mask, ValueType::bf16},
      {"bands", grouped(), bands, Format::bit_mask, ValueType::bf16},
      {"fp32", grouped(), bands, Format::bit_mask, ValueType::fp32},
      {"dense", grouped(), bands, Format::dense, ValueType::bf16},
      {"dense_together", grouped(), heads, Format::dense, ValueType::fp32, 3},
      {"two_four", grouped(), {11, 23}, Format::two_four, ValueType::bf16},
      {"together", grouped(), bands, Format::bit_mask, ValueType::bf16, 5},
      {"one_sequence", grouped(), bands, Format::bit_mask, ValueType::bf16, 1, 1},
      {"layers_apart", grouped(), bands, Format::bit_mask, ValueType::bf16, 2, 2, 1},
      {"strips", grouped(), {30, 40}, Format::bit_mask, ValueType::bf16, 1, 2, 1, 3},
      {"in_order", grouped(), bands, Format::bit_mask, ValueType::bf16, 1, 2, 0, 0, false},
      {"sent", grouped(), bands, Format::bit_mask, ValueType::bf16, 3, 2, 0, 0, true, StoredWeights::sent},
      {"tied", tied(), {16, 25}, Format::bit_mask, ValueType::bf16, 2},
      {"tied_apart", tied(), {40, 9}, Format::dense, ValueType::fp32, 1, 2, 1}};
}

/// Some weights of a matrix are kept: at most two of each four neighbours, for 2:4.
Model model_for(const Option& o) {
  Model model(o.model, 0.4);
  each_tensor(model.dense, [&](const std::string&, auto& tensor) {
    if constexpr (std::is_same_v<std::decay_t<decltype(tensor)>, DenseMatrix>)
      for (std::size_t k = 0; o.format == Format::two_four && k < tensor.values.size(); ++k)
        if (k % 4 > 1) tensor.values[k] = 0;
  });
  model.source = checkpoint_source("books", std::make_shared<const DenseWeights>(model.dense));
  return model;
}

struct Pass {
  std::vector<TokenRow> rows;
  std::vector<std::int32_t> wanted;  ///< sequences
};

/// A decoder that has run a few passes, and these.
struct DecoderRun {
  Communicator comm;
  Model model;
  ProgramCost cost;
  WaferDecoder decoder;
  std::vector<Pass> passes;

  explicit DecoderRun(const Option& o)
      : model(model_for(o)),
        cost(machine(), o.type),
        decoder(comm, model.source, machine(), o.grid, settings(o)) {
    std::vector<TokenRow> rows;
    std::vector<std::int64_t> wanted;
    for (std::size_t p = 0; p < text.size(); ++p)
      for (std::int32_t s = 0; s < o.sequences; ++s) {
        if ((p + std::size_t(s)) % 3 == 2) wanted.push_back(std::int64_t(rows.size()));
        rows.push_back({text[p], s, std::int64_t(p)});
      }
    decoder.forward(rows, wanted);
    for (std::size_t k = 0; k < rows.size(); ++k) {
      if (k % std::size_t(o.together) == 0) passes.emplace_back();
      passes.back().rows.push_back(rows[k]);
      if (std::count(wanted.begin(), wanted.end(), std::int64_t(k)) > 0)
        passes.back().wanted.push_back(rows[k].sequence);
    }
  }
  static WaferSettings settings(const Option& o) {
    WaferSettings s = settings_for(o.format, o.type, o.together);
    s.sequences = o.sequences;
    s.layers_per_region = o.layers_per_region;
    s.strips = o.strips;
    s.balance_rows = o.balance;
    s.stored_weights = o.stored_weights;
    return s;
  }
};

DecoderRun& run_of(const Option& o) {
  static std::map<std::string, std::unique_ptr<DecoderRun>> runs;
  auto& run = runs[o.name];
  if (!run) run = std::make_unique<DecoderRun>(o);
  return *run;
}

/// Positions of the cache that a column owns, over all tokens of a pass.
int positions(const Pass& pass, int x, int width) {
  int sum = 0;
  for (const TokenRow& row : pass.rows)
    for (std::int64_t p = 0; p <= row.position; ++p) sum += p % width == x;
  return sum;
}

class Books : public testing::TestWithParam<Option> {
 protected:
  const wse::RegionExecutor& books() const { return run_.decoder.executor(); }
  const Placement& placement() const { return run_.decoder.placement(); }
  const Configuration& model() const { return GetParam().model; }
  DecoderRun& run_ = run_of(GetParam());
};

TEST_P(Books, HoldEveryCycleOfEveryTile) {
  double sum = 0.0, clocks = 0.0;
  for (const auto& phase : books().record().summarize())
    sum += double(run_.passes.size()) * phase.mean * double(placement().grid.tiles());
  for (int y = 0; y < placement().grid.height; ++y)
    for (int x = 0; x < placement().grid.width; ++x) clocks += double(books().clocks().at(x, y));
  EXPECT_NEAR(sum, clocks, 1e-9 * clocks);
  EXPECT_EQ(books().record().steps(), std::int64_t(run_.passes.size()));
}

TEST_P(Books, BookPatternsAsMovingAndSectionsAsComputing) {
  const std::set<std::string> computing{"multiply", "norm", "rotate",   "scores",
                                        "softmax",  "gate", "residual", "choose token"};
  std::set<std::string> seen;
  for (const auto& phase : books().record().summarize()) {
    seen.insert(phase.name);
    EXPECT_EQ(phase.kind, computing.contains(phase.name) ? wse::PhaseKind::compute
                          : phase.name == "wait"         ? wse::PhaseKind::wait
                                                         : wse::PhaseKind::fabric)
        << phase.name;
  }
  for (const std::string& name : computing) EXPECT_TRUE(seen.contains(name)) << name;
}

TEST_P(Books, BookWhatSectionsTakeAsComputing) {
  const wse::Block& area = placement().layers.front().area;
  const Cut dims = even_cut(model().dim, area.width);
  const std::vector<RowHeads> heads = row_heads(model(), area.height);
  double residual = 0, scores = 0, least = 0;  // over tiles
  for (const Pass& pass : run_.passes) {
    const auto n = std::int64_t(pass.rows.size());
    for (int x = 0; x < area.width; ++x) {
      residual +=
          2.0 *
          double(wse::whole_cycles(wse::loop_cycles(machine(), run_.cost.counts().added, n * dims.count(x))));
      for (const RowHeads& h : heads) {
        const std::int64_t group = model().heads / model().kv_heads,
                           positions_of_column = positions(pass, x, area.width);
        if (h.count == 0 || positions_of_column == 0) continue;
        // A pass over the positions of every token for each query and dimension, or scalar code.
        const OperationCounts& each = run_.cost.counts().score;
        const double lanes = GetParam().type == ValueType::fp32 ? 1.0 : machine().mixed_lanes,
                     vector = double(n) * machine().vector_restart_cycles +
                              machine().vector_cycles_per_element * double(positions_of_column) / lanes;
        const double queries = double(h.count * group * h.dims());
        scores += double(wse::whole_cycles(
            queries * std::min(vector, double(positions_of_column) *
                                           wse::loop_price(machine(), each, wse::Loop::plain).scalar_turn)));
      }
      // Words are waited for at all tiles but the roots.
      least += 2.0 * double(dims.count(x)) * double(area.height - 1) * wse::receive_cycles(machine(), n);
    }
  }
  for (const auto& phase : books().record().summarize()) {
    const double cycles = double(run_.passes.size()) * phase.mean * double(placement().grid.tiles());
    const double layers = double(model().layers);
    if (phase.name == "residual") {
      EXPECT_NEAR(cycles, layers * residual, 1e-9 * cycles);
    }
    if (phase.name == "scores") {
      EXPECT_NEAR(cycles, layers * scores, 1e-9 * cycles);
    }
    if (phase.name == "multiply") {
      EXPECT_GT(cycles, layers * least);
    }
  }
}

/// Follows the words of a layer.
void follow_layer(const Option& o, const ProgramCost& cost, const wse::Block& area, const Pass& pass,
                  wse::FollowedWords& words) {
  const Configuration& c = o.model;
  const int n = int(pass.rows.size()), group = int(c.heads / c.kv_heads);
  const Cut dims = even_cut(c.dim, area.width), hidden = even_cut(c.hidden, area.height);
  const std::vector<RowHeads> heads = row_heads(c, area.height);
  const auto in_row = [&](int y) { return [&, y](int t) { return Place{area.x0 + t, area.y0 + y}; }; };
  const auto in_column = [&](int x) { return [&, x](int t) { return Place{area.x0 + x, area.y0 + t}; }; };
  for (int k = 0; k < 2; ++k) {  // the norms
    words.reduce(in_row(area.height / 2), area.width, n);
    words.broadcast(in_row(area.height / 2), area.width, n);
  }
  for (int x = 0; x < area.width; ++x) {
    const int of_column = n * int(dims.count(x));
    for (int k = 0; k < 2; ++k) {  // into attention and hidden units, and out of them
      words.broadcast(in_column(x), area.height, of_column);
      words.reduce(in_column(x), area.height, of_column);
    }
  }
  for (int y = 0; y < area.height; ++y) {
    const RowHeads& h = heads[std::size_t(y)];
    const int queries = n * int(h.count) * group, size = int(h.dims()), units = n * int(hidden.count(y));
    const int all = queries * size + 2 * n * int(h.count) * size;
    words.reduce(in_row(y), area.width, all);
    words.broadcast(in_row(y), area.width, all);
    words.reduce(in_row(y), area.width, queries);  // the tops
    words.broadcast(in_row(y), area.width, queries);
    words.reduce(in_row(y), area.width, queries * (size + 1));
    words.broadcast(in_row(y), area.width, queries * size);
    words.reduce(in_row(y), area.width, 2 * units);
    words.share(in_row(y), area.width, units, wse::scalar_cycles(machine(), cost.counts().gated));
    words.broadcast(in_row(y), area.width, units);
    if (h.count > 0 && h.band_rows > 1 && y == h.band_first)
      for (int x = 0; x < area.width; ++x) {
        const int scores = int(h.count) * group * positions(pass, x, area.width);
        const auto in_band = [&](int t) { return Place{area.x0 + x, area.y0 + y + t}; };
        words.reduce(in_band, h.band_rows, scores);
        words.broadcast(in_band, h.band_rows, scores);
      }
  }
}

/// Follows the stream from the root row of a region to that of another.
void follow_stream(const Configuration& c, const wse::Block& from, const wse::Block& to, int n,
                   wse::FollowedWords& words) {
  const Cut dims = even_cut(c.dim, to.width);
  const int lanes = std::min(from.height, to.height), root = from.y0 + from.height / 2,
            target = to.y0 + to.height / 2;
  for (int x = 0; x < to.width; ++x) {
    const int lane = from.x0 == to.x0 ? target : root - lanes / 2 + x % lanes;
    const std::int64_t of_column = n * dims.count(x);
    words.go({from.x0 + x, root}, {from.x0 + x, lane}, of_column);
    words.go({from.x0 + x, lane}, {to.x0 + x, lane}, of_column);
    words.go({to.x0 + x, lane}, {to.x0 + x, target}, of_column);
  }
}

/// Follows a token's row of the embedding, or the head's logits and choice.
void follow_embedding(const Configuration& c, const wse::Block& area, std::int32_t token,
                      wse::FollowedWords& words) {
  const Cut dims = even_cut(c.dim, area.width), table = even_cut(c.vocabulary, area.height);
  int y = 0;
  while (table.start[std::size_t(y) + 1] <= token) ++y;
  words.broadcast([&](int t) { return Place{area.x0 + t, area.y0 + y}; }, area.width, 1);
  for (int x = 0; x < area.width; ++x)
    words.go({area.x0 + x, area.y0 + y}, {area.x0 + x, area.y0 + area.height / 2}, dims.count(x));
}
void follow_head(const Configuration& c, const wse::Block& area, const wse::Block& back, int n,
                 wse::FollowedWords& words) {
  const Cut dims = even_cut(c.dim, area.width), vocabulary = even_cut(c.vocabulary, area.height);
  const auto row = [&](int y) { return [&, y](int t) { return Place{area.x0 + t, area.y0 + y}; }; };
  const auto column = [&](int x) { return [&, x](int t) { return Place{area.x0 + x, area.y0 + t}; }; };
  words.reduce(row(area.height / 2), area.width, n);
  words.broadcast(row(area.height / 2), area.width, n);
  for (int x = 0; x < area.width; ++x) words.broadcast(column(x), area.height, n * dims.count(x));
  for (int y = 0; y < area.height; ++y) words.reduce(row(y), area.width, n * int(vocabulary.count(y)));
  words.reduce(column(area.width / 2), area.height, 2 * n);
  words.go({area.x0 + area.width / 2, area.y0 + area.height / 2},
           {back.x0 + back.width / 2, back.y0 + back.height / 2}, n);
}

TEST_P(Books, CountTheWordsOfEveryLink) {
  const Placement& p = placement();
  wse::FollowedWords words(p.grid, machine().fabric);
  for (const Pass& pass : run_.passes) {
    for (const TokenRow& row : pass.rows) follow_embedding(model(), p.embedding.area, row.token, words);
    const wse::TileRegion* at = &p.embedding;
    for (std::int64_t l = 0; l < model().layers; ++l) {
      const wse::TileRegion& here = p.of_layer(l);
      if (&here != at) follow_stream(model(), at->area, here.area, int(pass.rows.size()), words);
      at = &here;
      follow_layer(GetParam(), run_.cost, here.area, pass, words);
    }
    if (pass.wanted.empty()) continue;
    follow_stream(model(), at->area, p.head.area, int(pass.wanted.size()), words);
    follow_head(model(), p.head.area, p.embedding.area, int(pass.wanted.size()), words);
  }
  const wse::Block& mine = books().clocks().blocks().mine();
  for (const Link link : {Link::north, Link::east, Link::south, Link::west})
    for (int y = 0; y < mine.height; ++y)
      for (int x = 0; x < mine.width; ++x)
        ASSERT_EQ(books().link_words().of(link)[std::size_t(y * mine.width + x)],
                  words.at(link, mine.x0 + x, mine.y0 + y))
            << "link " << int(link) << " of tile " << mine.x0 + x << ", " << mine.y0 + y;
}

/// Weights of a layer's matrices that tiles hold.
std::int64_t stored_weights(const DenseWeights& dense, Format format) {
  std::int64_t stored = 0;
  for (const DenseLayer& l : dense.layers)
    for (const DenseMatrix* m : {&l.query, &l.key, &l.value, &l.attention_output, &l.gate, &l.up, &l.down})
      for (const float w : m->values) stored += format == Format::dense || w != 0;
  return stored;
}

/// Operations of all passes.
OperationCounts counted_again(const Option& o, const DecoderRun& run, const Placement& p) {
  const Configuration& c = o.model;
  const SectionCounts& s = run.cost.counts();
  const wse::Block& area = p.layers.front().area;
  const std::vector<RowHeads> heads = row_heads(c, area.height);
  const Cut dims = even_cut(c.dim, area.width), hidden = even_cut(c.hidden, area.height),
            query_key_value = query_key_value_cut(c, heads), attended = attended_cut(c, heads);
  std::int64_t mask_words = 0, columns = 0;  // of a layer, on all tiles
  for (int y = 0; y < area.height; ++y)
    for (int x = 0; x < area.width; ++x) {
      mask_words +=
          dims.count(x) * (divided_up(query_key_value.count(y), 32) + divided_up(2 * hidden.count(y), 32)) +
          (attended.count(y) + hidden.count(y)) * divided_up(dims.count(x), 32);
      columns += 2 * dims.count(x) + attended.count(y) + hidden.count(y);
    }
  OperationCounts sent, start;
  sent[wse::Operation::move] = sent[wse::Operation::load] = 1;
  start[wse::Operation::integer] = 1;
  const std::int64_t stored = stored_weights(run.model.dense, o.format), group = c.heads / c.kv_heads;
  // Weights of 16 bits, keys and values are multiplied in lanes.
  const bool lanes = o.type != ValueType::fp32;
  const OperationCounts add = lanes ? s.dense_value.in_lanes() : s.dense_value,
                        score = lanes ? s.score.in_lanes() : s.score,
                        value = lanes ? s.position_value.in_lanes() : s.position_value;
  OperationCounts all;
  for (const Pass& pass : run.passes) {
    const auto n = std::int64_t(pass.rows.size()), w = std::int64_t(pass.wanted.size());
    all += o.format == Format::dense ? n * stored * add
           : o.stored_weights == StoredWeights::sent
               ? stored * sent + n * stored * add + c.layers * columns * start
               : stored * s.stored_value + (n - 1) * stored * add + c.layers * mask_words * s.mask_word;
    all += w * c.dim * c.vocabulary * add;
    all += w * c.vocabulary * s.compared;
    all += (2 * n * c.layers + w) * (c.dim * (s.square + s.scaled) + s.root);
    all += c.layers * n * (c.hidden * s.gated + 2 * c.dim * s.added);
    for (const RowHeads& h : heads) {
      const std::int64_t queries = n * h.count * group;
      all += c.layers * n * h.count * (group + 1) * h.pairs * s.rotary_pair;
      all += c.layers * queries * (s.divided + h.dims() * s.divided_value);
      std::int64_t seen = 0;
      for (const TokenRow& row : pass.rows) seen += row.position + 1;
      all += c.layers * h.count * group * seen *
             (h.dims() * (score + value) + s.largest + s.shifted + s.position);
    }
  }
  return all;
}

TEST_P(Books, PriceWhatTheTilesDid) {
  const OperationCounts booked = books().operations();
  EXPECT_EQ(booked, counted_again(GetParam(), run_, placement()));
  const double joules =
      wse::operation_joules(machine(), booked) + 1e-12 * machine().hop_pj * double(books().word_hops());
  EXPECT_NEAR(books().dynamic_joules(), joules, 1e-12 * joules);
}

TEST_P(Books, AreWhatTheResultSays) {
  Result result(run_.comm, "sparse_llama", "books", "wafer");
  run_.decoder.report(result, 5);
  const auto json = result.json();
  std::map<std::string, double> figures;
  for (const auto& f : json["figures"])
    if (f["value"].is_number()) figures[f["name"]] = f["value"];
  const double cycles = double(books().reached()), tiles = double(placement().grid.tiles());
  double busy = 0;
  for (const auto& phase : books().record().summarize())
    if (phase.kind == wse::PhaseKind::compute) busy += double(run_.passes.size()) * phase.mean;
  EXPECT_NEAR(figures.at("utilisation"), busy / cycles, 1e-9);
  EXPECT_NEAR(figures.at("cycles_per_token"), cycles / 5, 1e-9 * cycles);
  EXPECT_NEAR(figures.at("dynamic_joules_per_token"), books().dynamic_joules() / 5, 1e-12);
  EXPECT_NEAR(figures.at("link_load"), double(books().word_hops()) / (4 * tiles * cycles), 1e-9);
  EXPECT_EQ(json["wafer"]["tiles"], (nlohmann::json{placement().grid.width, placement().grid.height}));
}

INSTANTIATE_TEST_SUITE_P(Options, Books, testing::ValuesIn(options()),
                         [](const auto& option) { return option.param.name; });

/// A program of a layer as its declaration says; items and code are those of a mean tile.
TEST(LayerProgram, HasNoCollisionsAndNeedsAllColors) {
  const Configuration c = published_configuration("tinyllama-1.1b");
  const wse::TileRegion region{{0, 100, 200, 90}}, before{{0, 10, 200, 90}};
  const std::vector<RowHeads> heads = row_heads(c, 90);
  const LayerItems items;
  const ProgramCost cost(machine(), ValueType::bf16);
  const LayerCode code(cost, {}, heads, 8);
  const LayerPlan plan(region, heads, code, items);
  const wse::Program program = layer_program(plan, 0, &before, nullptr);
  const auto uses = program.patterns({200, 190});
  wse::FabricTiming fabric = machine().fabric;
  EXPECT_NO_THROW(wse::reject_collisions(fabric, uses));
  fabric.colors = 22;
  EXPECT_THROW(wse::reject_collisions(fabric, uses), std::invalid_argument);
  // Two patterns of which one can still be under way when the other begins must not share a color.
  const Communicator comm;
  RegionTimes times;
  wse::RegionExecutor executor(comm, wse::Blocks(comm, {200, 190}), machine(), times);
  wse::Program bad;
  bad.pattern("one", std::make_shared<wse::LineReduce>(wse::Lines::rows(region), items.queries), 0);
  bad.pattern("other", std::make_shared<wse::LineBroadcast>(wse::Lines::root_row(region), items.queries), 3);
  EXPECT_THROW(executor.load(std::move(bad)), std::invalid_argument);
}

}  // namespace
}  // namespace wafermark::llama
