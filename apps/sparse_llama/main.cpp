// sparse_llama: Llama models with unstructured sparsity.
#include <CLI/CLI.hpp>
#include <functional>

#include "common/communicator.hpp"
#include "common/errors.hpp"
#include "common/machine_record.hpp"
#include "sparse_llama/commands/evaluate.hpp"
#include "sparse_llama/commands/export.hpp"
#include "sparse_llama/commands/prune.hpp"
#include "sparse_llama/commands/tokenizer.hpp"
#include "sparse_llama/commands/train.hpp"

int main(int argc, char** argv) {
  using namespace wafermark;
  return run_program(argc, argv, [](int count, char** words) {
    CLI::App app("Llama models with unstructured sparsity.", "sparse_llama");
    app.set_version_flag("--version", version_line());
    app.require_subcommand(1);
    std::function<int()> action;
    llama::add_tokenizer_command(app, action);
    llama::add_evaluate_command(app, action);
    llama::add_export_command(app, action);
    llama::add_prune_command(app, action);
    llama::add_train_command(app, action);
    llama::add_recover_command(app, action);
    try {
      app.parse(count, words);
    } catch (const CLI::Success& help) {
      if (Communicator().is_root()) app.exit(help);
      return 0;
    } catch (const CLI::ParseError& wrong) {
      throw InputError(std::string(wrong.what()) + " (sparse_llama --help lists what there is)");
    }
    return action();
  });
}
