// Logits in a file that numpy loads: NPY (format version 1.0) with one record a token.
//
//   rows = numpy.load(FILE); rows["logits"][rows["sequence"] == 0]
//
//   sequence, position, token   int32: of the token behind which the logits stand
//   logits                      float32 [vocabulary]
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <fstream>
#include <span>
#include <string>

#include "common/communicator.hpp"
#include "sparse_llama/model/forward_pass.hpp"

namespace wafermark::llama {

/// For --print-logits: names that end in .npy.
CLI::Validator npy_file();

/// Grows under another name (FILE.unfinished) and has its own when finish() was called: what was there
/// before stays until then.
class LogitsFile {
 public:
  /// Rank 0 writes. Throws InputError, on all ranks, when the file is there and `overwrite` is not given, or
  /// when it cannot be written. Collective, as all calls.
  LogitsFile(const Communicator& comm, std::string path, bool overwrite, std::int64_t vocabulary);
  ~LogitsFile();
  LogitsFile(const LogitsFile&) = delete;
  LogitsFile& operator=(const LogitsFile&) = delete;

  /// logits [rows][vocabulary]
  void add(std::span<const TokenRow> rows, std::span<const float> logits);
  /// Throws std::runtime_error, on all ranks, when the disk was full.
  void finish();
  std::int64_t rows() const { return rows_; }

 private:
  std::string header() const;

  const Communicator& comm_;
  std::string path_, unfinished_;
  std::int64_t vocabulary_, rows_ = 0;
  std::ofstream file_;
  bool finished_ = false;
};

}  // namespace wafermark::llama
