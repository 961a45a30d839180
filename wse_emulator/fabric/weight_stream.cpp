#include "wse_emulator/fabric/weight_stream.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "wse_emulator/link_words.hpp"
#include "wse_emulator/whole_cycles.hpp"

namespace wafermark::wse {
namespace {

/// A product's way through the tiles of a row, with whole cycles.
class Row {
 public:
  Row(const FabricTiming& fabric, const StreamedWeights& weights, const StreamCycles& cycles, int ahead,
      EdgeStream& edge, std::vector<std::int64_t>& clocks, std::vector<std::int64_t>& busy)
      : weights_(weights),
        edge_(edge),
        ahead_(ahead),
        restart_(whole_cycles(cycles.restart)),
        add_(cycles.add),
        keep_(whole_cycles(cycles.keep)),
        to_next_(fabric.hop_cycles + 2 * fabric.ramp_cycles + 1),
        clocks_(clocks.data()),
        busy_(busy.data()),
        multiplied_(clocks.size(), 0),
        first_(clocks.size(), 0),
        before_(clocks.size() + 1, 0) {
    std::uint16_t most = 0;
    for (const std::uint16_t count : weights.counts) most = std::max(most, count);
    for (int n = 0; n <= most; ++n) multiply_.push_back(whole_cycles(n * cycles.weight));
  }

  /// The sums of outputs [output, output + bundle) pass as one.
  void run(std::int64_t output, std::int64_t bundle) {
    const int columns = weights_.columns;
    const std::int64_t add = whole_cycles(static_cast<double>(bundle) * add_);
    std::int64_t coming = 0;
    for (int x = 0; x < columns; ++x) {
      const std::int64_t ready = std::max(coming, before_[static_cast<std::size_t>(x) + 1]);
      prepare(x, output + bundle - 1, ready);
      if (columns == 1) break;
      const std::int64_t begin = std::max(clocks_[x] + restart_, ready);
      clocks_[x] = begin + add;
      busy_[x] += restart_ + add;
      first_[static_cast<std::size_t>(x)] = begin;
      coming = begin + to_next_;
    }
    for (std::int64_t o = output; o < output + bundle; ++o) {
      const int keeper = weights_.keepers[static_cast<std::size_t>(o)];
      clocks_[keeper] += keep_;
      busy_[keeper] += keep_;
      // All tiles have begun with this output: what follows it may have come in meanwhile.
      edge_.used(last_begin_[static_cast<std::size_t>(o)]);
    }
    std::copy(first_.begin(), first_.end(), before_.begin());
  }

 private:
  /// Multiplies this output, and those behind it as long as sums to pass on have not come.
  void prepare(int x, std::int64_t output, std::int64_t ready) {
    std::int64_t& done = multiplied_[static_cast<std::size_t>(x)];
    for (; done < weights_.outputs(); ++done) {
      const bool due = done <= output;
      if (!due && (done > output + ahead_ || clocks_[x] >= ready)) return;
      const std::int64_t begin = std::max(clocks_[x], inside(done));
      if (!due && begin >= ready) return;
      const std::int64_t cycles = multiply_[weights_.of(done)[x]];
      std::int64_t& last = last_begin_[static_cast<std::size_t>(done)];
      last = std::max(last, begin);
      clocks_[x] = begin + cycles;
      busy_[x] += cycles;
    }
  }

  /// When the weights of an output are all in.
  std::int64_t inside(std::int64_t output) {
    while (static_cast<std::int64_t>(inside_.size()) <= output) {
      inside_.push_back(cycles_begun(edge_.enter(static_cast<double>(weights_.bits[inside_.size()]))));
      last_begin_.push_back(0);
    }
    return inside_[static_cast<std::size_t>(output)];
  }

