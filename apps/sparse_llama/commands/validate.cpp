#include "sparse_llama/commands/validate.hpp"

#include <fmt/format.h>

#include <memory>

#include "common/errors.hpp"
#include "common/option_checks.hpp"
#include "common/results/validation_table.hpp"
#include "sparse_llama/commands/result_folder.hpp"
#include "sparse_llama/commands/wafer_options.hpp"
#include "sparse_llama/wafer/prediction.hpp"
#include "wse_emulator/fabric/line_reduction.hpp"
#include "wse_emulator/fabric/reduction.hpp"

namespace wafermark::llama {
namespace {

struct ValidateOptions {
  WaferOptions wafer;
  OutputOptions output;
  std::string target = "wafer";
};

// All published figures are of one machine, by its name in inputs/wafers.
constexpr const char* published_machine = "wse2";

// Luczynski et al., HPDC'24: measured cycles of two-phase reductions of 4,096 words over 512 tiles, by group.
struct PublishedReduction {
  int group;
  double cycles;
};
constexpr PublishedReduction reductions[] = {{2, 10055}, {8, 9117}, {32, 8973}, {128, 9297}, {512, 7218}};

// WaferLLM (He et al., OSDI'25), table 6: [1, n] x [n, n] in fp16 on a WSE-2, 1.2 and 2.03 us at the 1.1 GHz
// at which its code turns cycles into time. The number of tiles is not given; its figures go up to 720 x 720.
struct PublishedProduct {
  int n;
  double cycles;
};
constexpr PublishedProduct products[] = {{16384, 1320}, {32768, 2233}};
constexpr int product_tiles = 720;

// WaferLLM: cycles of a layer of Llama3-8B (as it measured: dimension 4,200, hidden 14,700, one head) while
// decoding behind 4,096 tokens, on so many tiles squared.
struct PublishedLayer {
  int tiles;
  double cycles;
};
constexpr PublishedLayer layers[] = {{420, 12732}, {540, 13742}, {660, 15323}};

/// WaferLLM's program on our machine: every tile multiplies its n / 720 inputs one after the other, each a
/// vector instruction over its outputs; the sums go to the middle of the line in two phases and come back,
/// two fp16 numbers a word.
double product_cycles(const wse::Machine& m, int n) {
  const double share = double(n) / product_tiles;
  const auto words = std::int64_t(share / 2 + 0.5);
  const double multiply =
      share * (m.vector_restart_cycles + m.vector_cycles_per_element * share / m.half_lanes);
  return multiply + double(sum_cycles(m.fabric, product_tiles, words)) +
         double(wse::broadcast_cycles(m.fabric, product_tiles / 2 + 1, int(words)));
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
  for (const auto& r : reductions) {
    std::vector<std::int64_t> clocks(512, 0);
    wse::advance_clocks(machine.fabric, {512, 0, 4096, r.group}, clocks.data(), 1);
    table.row(fmt::format("sum over 512 tiles, groups of {}", r.group), fmt::format("sum_cycles_{}", r.group),
              double(clocks[0]), r.cycles, 0.04, "cycles");
  }
  for (const auto& p : products)
    table.row(fmt::format("[1, {0}] x [{0}, {0}], fp16, 720 x 720", p.n),
              fmt::format("product_cycles_{}", p.n), product_cycles(machine, p.n), p.cycles, 0.25, "cycles");
  const ProgramCost cost(machine, ValueType::bf16);
  WaferSettings settings;
  settings.format = Format::dense;
  for (const auto& l : layers)
    table.row_unchecked(
        fmt::format("layer of Llama3-8B, our program, {0} x {0}", l.tiles),
        fmt::format("layer_cycles_{}", l.tiles),
        predict_layer(published_configuration("llama3-8b"), cost, settings, l.tiles, l.tiles, 4096).sum(),
        l.cycles, "cycles");
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
