#include "sparse_llama/commands/validate.hpp"

#include <fmt/format.h>

#include <functional>
#include <memory>

#include "common/errors.hpp"
#include "common/option_checks.hpp"
#include "common/results/validation_table.hpp"
#include "sparse_llama/commands/result_folder.hpp"
#include "sparse_llama/commands/wafer_options.hpp"
#include "sparse_llama/wafer/layer_run.hpp"
#include "sparse_llama/wafer/prediction.hpp"
#include "sparse_llama/wafer/streamed_run.hpp"
#include "wse_emulator/band.hpp"
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
// How far a prediction may be off, of reductions and of programs.
constexpr double reduction_within = 0.04, program_within = 0.25;

namespace published = wse::published;

/// As programs of others start what an arriving number is multiplied with: by an instruction whose
/// descriptors are loaded.
wse::Machine with_instructions(const wse::Machine& m) {
  return m.with("core.arriving_weight_cycles", m.vector_restart_cycles);
}

/// At the clock at which WaferLLM turns its cycles into time.
wse::Machine at_its_clock(const wse::Machine& m) {
  return m.name == published_machine ? m.with("core.clock_mhz", published::waferllm_clock_mhz) : m;
}

void add_reductions(ValidationTable& table, const wse::Machine& machine) {
  for (const auto& r : published::two_phase_reductions) {
    const auto predict = [&](const wse::Machine& m) {
      std::vector<std::int64_t> clocks(published::reduction_tiles, 0);
      wse::advance_clocks(m.fabric, {published::reduction_tiles, 0, published::reduction_words, r.group},
                          clocks.data(), 1);
      return double(clocks[0]);
    };
    const double cycles = predict(machine);
    table.row(fmt::format("sum over 512 tiles, groups of {}", r.group), fmt::format("sum_cycles_{}", r.group),
              cycles, r.cycles, reduction_within, "cycles", wse::band_of(machine, predict).of(cycles));
  }
}

void add_vector_products(ValidationTable& table, const wse::Machine& machine) {
  for (const auto& p : published::vector_products) {
    const auto predict = [&](const wse::Machine& m) {
      return run_vector_product(ProgramCost(m, ValueType::bf16), p.n, published::vector_product_tiles);
    };
    const double cycles = predict(machine);
    table.row(fmt::format("[1, {0}] x [{0}, {0}], fp16, 720 x 720", p.n),
              fmt::format("product_cycles_{}", p.n), cycles, p.cycles, program_within, "cycles",
              wse::band_of(machine, predict).of(cycles));
  }
}

/// One head, as many key/value dimensions as others.
Configuration as_measured(Configuration c, std::int64_t dim, std::int64_t hidden) {
  c.dim = c.head_dim = dim;
  c.hidden = hidden;
  c.heads = c.kv_heads = 1;
  return c;
}

/// Rates of one sequence from a layer, and how they change with the number of tiles.
void add_decodes(ValidationTable& table, const wse::Machine& machine, const std::string& name,
                 const Configuration& c, std::span<const published::LlamaDecode> rows) {
  WaferSettings settings;
  settings.format = Format::dense;
  settings.sums = SumsOf::matrices;
  const ProgramCost cost(machine, settings.value_type);
  std::vector<double> rates;
  for (const auto& row : rows) {
    const auto mean_cycles = [&](const wse::Machine& m) {
      return predict_layer(c, ProgramCost(m, settings.value_type), settings, row.tiles, row.tiles,
                           published::llama_context)
          .sum();
    };
    const double cycles = run_layer(c, cost, settings, row.tiles, row.tiles, published::llama_context).alone;
    rates.push_back(at_its_clock(machine).clock_hz / cycles / double(c.layers));
    table.row(fmt::format("{} decodes on {} x {}", name, row.tiles, row.tiles),
              fmt::format("decode_{}_{}", name, row.tiles), rates.back(), row.tokens_per_second,
              program_within, "tokens/s", wse::band_of(machine, mean_cycles).inverse().of(rates.back()));
  }
  table.row(fmt::format("{}: its rate on {} over {}", name, rows.back().tiles, rows.front().tiles),
            fmt::format("decode_trend_{}", name), rates.back() / rates.front(),
            rows.back().tokens_per_second / rows.front().tokens_per_second, 0.1, "");
}

void add_prefills(ValidationTable& table, const wse::Machine& machine) {
  Configuration c = published_configuration("llama3-8b");
  StreamedSettings settings;
  settings.format = Format::dense;
  settings.tokens = published::llama_context;
  std::vector<double> rates;
  for (const auto& row : published::llama3_8b_prefills) {
    const wse::TileGrid grid{row.tiles, row.tiles};
    const wse::Machine its = at_its_clock(machine);
    const StreamedRun run = run_layer(c, settings, with_instructions(its), grid);
    const auto mean_cycles = [&](const wse::Machine& m) {
      return predict_streamed(c, settings, with_instructions(at_its_clock(m)), run.place).layer;
    };
    rates.push_back(double(settings.tokens) * its.clock_hz / run.cycles / double(c.layers));
    table.row(fmt::format("Llama3-8B reads 4,096 tokens on {0} x {0}", row.tiles),
              fmt::format("prefill_llama3-8b_{}", row.tiles), rates.back(), row.tokens_per_second,
              program_within, "tokens/s", wse::band_of(machine, mean_cycles).inverse().of(rates.back()));
  }
  const auto& rows = published::llama3_8b_prefills;
  table.row("its rate on 720 over 480", "prefill_trend_llama3-8b", rates.back() / rates.front(),
            rows.back().tokens_per_second / rows.front().tokens_per_second, program_within, "");
}

/// fp32, 33,000 x 33,000, as many vectors.
void add_matrix_product(ValidationTable& table, const wse::Machine& machine) {
  constexpr std::int64_t n = 33000;
  const StreamedShape shape{n, {n}, false};
  StreamedSettings settings;
  settings.format = Format::dense;
  settings.value_type = ValueType::fp32;
  settings.sum_banks = SumBanks::one;
  settings.tokens = n;
  const StreamedRun run = run_product(shape, settings, with_instructions(machine), {750, 750});
  const auto mean_seconds = [&](const wse::Machine& m) {
    return predict_streamed(shape, settings, with_instructions(m), run.place) / m.clock_hz;
  };
  const double rate = 2e-12 * double(n) * double(n) * double(n) * machine.clock_hz / run.cycles;
  table.row("fp32 product of 33,000, 750 x 750", "matrix_product_rate", rate,
            published::matrix_product_rate.value, program_within, published::matrix_product_rate.unit,
            wse::band_of(machine, mean_seconds).inverse().of(rate));
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
  add_reductions(table, machine);
  add_vector_products(table, machine);
  add_decodes(table, machine, "llama3-8b", as_measured(published_configuration("llama3-8b"), 4200, 14700),
              published::llama3_8b_decodes);
  add_decodes(table, machine, "llama2-13b", as_measured(published_configuration("llama2-13b"), 5120, 13824),
              published::llama2_13b_decodes);
  add_prefills(table, machine);
  add_matrix_product(table, machine);
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
