#include "sparse_llama/wafer/wafer_decoder.hpp"

#include <algorithm>

namespace wafermark::llama {

WaferDecoder::WaferDecoder(const Communicator& comm, const WeightSource& source, const wse::Machine& machine,
                           const wse::TileGrid& grid, WaferSettings settings)
    : comm_(comm),
      name_(source.name),
      model_(source.configuration),
      cost_(machine, (expect_on_tiles(settings.format, settings.value_type), settings.value_type)),
      placement_(Placement::search(model_, machine, cost_, grid, settings)),
      executor_(comm, wse::Blocks(comm, grid), machine, times_),
      dims_(even_cut(model_.dim, placement_.layers.front().area.width)),
      vocabulary_(even_cut(model_.vocabulary, placement_.head.area.height)),
      shares_(shares_of(model_, placement_.layers.front())),
      turns_(model_, settings.context),
      final_norm_(source.vector(Vector::final_norm, 0)),
      code_(cost_, settings, shares_.heads, shares_.group),
      head_code_(cost_) {
  query_key_value_cut_ = query_key_value_cut(model_, shares_.heads);
  attended_cut_ = attended_cut(model_, shares_.heads);
  embedding_row_ = [row = source.row, dim = model_.dim, type = settings.value_type](std::int64_t token,
                                                                                    float* out) {
    row(Matrix::embedding, 0, token, 0, dim, out);
    if (type == ValueType::bf16)
      for (std::int64_t i = 0; i < dim; ++i) out[i] = BFloat16(out[i]);
  };
  pack_layers(source);
  load_programs();
}

void WaferDecoder::load_programs() {
  embedding_program_ = executor_.load(embedding_program(placement_.embedding, embedding_items_));
  for (const wse::TileRegion& r : placement_.layers) plans_.emplace_back(r, shares_.heads, code_, items_);
  const wse::TileRegion* at = &placement_.embedding;
  for (std::int64_t l = 0; l < model_.layers; ++l) {
    const wse::TileRegion& here = placement_.of_layer(l);
    layer_programs_.push_back(executor_.load(layer_program(plan_of(l), l, &here != at ? at : nullptr, this)));
    at = &here;
  }
  head_plan_.emplace(placement_.head, placement_.embedding, head_code_, head_items_);
  head_program_ = executor_.load(head_program(*head_plan_, at, this));
  wse::Program last;
  last.reach(at->root_row_tiles(), no_events_);
  last_program_ = executor_.load(std::move(last));
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
  executor_.begin_step();
  rows_ = rows;
  const auto n = std::int64_t(rows.size());
  const int width = placement_.layers.front().area.width;
  std::vector<std::int64_t> positions(std::size_t(width), 0);
  for (const TokenRow& row : rows)
    for (int x = 0; x < width; ++x) positions[std::size_t(x)] += positions_owned(row.position + 1, x, width);
  set_items(items_, shares_, n, positions);
  code_.set_tokens(cost_, n);

  embed();
  for (const std::size_t program : layer_programs_) executor_.run(program);
  run_head(wanted);
  if (!kept_.empty()) std::copy(x_.begin(), x_.end(), logits);
}

void WaferDecoder::embed() {
  EmbeddingItems& e = embedding_items_;
  const int height = placement_.embedding.area.height;
  const Cut table = even_cut(model_.vocabulary, height);
  stream_.resize(rows_.size() * std::size_t(model_.dim));
  e.elements.assign(shares_.dims.begin(), shares_.dims.end());
  e.number.assign(std::size_t(height), 0);
  e.awaited.assign(std::size_t(height), -1);
  for (std::size_t v = 0; v < rows_.size(); ++v) {
    embedding_row_(rows_[v].token, stream_.data() + std::ptrdiff_t(v) * model_.dim);
    e.row =
        int(std::upper_bound(table.start.begin(), table.start.end(), rows_[v].token) - table.start.begin()) -
        1;
    e.number[std::size_t(e.row)] = 1;
    e.awaited[std::size_t(e.row)] = rows_[v].sequence;
    executor_.run(embedding_program_);
    e.number[std::size_t(e.row)] = 0;
    e.awaited[std::size_t(e.row)] = -1;
  }
}

void WaferDecoder::run_head(const std::vector<char>& wanted) {
  HeadItems& h = head_items_;
  kept_.clear();
  h.chosen.clear();
  for (std::size_t v = 0; v < rows_.size(); ++v) {
    if (!wanted[v]) continue;
    const auto row = stream_.begin() + std::ptrdiff_t(v) * model_.dim;
    kept_.insert(kept_.end(), row, row + model_.dim);
    h.chosen.push_back(rows_[v].sequence);
  }
  const auto n = int(h.chosen.size());
  if (n == 0) return executor_.run(last_program_);  // tokens behind which no logits are wanted end here
  h.tokens = {n};
  h.choices = {2 * n};
  h.elements.clear();
  for (const std::int64_t dims : shares_.dims) h.elements.push_back(n * int(dims));
  h.logits.clear();
  for (int y = 0; y < vocabulary_.lines(); ++y) h.logits.push_back(n * int(vocabulary_.count(y)));
  head_code_.weights = cost_.dense_weights(n);
  executor_.run(head_program_);
}

}  // namespace wafermark::llama
