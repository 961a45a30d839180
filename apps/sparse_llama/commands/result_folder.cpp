#include "sparse_llama/commands/result_folder.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "common/errors.hpp"
#include "common/option_checks.hpp"
#include "sparse_llama/compress/pruned_folder.hpp"
#include "sparse_llama/model/json_text.hpp"
#include "sparse_llama/model/staged_folder.hpp"

namespace wafermark::llama {
namespace {

namespace fs = std::filesystem;

constexpr const char* state = "state.h5";
using Pruned = PrunedFolder;

/// Checkpoints first: from whatever is left no run goes on.
std::vector<std::string> names_of(Writes writes) {
  std::vector<std::string> names{"result.json", "wafer.h5", "trace.json"};
  if (writes == Writes::checkpoints)
    names.insert(names.begin(), {"state.previous.h5", "state.damaged.h5", state, "config.json"});
  if (writes == Writes::folder)
    names.insert(names.begin(),
                 {Pruned::record_name, Pruned::unfinished_name, "model.safetensors", "config.json"});
  return names;
}

}  // namespace

CLI::Option* OutputOptions::add_to(CLI::App& command, const std::string& what) {
  auto* out = command.add_option("--out", folder, what)->check(not_empty("a folder"));
  command.add_flag("--overwrite", overwrite, "replace what an earlier run left in the folder of --out")
      ->needs(out);
  return out;
}

ResultFolder::ResultFolder(const Communicator& comm, const OutputOptions& options, const std::string& command,
                           Writes writes)
    : folder_(comm, options.folder, names_of(writes)), options_(options), command_(command), writes_(writes) {
  if (!given()) return;
  prepare_output_directory(comm, path());
  lock_ = FolderLock(comm, path(), "--out");
}

bool ResultFolder::is_no_loss(const std::vector<std::string>& files) const {
  if (files.empty()) return true;
  const char* checkpoint = writes_ == Writes::checkpoints ? state : Pruned::record_name;
  if (writes_ != Writes::figures && std::find(files.begin(), files.end(), checkpoint) != files.end())
    return false;
  const auto result = folder_.result();
  return result && member(*result, "app") == "sparse_llama" && member(*result, "command") == command_ &&
         member(*result, "status") == "incomplete";
}

void ResultFolder::expect_free() const {
  if (!given()) return;
  std::string other;  // looked for by rank 0: another node may not see it yet
  if (folder_.comm().is_root()) {
    std::error_code none;
    const bool pruned =
        holds_model(path()) && member(folder_.result().value_or(nullptr), "command") == "prune";
    if (writes_ != Writes::checkpoints && fs::exists(fs::path(path()) / state, none))
      other = state;
    else if (writes_ == Writes::figures ? pruned
                                        : holds_model(path()) && !(pruned && writes_ == Writes::folder))
      other = "*.safetensors or pytorch_model*";
  }
  folder_.comm().throw_together(
      !other.empty(), fmt::format("--out {}: holds a model ({}), expected another folder", path(), other));
  if (options_.overwrite) return;
  const auto files = folder_.left();
  if (is_no_loss(files)) return;
  throw InputError(fmt::format(
      "--out {}: holds {} of an earlier run, expected another folder, {}or --overwrite to replace "
      "what is there",
      path(), fmt::join(files, ", "),
      writes_ != Writes::figures ? "--restart to go on with that run, " : ""));
}

void ResultFolder::begin(Result& result) const {
  if (!given()) return;
  folder_.clear();
  go_on(result);
}

void ResultFolder::go_on(Result& result) const {
  if (given()) result.begin(folder_.comm(), path());
}

void ResultFolder::write(Result& result) const {
  if (given()) result.write(folder_.comm(), path());
}

void expect_new_file(const std::string& file, const std::string& option, bool overwrite,
                     const std::vector<std::string>& sources) {
  std::error_code none;
  for (const std::string& source : sources)
    if (fs::equivalent(file, source, none))
      throw InputError(fmt::format("{} {}: found what is read, expected another file", option, file));
  if (!overwrite && fs::exists(file, none))
    throw InputError(
        fmt::format("{} {}: is there already, expected another name or --overwrite", option, file));
}

}  // namespace wafermark::llama
