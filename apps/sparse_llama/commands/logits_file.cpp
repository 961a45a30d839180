#include "sparse_llama/commands/logits_file.hpp"

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <stdexcept>

#include "common/durable_file.hpp"
#include "common/errors.hpp"
#include "sparse_llama/commands/result_folder.hpp"

namespace wafermark::llama {

CLI::Validator npy_file() {
  return {[](std::string& name) {
            return name.size() > 4 && name.ends_with(".npy")
                       ? std::string()
                       : fmt::format("found '{}', expected a name that ends in .npy", name);
          },
          "", "FILE.npy"};
}

LogitsFile::LogitsFile(const Communicator& comm, std::string path, bool overwrite, std::int64_t vocabulary)
    : comm_(comm), path_(std::move(path)), unfinished_(path_ + ".unfinished"), vocabulary_(vocabulary) {
  std::string problem;
  if (comm.is_root()) {
    try {
      expect_new_file(path_, "--print-logits", overwrite, {});
      std::error_code none;
      if (std::filesystem::is_directory(path_, none))
        problem = fmt::format("--print-logits {}: found a folder, expected a file", path_);
    } catch (const InputError& e) {
      problem = e.what();
    }
    if (problem.empty()) {
      file_.open(unfinished_, std::ios::binary | std::ios::trunc);
      file_ << header();
      file_.flush();
      if (!file_) problem = fmt::format("--print-logits {}: cannot be written to, expected a file", path_);
    }
  }
  comm.throw_together(!problem.empty(), problem);
}

LogitsFile::~LogitsFile() {
  if (finished_ || !file_.is_open()) return;
  file_.close();
  std::error_code none;
  std::filesystem::remove(unfinished_, none);
}

std::string LogitsFile::header() const {
  constexpr std::size_t size = 256;  // a multiple of 64, with room for any number of rows
  const std::string text = fmt::format(
      "{{'descr': [('sequence', '<i4'), ('position', '<i4'), ('token', '<i4'), ('logits', '<f4', ({},))], "
      "'fortran_order': False, 'shape': ({},), }}",
      vocabulary_, rows_);
  std::string bytes("\x93NUMPY\x01\x00\x00\x00", 10);
  bytes[8] = char((size - 10) & 0xff);
  bytes[9] = char((size - 10) >> 8);
  bytes += text;
  bytes.resize(size - 1, ' ');
  return bytes + "\n";
}

void LogitsFile::add(std::span<const TokenRow> rows, std::span<const float> logits) {
  rows_ += std::int64_t(rows.size());
  if (!comm_.is_root()) return;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::array<std::int32_t, 3> place{rows[i].sequence, std::int32_t(rows[i].position), rows[i].token};
    file_.write(reinterpret_cast<const char*>(place.data()), sizeof place);
    file_.write(reinterpret_cast<const char*>(logits.data() + std::int64_t(i) * vocabulary_),
                std::streamsize(vocabulary_) * std::streamsize(sizeof(float)));
  }
}

void LogitsFile::finish() {
  std::string problem;
  if (comm_.is_root()) {
    file_.seekp(0);
    file_ << header();
    file_.close();
    try {
      if (!file_) throw std::runtime_error(path_ + ": cannot be written (is the disk full?)");
      put_in_place(unfinished_, path_);
      finished_ = true;
    } catch (const std::exception& e) {
      problem = message_of(e);
    }
  }
  comm_.fail_together(!problem.empty(), problem);
}

}  // namespace wafermark::llama
