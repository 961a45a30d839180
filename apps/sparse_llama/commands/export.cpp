#include "sparse_llama/commands/export.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "common/communicator.hpp"
#include "common/errors.hpp"
#include "common/option_checks.hpp"
#include "sparse_llama/compress/model_files.hpp"
#include "sparse_llama/compress/parameters.hpp"
#include "sparse_llama/model/checkpoint_writer.hpp"

namespace wafermark::llama {
namespace {

struct ExportOptions {
  std::string model, tokenizer, out, type = "bf16";
};

int write(const ExportOptions& o) {
  const Communicator comm;
  const bool missing = !o.tokenizer.empty() && !std::filesystem::is_regular_file(o.tokenizer);
  comm.throw_together(missing, fmt::format("{}: found no such file, expected a tokenizer", o.tokenizer));
  const FlatModel model = read_flat_model(comm, o.model);
  if (!comm.is_root()) return 0;
  write_checkpoint_folder(o.out, unflatten(model.configuration, model.parameters),
                          o.type == "bf16" ? StoredType::bf16 : StoredType::fp32);
  if (!o.tokenizer.empty())
    std::filesystem::copy_file(o.tokenizer, o.out + "/tokenizer.model",
                               std::filesystem::copy_options::overwrite_existing);
  fmt::print("{}: {} weights as {}\n", o.out, model.parameters.size(), o.type);
  return 0;
}

}  // namespace

void add_export_command(CLI::App& app, std::function<int()>& action) {
  auto* command = app.add_subcommand("export", "Write a trained or pruned model as a Hugging Face folder");
  auto o = std::make_shared<ExportOptions>();
  command->add_option("model", o->model, "training state, or the folder of train, recover or prune")
      ->required();
  command->add_option("-o,--output", o->out, "folder to write")->required()->check(not_empty("a folder"));
  command->add_option("--tokenizer", o->tokenizer, "tokenizer.model to put beside it");
  command->add_option("--dtype", o->type, "bf16 or fp32")
      ->check(one_of({"bf16", "fp32"}))
      ->capture_default_str();
  command->callback([o, &action] { action = [o] { return write(*o); }; });
}

}  // namespace wafermark::llama
