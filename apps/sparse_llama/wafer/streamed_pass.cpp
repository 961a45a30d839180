#include "sparse_llama/wafer/streamed_pass.hpp"

#include <algorithm>

#include "sparse_llama/wafer/tile_weights.hpp"

namespace wafermark::llama {

StreamedPass::StreamedPass(const Communicator& comm, const WeightSource& source, const wse::Machine& machine,
                           const wse::TileGrid& grid, const StreamedSettings& settings, std::int64_t context)
    : comm_(comm),
      source_(source),
      machine_(machine),
      settings_((expect_on_tiles(settings.format, settings.value_type), settings)),
      place_(streamed_place(source.configuration, settings, machine, grid)),
      context_(context),
      executor_(comm, wse::Blocks(comm, grid), machine, times_),
      edge_(machine.edge_bits_per_second / machine.clock_hz,
            early_bits(streamed_memory(source.configuration, settings, machine, place_), place_)),
      turns_(source.configuration, context) {
  bodies_ = {[this] {
               normalize(layer_ < source_.configuration.layers ? Vector::attention_norm : Vector::final_norm);
             },
             [this] { normalize(Vector::feed_forward_norm); },
             [this] { attend(); },
             [this] { gate(); },
             [this] { add_residual(); },
             [this](StreamedMatrix matrix) { multiply(matrix); }};
  caches_.resize(std::size_t(source.configuration.layers));
}

std::vector<float> StreamedPass::forward(std::span<const TokenRow> rows,
                                         std::span<const std::int64_t> wanted) {
  return forward(rows, wanted, std::int64_t(rows.size()));
}

void StreamedPass::load(std::int64_t tokens, std::span<const TokenRow> rows, std::size_t wanted) {
  const Configuration& c = source_.configuration;
  double seen = 0;
  std::map<std::int32_t, std::int64_t> of_sequence;
  for (const TokenRow& row : rows) {
    seen += double(row.position) + 1;
    ++of_sequence[row.sequence];
  }
  std::int64_t longest = 1;
  for (const auto& [sequence, count] : of_sequence) longest = std::max(longest, count);
  const std::int64_t together = queries_together(settings_, place_, tokens);
  items_ = streamed_items(c, settings_, place_, tokens, seen, longest, together);
  code_.emplace(machine_, settings_, c.head_dim, items_.tokens, together, place_.sums_together);
  if (!layer_programs_.contains(items_.sequence_rows))
    layer_programs_[items_.sequence_rows] =
        executor_.load(streamed_layer_program(place_, settings_, *code_, items_, edge_, bodies_));
  const auto last = std::max<std::int64_t>(std::int64_t(wanted), 1);
  head_items_ = streamed_items(c, settings_, place_, last, double(last), 1, together);
  head_code_.emplace(machine_, settings_, c.head_dim, head_items_.tokens, together, place_.sums_together);
  if (!head_program_)
    head_program_ = executor_.load(
        streamed_head_program(place_, settings_, *head_code_, head_items_, edge_, bodies_, finished_));
}

std::vector<float> StreamedPass::forward(std::span<const TokenRow> rows, std::span<const std::int64_t> wanted,
                                         std::int64_t worked_out) {
  const Configuration& c = source_.configuration;
  executor_.begin_step();
  load(std::int64_t(rows.size()), rows, wanted.size());
  rows_.assign(rows.begin(), rows.begin() + worked_out);
  // Embeddings are looked up outside and come in as numbers.
  edge_.enter(double(rows.size()) * double(c.dim * settings_.value_bits()));
  const std::size_t n = rows_.size();
  stream_.assign(std::size_t(c.dim) * n, 0.0f);
  std::vector<float> row(std::size_t(c.dim));
  for (std::size_t v = 0; v < n; ++v) {
    source_.row(Matrix::embedding, 0, rows_[v].token, 0, c.dim, row.data());
    for (std::size_t i = 0; i < row.size(); ++i)
      stream_[i * n + v] = settings_.value_type == ValueType::bf16 ? float(BFloat16(row[i])) : row[i];
  }
  of_pass_ = &items_;
  for (layer_ = 0; layer_ < c.layers; ++layer_) executor_.run(layer_programs_.at(items_.sequence_rows));

  std::vector<std::size_t> kept;
  for (const std::int64_t w : wanted)
    if (w < worked_out) kept.push_back(std::size_t(w));
  std::vector<float> stream(std::size_t(c.dim) * kept.size());
  for (std::size_t i = 0; i < std::size_t(c.dim); ++i)
    for (std::size_t k = 0; k < kept.size(); ++k) stream[i * kept.size() + k] = stream_[i * n + kept[k]];
  stream_ = std::move(stream);
  std::vector<TokenRow> last;
  for (const std::size_t k : kept) last.push_back(rows_[k]);
  rows_ = std::move(last);
  of_pass_ = &head_items_;
  executor_.run(*head_program_);
  std::vector<float> logits(y_.size());  // [row][token of the vocabulary]
  const std::size_t vocabulary = std::size_t(c.vocabulary);
  for (std::size_t k = 0; k < kept.size(); ++k)
    for (std::size_t i = 0; i < vocabulary; ++i) logits[k * vocabulary + i] = y_[i * kept.size() + k];
  return logits;
}

double StreamedPass::seconds_on(const wse::Machine& machine) const {
  const Configuration& c = source_.configuration;
  const auto cycles = [&](const wse::Machine& m) {
    return predict_streamed(c, settings_, m, place_).pass(c.layers);
  };
  return seconds() * (cycles(machine) / machine.clock_hz) / (cycles(machine_) / machine_.clock_hz);
}

wse::Band StreamedPass::time_band() const {
  return wse::band_of(machine_, [&](const wse::Machine& machine) { return seconds_on(machine); });
}

}  // namespace wafermark::llama
