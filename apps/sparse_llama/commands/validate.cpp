#include "sparse_llama/commands/validate.hpp"

#include <fmt/format.h>

#include <functional>
#include <memory>

#include "common/errors.hpp"
#include "common/option_checks.hpp"
#include "common/results/validation_table.hpp"
#include "sparse_llama/commands/result_folder.hpp"
#include "sparse_llama/commands/wafer_options.hpp"
#include "sparse_llama/wafer/prediction.hpp"
#include "wse_emulator/band.hpp"
#include "wse_emulator/fabric/line_reduction.hpp"
#include "wse_emulator/fabric/reduction.hpp"
#include "wse_emulator/published.hpp"

namespace wafermark::llama {
namespace {

struct ValidateOptions {
  WaferOptions wafer;
  OutputOptions output;
  std::string target = "wafer";
};

// All published figures are of one machine, by its name in inputs/wafers.
constexpr const char* published_machine = "wse2";

namespace published = wse::published;

/// WaferLLM's program on our machine: every tile multiplies its n / 720 inputs one after the other, each a
/// vector instruction over its outputs; the sums go to the middle of the line in two phases and come back,
/// two fp16 numbers a word.
double product_cycles(const wse::Machine& m, int n) {
  const double share = double(n) / published::vector_product_tiles;
  const auto words = std::int64_t(share / 2 + 0.5);
  const double multiply =
      share * (m.vector_restart_cycles + m.vector_cycles_per_element * share / m.half_lanes);
  return multiply + double(sum_cycles(m.fabric, published::vector_product_tiles, words)) +
         double(wse::broadcast_cycles(m.fabric, published::vector_product_tiles / 2 + 1, int(words)));
}

int validate(const ValidateOptions& o) {
  const Communicator comm;
  const wse::Machine machine = o.wafer.read();
  const ResultFolder out(comm, o.output, "validate", Writes::figures);
  out.expect_free();
  Result result(comm, "sparse_llama", "validate", o.target);
  out.begin(result);
  result.set_section("wafer", machine.record());
  ValidationTable table(
      result, comm.is_root(),
      machine.name == published_machine ? "" : fmt::format("no published figure for {}", machine.name));
  // A prediction on the machine, and its band.
  const auto with_band = [&](const std::function<double(const wse::Machine&)>& predict) {
    const double value = predict(machine);
    return std::pair(value, wse::band_of(machine, predict).of(value));
  };
  for (const auto& r : published::two_phase_reductions) {
    const auto [cycles, band] = with_band([&](const wse::Machine& m) {
      std::vector<std::int64_t> clocks(published::reduction_tiles, 0);
      wse::advance_clocks(m.fabric, {published::reduction_tiles, 0, published::reduction_words, r.group},
                          clocks.data(), 1);
      return double(clocks[0]);
    });
    table.row(fmt::format("sum over 512 tiles, groups of {}", r.group), fmt::format("sum_cycles_{}", r.group),
              cycles, r.cycles, 0.04, "cycles", band);
  }
  for (const auto& p : published::vector_products) {
    const auto [cycles, band] = with_band([&](const wse::Machine& m) { return product_cycles(m, p.n); });
    table.row(fmt::format("[1, {0}] x [{0}, {0}], fp16, 720 x 720", p.n),
              fmt::format("product_cycles_{}", p.n), cycles, p.cycles, 0.25, "cycles", band);
  }
  WaferSettings settings;
  settings.format = Format::dense;
  for (const auto& l : published::llama_layers) {
    const auto [cycles, band] = with_band([&](const wse::Machine& m) {
      return predict_layer(published_configuration("llama3-8b"), ProgramCost(m, ValueType::bf16), settings,
                           l.tiles, l.tiles, 4096)
          .sum();
    });
    table.row_unchecked(fmt::format("layer of Llama3-8B, our program, {0} x {0}", l.tiles),
                        fmt::format("layer_cycles_{}", l.tiles), cycles, l.cycles, "cycles", band);
  }
  out.write(result);
  if (comm.is_root()) fmt::print("result: {}/result.json\n", out.path());
  if (!result.all_checks_pass()) throw CheckFailure("outside their tolerance: " + result.failed_checks());
  return 0;
}

}  // namespace

void add_validate_command(CLI::App& app, std::function<int()>& action) {
  auto* command = app.add_subcommand("validate", "Compare the emulated wafer with published measurements");
  auto o = std::make_shared<ValidateOptions>();
  command->add_option("--target", o->target, "wafer")->check(one_of({"wafer"}))->capture_default_str();
  o->wafer.add_machine_to(*command);
  o->output.add_to(*command, "folder for result.json")->required();
  command->callback([o, &action] { action = [o] { return validate(*o); }; });
}

}  // namespace wafermark::llama
