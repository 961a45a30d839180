// sparse_llama: Llama models with unstructured sparsity.
#include "common/command_line.hpp"
#include "sparse_llama/commands/compare.hpp"
#include "sparse_llama/commands/convert.hpp"
#include "sparse_llama/commands/evaluate.hpp"
#include "sparse_llama/commands/export.hpp"
#include "sparse_llama/commands/info.hpp"
#include "sparse_llama/commands/prune.hpp"
#include "sparse_llama/commands/run.hpp"
#include "sparse_llama/commands/tokenizer.hpp"
#include "sparse_llama/commands/train.hpp"
#include "sparse_llama/commands/validate.hpp"
#include "sparse_llama/model/blas_kernels.hpp"

int main(int argc, char** argv) {
  using namespace wafermark;
  llama::start_again_with_wider_blas(argv);
  return run_commands(argc, argv, "sparse_llama", "Llama models with unstructured sparsity.",
                      [](CLI::App& app, std::function<int()>& action) {
                        llama::add_run_command(app, action);
                        llama::add_compare_command(app, action);
                        llama::add_info_command(app, action);
                        llama::add_convert_command(app, action);
                        llama::add_tokenizer_command(app, action);
                        llama::add_evaluate_command(app, action);
                        llama::add_export_command(app, action);
                        llama::add_prune_command(app, action);
                        llama::add_train_command(app, action);
                        llama::add_recover_command(app, action);
                        llama::add_validate_command(app, action);
                      });
}
