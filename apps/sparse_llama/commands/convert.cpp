#include "sparse_llama/commands/convert.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "common/errors.hpp"
#include "common/folder_lock.hpp"
#include "common/option_checks.hpp"
#include "common/results/result.hpp"
#include "sparse_llama/cluster/packed_file.hpp"
#include "sparse_llama/commands/model_options.hpp"
#include "sparse_llama/commands/result_folder.hpp"

namespace wafermark::llama {
namespace {

struct ConvertOptions {
  ModelOptions model;
  std::string file;
  bool overwrite = false;
};

int convert(const ConvertOptions& o) {
  const Communicator comm;
  if (!o.file.ends_with(".h5")) throw InputError(fmt::format("{}: expected a name that ends in .h5", o.file));
  const std::filesystem::path file(o.file);
  prepare_output_directory(comm, file.has_parent_path() ? file.parent_path().string() : ".");
  const OutputLock lock(comm, o.file, "--out");
  expect_new_file(o.file, "--out", o.overwrite, {o.model.model, o.model.model + "/state.h5"});
  const RankWeights weights = o.model.weights(comm);
  write_packed(comm, o.file, weights);
  if (comm.is_root())
    fmt::print("{}: {:.4g} MB, for {} rank{}\n", o.file, 1e-6 * double(std::filesystem::file_size(o.file)),
               comm.size(), comm.size() == 1 ? "" : "s");
  return 0;
}

}  // namespace

void add_convert_command(CLI::App& app, std::function<int()>& action) {
  auto* command = app.add_subcommand("convert", "Pack a model into a file, for runs on as many ranks");
  auto o = std::make_shared<ConvertOptions>();
  o->model.add_model_to(*command);
  o->model.add_storage_to(*command);
  command->add_option("--out", o->file, "file to write, *.h5")->required()->check(file_to_write());
  command->add_flag("--overwrite", o->overwrite, "replace the file where it is there already");
  command->callback([o, &action] { action = [o] { return convert(*o); }; });
}

}  // namespace wafermark::llama