  const StreamedWeights& weights_;
  EdgeStream& edge_;
  std::int64_t ahead_, restart_;
  double add_;
  std::int64_t keep_, to_next_;
  std::int64_t *clocks_, *busy_;
  std::vector<std::int64_t> multiplied_;  ///< by column: outputs
  std::vector<std::int64_t> first_,
      before_;  ///< by column: when its sums of this bundle began to pass; of the one before
  std::vector<std::int64_t> inside_, last_begin_;  ///< by output
  std::vector<std::int64_t> multiply_;             ///< by number of weights
};

}  // namespace

StreamTotals StreamTotals::of(const StreamedWeights& weights) {
  const auto columns = static_cast<std::size_t>(weights.columns);
  StreamTotals t{std::vector<int>(columns, 0), std::vector<int>(columns, 0), std::vector<int>(columns, 0),
                 0.0};
  for (std::int64_t o = 0; o < weights.outputs(); ++o) {
    const std::uint16_t* counts = weights.of(o);
    for (std::size_t x = 0; x < columns; ++x) t.weights[x] += counts[x];
    ++t.kept[weights.keepers[static_cast<std::size_t>(o)]];
    t.bits += static_cast<double>(weights.bits[static_cast<std::size_t>(o)]);
  }
  for (std::size_t x = 0; x < columns; ++x) {
    t.sums[x] = columns == 1 ? 0 : static_cast<int>(weights.outputs());
  }
  return t;
}

void advance_row(const FabricTiming& fabric, const StreamedWeights& weights, const StreamCycles& cycles,
                 int ahead, EdgeStream& edge, std::vector<std::int64_t>& clocks,
                 std::vector<std::int64_t>& busy) {
  edge.used(*std::max_element(clocks.begin(), clocks.end()));
  Row row(fabric, weights, cycles, ahead, edge, clocks, busy);
  for (std::int64_t o = 0; o < weights.outputs(); o += cycles.together)
    row.run(o, std::min<std::int64_t>(cycles.together, weights.outputs() - o));
}

std::string StreamedProduct::text() const {
  return fmt::format("weights streamed down {} groups of {} columns, sums of {} words", place_.groups,
                     place_.width, *words_);
}

std::int64_t StreamedProduct::cycles(const FabricTiming&, const TileGrid&) const {
  const StreamTotals& t = *totals_;
  double most = t.bits / edge_->bits_per_cycle();
  for (std::size_t x = 0; x < t.weights.size(); ++x)
    most =
        std::max(most, t.weights[x] * cycles_->weight + t.sums[x] * cycles_->add +
                           std::ceil(static_cast<double>(t.sums[x]) / cycles_->together) * cycles_->restart +
                           t.kept[x] * cycles_->keep);
  return cycles_begun(most);
}

std::vector<ColorUse> StreamedProduct::colors(const TileGrid&, int first) const {
  return {{first, {Link::south}},
          {first + 1, {Link::east}},
          {first + 2, {Link::east}},
          {first + 3, {Link::west}}};
}

void StreamedProduct::advance(const FabricTiming& fabric, RegionClocks& clocks) const {
  const Block& a = place_.area;
  // A column's words go on when all its tiles have taken them, so its slowest tile sets the pace.
  std::vector<std::int64_t> of_columns(static_cast<std::size_t>(place_.width), 0), busy(of_columns.size(), 0);
  for (int y = 0; y < a.height; ++y)
    for (int x = 0; x < place_.groups * place_.width; ++x) {
      auto& latest = of_columns[static_cast<std::size_t>(x % place_.width)];
      latest = std::max(latest, clocks.at(a.x0 + x, a.y0 + y) - std::int64_t{y} * fabric.hop_cycles);
    }
  advance_row(fabric, *weights_, *cycles_, ahead_, *edge_, of_columns, busy);
  for (int y = 0; y < a.height; ++y)
    for (int x = 0; x < place_.groups * place_.width; ++x) {
      const auto column = static_cast<std::size_t>(x % place_.width);
      std::int64_t& clock = *clocks.from(a.x0 + x, a.y0 + y);
      const std::int64_t before = clock;
      clock = of_columns[column] + std::int64_t{y} * fabric.hop_cycles;
      clocks.book(a.x0 + x, a.y0 + y, before, 0, busy[column]);
    }
}

void StreamedProduct::add_words(const FabricTiming&, std::int64_t times, LinkWords& words) const {
  const Block& a = place_.area;
  const std::int64_t outputs = weights_->outputs();
  std::int64_t all = 0, kept_before = 0;
  for (int x = 0; x < place_.width; ++x) {
    const auto column = static_cast<std::size_t>(x);
    const auto down = static_cast<std::int64_t>(std::ceil(weight_words_ * totals_->weights[column]));
    all += down;
    for (int g = 0; g < place_.groups; ++g) {
      const int at = a.x0 + g * place_.width + x;
      words.add(Link::south, {at, a.y0 - place_.feed, 1, a.height + place_.feed - 1}, times * down);
      if (x + 1 < place_.width) words.add(Link::east, {at, a.y0, 1, a.height}, times * outputs * *words_);
      if (x > 0) words.add(Link::west, {at, a.y0, 1, a.height}, times * kept_before * *words_);
    }
    kept_before += totals_->kept[column];
  }
  if (place_.feed > 0 && place_.groups > 1)
    words.add(Link::east, {a.x0, a.y0 - place_.feed, (place_.groups - 1) * place_.width, place_.feed},
              times * ((all + place_.feed - 1) / place_.feed));
}

std::string RingStream::text() const {
  return fmt::format("{} words round {} tiles", *words_, lines_.length);
}

std::int64_t RingStream::working() const { return whole_cycles(work_->cycles(*items_)); }

std::int64_t RingStream::cycles(const FabricTiming& fabric, const TileGrid&) const {
  // Half of a tile's words go either way; its ramp takes all of them.
  const std::int64_t steps = lines_.length;
  return std::max(fabric.cycles_of(*words_), working()) +
         steps * (fabric.hop_cycles + 2 * fabric.ramp_cycles + 1);
}

std::vector<ColorUse> RingStream::colors(const TileGrid&, int first) const {
  return {{first, {lines_.towards_beginning()}}, {first + 1, {lines_.towards_end()}}};
}

void RingStream::advance(const FabricTiming& fabric, RegionClocks& clocks) const {
  const std::int64_t took = cycles(fabric, clocks.blocks().grid()), work = working();
  for (int line = 0; line < lines_.number(); ++line) {
    std::int64_t latest = 0;
    for (int t = 0; t < lines_.length; ++t)
      latest = std::max(latest, clocks.at(lines_.x(line, t), lines_.y(line, t)));
    for (int t = 0; t < lines_.length; ++t) {
      std::int64_t& clock = *clocks.from(lines_.x(line, t), lines_.y(line, t));
      const std::int64_t before = clock;
      clock = latest + took;
      clocks.book(lines_.x(line, t), lines_.y(line, t), before, took - work, work);
    }
  }
}

void RingStream::add_words(const FabricTiming&, std::int64_t times, LinkWords& words) const {
  if (lines_.length == 1) return;
  const std::int64_t there = *words_ / 2, back = *words_ - there;
  for (int line = 0; line < lines_.number(); ++line) {
    const auto run = [&](int from) {
      const int x = lines_.x(line, from), y = lines_.y(line, from), n = lines_.length - 1;
      return lines_.along_rows ? Block{x, y, n, 1} : Block{x, y, 1, n};
    };
    words.add(lines_.towards_end(), run(0), times * there);
    words.add(lines_.towards_beginning(), run(1), times * back);
  }
}

}  // namespace wafermark::wse
