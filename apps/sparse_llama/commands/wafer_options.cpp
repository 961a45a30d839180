#include "sparse_llama/commands/wafer_options.hpp"

#include <fmt/format.h>

#include <charconv>
#include <filesystem>

#include "common/errors.hpp"

namespace wafermark::llama {
namespace {

/// "8x6" as two numbers from `least` on.
std::array<int, 2> as_pair(const std::string& text, const std::string& option, char between, int least) {
  std::array<int, 2> pair{};
  const std::size_t at = text.find(between);
  const auto number = [&](std::size_t first, std::size_t last, int& value) {
    const auto [end, error] = std::from_chars(text.data() + first, text.data() + last, value);
    return error == std::errc() && end == text.data() + last && value >= least;
  };
  if (at == std::string::npos || !number(0, at, pair[0]) || !number(at + 1, text.size(), pair[1]))
    throw InputError(
        fmt::format("{} '{}': expected two whole numbers from {} on as 8{}6", option, text, least, between));
  return pair;
}

}  // namespace

double estimated_sparsity(const WeightSource& source) {
  double zeros = 0, all = 0;
  for (const Matrix m : {Matrix::query, Matrix::key, Matrix::value, Matrix::attention_output, Matrix::gate,
                         Matrix::up, Matrix::down}) {
    const MatrixShape shape = shape_of(source.configuration, m);
    std::vector<float> row(std::size_t(shape.columns));
    const std::int64_t step = shape.rows * shape.columns > (1 << 20) ? 16 : 1;
    for (std::int64_t r = 0; r < shape.rows; r += step) {
      source.row(m, 0, r, 0, shape.columns, row.data());
      for (const float value : row) zeros += value == 0;
      all += double(shape.columns);
    }
  }
  return zeros / all;
}

void WaferOptions::add_machine_to(CLI::App& command) {
  const auto group = [&](auto* option) { return option->group("Wafer"); };
  group(command.add_option("--machine", machine, "machine file, or the name of one of inputs/wafers"))
      ->capture_default_str();
  group(command.add_option("--machine-set", overrides,
                           "key=value, overrides the machine file; may be repeated"))
      ->take_all()
      ->delimiter('\0');
}

void WaferOptions::add_to(CLI::App& command) {
  add_machine_to(command);
  const auto group = [&](auto* option) { return option->group("Wafer"); };
  group(command.add_option("--tiles", tiles, "WIDTHxHEIGHT: use so many tiles; default: all of the machine"));
  group(command.add_option("--cache-tokens", context,
                           "room for so many tokens a sequence; default: what the run needs"));
  group(command.add_option("--rows-together", rows_together,
                           "tokens that go through the layers as one batch; others follow as tiles are free"))
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  group(command.add_option("--layers-per-region", layers_per_region,
                           "layers on the same tiles; 0: whatever takes a token through soonest"))
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  group(
      command.add_option("--strips", strips, "strips of regions; 0: whatever takes a token through soonest"))
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  group(command.add_flag("--for-throughput", for_throughput,
                         "place layers so that tokens of many sequences follow each other soonest"));
  group(command.add_flag("--rows-in-order", rows_in_order,
                         "do not deal hidden units so that tiles hold equally many weights"));
  group(command.add_option("--trace", traced,
                           "X,Y: what this tile does in the first ten passes, to OUT/trace.json"))
      ->take_all()
      ->delimiter('\0');
}

wse::Machine WaferOptions::read_machine() const {
  return wse::Machine::read(wse::Machine::find(machine, std::filesystem::current_path().string()), overrides);
}

wse::TileGrid WaferOptions::grid(const wse::Machine& m) const {
  if (tiles.empty()) return {m.width, m.height};
  const auto [width, height] = as_pair(tiles, "--tiles", 'x', 1);
  if (width > m.width || height > m.height)
    throw InputError(fmt::format("--tiles {}: expected at most the {} x {} tiles of {}", tiles, m.width,
                                 m.height, m.name));
  return {width, height};
}

WaferSettings WaferOptions::settings(const ModelOptions& model, const WeightSource& source) const {
  WaferSettings s;
  s.format = format_named(model.format, "--format");
  s.value_type = value_type_named(model.value, "--value");
  s.density = 1.0 - estimated_sparsity(source);
  s.context = context;
  s.rows_together = rows_together;
  s.layers_per_region = layers_per_region;
  s.strips = strips;
  s.balance_rows = !rows_in_order;
  s.for_throughput = for_throughput;
  return s;
}

void WaferOptions::trace(WaferDecoder& decoder) const {
  std::vector<std::array<int, 2>> chosen;
  for (const std::string& tile : traced) chosen.push_back(as_pair(tile, "--trace", ',', 0));
  if (!chosen.empty()) decoder.times().phases().trace(chosen, 10);
}

}  // namespace wafermark::llama
