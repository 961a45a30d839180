#include "sparse_llama/commands/export.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "common/communicator.hpp"
#include "common/errors.hpp"
#include "common/folder_lock.hpp"
#include "common/option_checks.hpp"
#include "sparse_llama/commands/model_options.hpp"
#include "sparse_llama/compress/model_files.hpp"
#include "sparse_llama/model/checkpoint_writer.hpp"
#include "sparse_llama/model/memory_need.hpp"
#include "sparse_llama/model/staged_folder.hpp"
#include "sparse_llama/model/tokenizer.hpp"

namespace wafermark::llama {
namespace {

struct ExportOptions {
  ModelOptions model;
  std::string tokenizer, out, type = "bf16";
  bool overwrite = false;
};

/// Throws InputError when a model would be lost. A training state is never replaced: it can be gone on with.
void expect_free(const ExportOptions& o) {
  std::error_code none;
  if (std::filesystem::exists(o.out + "/state.h5", none))
    throw InputError(
        fmt::format("--output {}: found a training state there (state.h5), expected another folder", o.out));
  if (!o.overwrite && (holds_model(o.out) || std::filesystem::exists(o.out + "/config.json", none)))
    throw InputError(
        fmt::format("--output {}: found a model there, expected another folder or --overwrite", o.out));
}

int write(const ExportOptions& o) {
  const Communicator comm;
  const OutputLock lock(comm, o.out, "--output");
  expect_free(o);
  const WeightSource source = o.model.source();
  const std::string from = folder_of_model(o.model.model);
  expect_another_folder(o.out, from);
  const Companions companions = companions_of(from, o.tokenizer);
  if (!comm.is_root()) return 0;
  StagedFolder folder(o.out);
  write_checkpoint_folder(folder.path(), source, o.type == "bf16" ? StoredType::bf16 : StoredType::fp32, from,
                          companions);
  expect_free(o);  // again: another program may have written there meanwhile
  folder.commit();
  fmt::print("{}: {:.0f} weights as {}\n", o.out, weight_count(source.configuration), o.type);
  if (!companions.tokenizer) fmt::print("{}", note_without_tokenizer(source.name, o.out));
  return 0;
}

}  // namespace

void add_export_command(CLI::App& app, std::function<int()>& action) {
  auto* command = app.add_subcommand("export", "Write a model of any kind as a Hugging Face folder");
  auto o = std::make_shared<ExportOptions>();
  o->model.add_model_to(*command);
  command->add_option("-o,--output", o->out, "folder to write")->required()->check(not_empty("a folder"));
  command->add_flag("--overwrite", o->overwrite, "replace the model that is in the folder");
  command->add_option("--tokenizer", o->tokenizer, "tokenizer to put beside it; default: the model's own")
      ->check(not_empty("a file"));
  command->add_option("--dtype", o->type, "bf16 or fp32")
      ->check(one_of({"bf16", "fp32"}))
      ->capture_default_str();
  command->callback([o, &action] { action = [o] { return write(*o); }; });
}

}  // namespace wafermark::llama
