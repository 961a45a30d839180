#include "sparse_llama/wafer/placement.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "common/errors.hpp"
#include "sparse_llama/model/shares.hpp"
#include "sparse_llama/wafer/prediction.hpp"
#include "sparse_llama/wafer/tile_weights.hpp"

namespace wafermark::llama {
namespace {

constexpr double word_bytes = 4;

/// Bytes that a position of one sequence takes in the cache of a tile that owns it, and of its turns.
std::int64_t position_bytes(const Configuration& c, ValueType type, const wse::TileRegion& region,
                            int layers) {
  std::int64_t most = 0;
  for (const RowHeads& r : row_heads(c, region.area.height))
    most = std::max(most, std::int64_t(bytes_of(type)) * 2 * r.count * r.dims() * layers +
                              std::int64_t(word_bytes) * r.dims());
  return most;
}

/// Regions of these heights in strips, each where the one before has left room. Nothing when they do not fit.
std::optional<std::vector<wse::TileRegion>> stacked(const wse::TileGrid& grid, int strips,
                                                    const std::vector<int>& heights) {
  std::vector<wse::TileRegion> regions;
  int strip = 0, used = 0;
  for (const int height : heights) {
    if (used + height > grid.height) {
      ++strip;
      used = 0;
    }
    if (strip == strips || height > grid.height) return std::nullopt;
    const Share columns = {std::int64_t(strip) * (grid.width / strips), grid.width / strips};
    // Even strips go down, odd ones up.
    const int y = strip % 2 == 0 ? used : grid.height - used - height;
    regions.push_back({{int(columns.first), y, int(columns.count), height}});
    used += height;
  }
  return regions;
}

/// The fullest tile of an embedding or head of `height` rows: weights, activations, sums.
std::int64_t end_tile_bytes(const Configuration& c, const WaferSettings& s, int width, int height) {
  const std::int64_t columns = divided_up(c.dim, width), rows = divided_up(c.vocabulary, height);
  WaferSettings dense = s;
  dense.format = Format::dense;
  return std::int64_t(packed_bytes(dense, double(columns), double(rows), 1) +
                      word_bytes * double(s.rows_together * (columns + rows)));
}

}  // namespace

double packed_bytes(const WaferSettings& s, double inputs, double outputs, double density) {
  const double stored = inputs * outputs * density, values = stored * double(bytes_of(s.value_type));
  if (row_of(s.format).layout == Layout::whole) return values;
  return values + (s.stored_weights == StoredWeights::sent
                       ? stored * TileWeights::number_bytes
                       : inputs * std::ceil(outputs / TileWeights::word_bits) * word_bytes);
}

std::int64_t Placement::expected_weight_bytes() const {
  const wse::TileRegion& r = layers.front();
  std::int64_t query_key_value = 0, attended = 0;  // of the row that has most
  for (const RowHeads& row : row_heads(model, r.area.height)) {
    const std::int64_t queries = row.count * (model.heads / model.kv_heads);
    query_key_value = std::max(query_key_value, (queries + 2 * row.count) * row.dims());
    attended = std::max(attended, queries * row.dims());
  }
  const std::int64_t columns = divided_up(model.dim, r.area.width),
                     hidden = divided_up(model.hidden, r.area.height),
                     weights = layers_per_region * columns * (query_key_value + attended + 3 * hidden);
  const bool dense = row_of(settings.format).layout == Layout::whole;
  const double density = dense ? 1 : settings.density;
  const auto bytes = [&](std::int64_t inputs, std::int64_t outputs) {
    return packed_bytes(settings, double(inputs), double(outputs), density);
  };
  const double of_layer = bytes(columns, query_key_value) + bytes(attended, columns) +
                          bytes(columns, 2 * hidden) + bytes(hidden, columns);
  // Of so many tiles none has more by chance than five standard deviations.
  const double stored_bytes =
      double(bytes_of(settings.value_type)) +
      (settings.stored_weights == StoredWeights::sent ? double(TileWeights::number_bytes) : 0);
  const double by_chance = 5 * std::sqrt(double(weights) * density * (1 - density)) * stored_bytes;
  return std::int64_t(std::ceil(double(layers_per_region) * of_layer + by_chance));
}

wse::TileMemory Placement::tile_memory(const wse::Machine& machine, std::int64_t weights) const {
  const wse::TileRegion& r = layers.front();
  const std::int64_t n = settings.rows_together, columns = divided_up(model.dim, r.area.width);
  std::int64_t heads = 0, attended = 0;
  for (const RowHeads& row : row_heads(model, r.area.height)) {
    const std::int64_t queries = row.count * (model.heads / model.kv_heads);
    heads = std::max(heads, (queries + 2 * row.count) * row.dims());
    attended = std::max(attended, queries * (row.dims() + 2));
  }
  const std::int64_t hidden = divided_up(model.hidden, r.area.height);
  const std::int64_t owned = divided_up(settings.context, r.area.width) * settings.sequences;
  wse::TileMemory memory(machine);
  const auto words = [&](const char* name, std::int64_t count) {
    memory.allocate(name, std::int64_t(word_bytes) * count);
  };
  memory.allocate("packed weights", weights);
  memory.allocate("cache, turns of its positions",
                  owned * position_bytes(model, settings.value_type, r, layers_per_region));
  words("residual stream, norms", (n + 2 * layers_per_region) * columns);
  words("activations", n * std::max(columns, hidden));
  words("partial sums", n * std::max({heads, 2 * hidden, columns}));
  words("attention", n * attended);
  words("scores", n * divided_up(settings.context, r.area.width) * (model.heads / model.kv_heads) *
                      std::max<std::int64_t>(1, row_heads(model, r.area.height).front().count));
  return memory;
}

std::int64_t Placement::cache_capacity(const wse::Machine& machine, std::int64_t weights) const {
  Placement empty = *this;
  empty.settings.context = 0;
  const std::int64_t left = empty.tile_memory(machine, weights).free();
  const wse::TileRegion& r = layers.front();
  return left / position_bytes(model, settings.value_type, r, layers_per_region) * r.area.width;
}

Placement::Prediction Placement::predict(const ProgramCost& cost) const {
  const wse::Block& area = layers.front().area;
  const std::int64_t seen = std::max<std::int64_t>(1, settings.context / 2);
  const double layer = predict_layer(model, cost, settings, area.width, area.height, seen).sum(),
               of_head = predict_head(model, cost, settings, area.width, head.area.height);
  return {double(model.layers) * layer + of_head, std::max(layers_per_region * layer, of_head)};
}

Placement Placement::search(const Configuration& model, const wse::Machine& machine, const ProgramCost& cost,
                            const wse::TileGrid& grid, const WaferSettings& settings) {
  Placement best;
  double least = std::numeric_limits<double>::infinity();
  std::string obstacle;
  const std::int64_t most_bytes = machine.sram_bytes - machine.program_bytes;
  for (int strips = 1; strips <= grid.width; ++strips) {
    if (settings.strips != 0 && strips != settings.strips) continue;
    const int width = grid.width / strips;
    if (width > model.dim) continue;
    if (settings.strips == 0 && strips > 1 && grid.width / (strips - 1) == width)
      continue;  // tiles left over
    // Embedding and head: as few rows as hold them.
    int end = int(std::min<std::int64_t>(grid.height, model.vocabulary));
    if (end_tile_bytes(model, settings, width, end) > most_bytes) continue;
    for (int low = 0; end - low > 1;) {
      const int middle = (low + end) / 2;
      (end_tile_bytes(model, settings, width, middle) > most_bytes ? low : end) = middle;
    }
    for (const int head : {end, 2 * end, 4 * end, 8 * end, 16 * end}) {
      if (head > grid.height || head > model.vocabulary) break;
      for (int together = 1; together <= model.layers; ++together) {
        const auto groups = int(divided_up(model.layers, together));
        if (settings.layers_per_region != 0
                ? together != settings.layers_per_region
                : together > 1 && groups == int(divided_up(model.layers, together - 1)))
          continue;
        // The tallest regions that fit.
        std::optional<std::vector<wse::TileRegion>> regions;
        for (int height = int(std::min<std::int64_t>(grid.height, model.hidden)); height >= 1 && !regions;
             --height) {
          std::vector<int> heights(std::size_t(groups) + 1, height);
          heights.front() = model.tied_embeddings ? head : end;
          if (!model.tied_embeddings) heights.push_back(head);
          regions = stacked(grid, strips, heights);
        }
        if (!regions) continue;
        Placement p;
        p.model = model;
        p.settings = settings;
        p.grid = grid;
        p.strips = strips;
        p.layers_per_region = together;
        p.embedding = regions->front();
        p.head = model.tied_embeddings ? p.embedding : regions->back();
        p.layers.assign(regions->begin() + 1, regions->begin() + 1 + groups);
        try {
          p.tile_memory(machine, p.expected_weight_bytes());
        } catch (const InputError& e) {
          if (obstacle.empty()) obstacle = e.what();
          continue;
        }
        const Prediction predicted = p.predict(cost);
        p.predicted_token_cycles = predicted.token;
        p.predicted_stage_cycles = predicted.stage;
        const double objective = settings.for_throughput ? predicted.stage : predicted.token;
        if (objective >= least) continue;
        least = objective;
        best = p;
      }
    }
  }
  if (best.layers.empty())
    throw InputError(
        fmt::format("{} x {} tiles of {}: found no place for a model of {} layers of dimension {}, "
                    "expected more tiles, a shorter context or sparser weights{}{}",
                    grid.width, grid.height, machine.name, model.layers, model.dim,
                    obstacle.empty() ? "" : "\n", obstacle));
  return best;
}

nlohmann::json Placement::floor_plan() const {
  nlohmann::json plan = nlohmann::json::array();
  const auto add = [&](const std::string& name, const wse::TileRegion& r) {
    plan.push_back({{"name", name},
                    {"x", r.area.x0},
                    {"y", r.area.y0},
                    {"width", r.area.width},
                    {"height", r.area.height}});
  };
  add(model.tied_embeddings ? "embedding and head" : "embedding", embedding);
  for (std::size_t g = 0; g < layers.size(); ++g) {
    const std::int64_t first = std::int64_t(g) * layers_per_region,
                       last = std::min<std::int64_t>(first + layers_per_region, model.layers) - 1;
    add(first == last ? fmt::format("layer {}", first) : fmt::format("layers {} to {}", first, last),
        layers[g]);
  }
  if (!model.tied_embeddings) add("head", head);
  return plan;
}

}  // namespace wafermark::llama
