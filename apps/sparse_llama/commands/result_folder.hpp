// Where a command puts its result, and what becomes of an earlier one that lies there.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "common/folder_lock.hpp"
#include "common/results/output_folder.hpp"
#include "common/results/result.hpp"

namespace wafermark::llama {

struct OutputOptions {
  std::string folder;  ///< "": nothing is written
  bool overwrite = false;

  /// --out, which is returned, and --overwrite.
  CLI::Option* add_to(CLI::App& command, const std::string& what);
};

/// What a command writes beside result.json.
enum class Writes {
  figures,     ///< nothing that took long to make and could be gone on with
  folder,      ///< a Hugging Face folder that grows layer by layer, which --restart goes on with
  checkpoints  ///< training states all the way, from which --restart goes on
};

/// The folder of a command's result, locked while this lives; without a folder (--out was not given) nothing
/// happens. All calls are collective.
class ResultFolder {
 public:
  /// Makes the folder if need be. `command`: "run", as the result calls it. Throws InputError when it cannot
  /// be written to or another program writes there.
  ResultFolder(const Communicator& comm, const OutputOptions& options, const std::string& command,
               Writes writes);

  const std::string& path() const { return folder_.path(); }
  bool given() const { return !path().empty(); }
  /// Throws InputError when the folder holds what an earlier command made, without --overwrite; a model in
  /// a format that the command does not write is never replaced. What the same command left when it was
  /// killed is no loss.
  void expect_free() const;
  /// The input is found good: removes what an earlier run left; from here on result.json says "incomplete".
  void begin(Result& result) const;
  /// The same for a run that goes on: what is there stays.
  void go_on(Result& result) const;
  void write(Result& result) const;

 private:
  bool is_no_loss(const std::vector<std::string>& files) const;

  OutputFolder folder_;
  OutputOptions options_;
  std::string command_;
  Writes writes_;
  FolderLock lock_;
};

/// For commands that write one file, not a folder. Throws InputError when `file` is there, without
/// `overwrite`, or when it is one of `sources`, which the command reads.
void expect_new_file(const std::string& file, const std::string& option, bool overwrite,
                     const std::vector<std::string>& sources);

}  // namespace wafermark::llama
