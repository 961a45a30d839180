// What a training run was told, kept in its checkpoint: a restart goes on with the same run, or not at all.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "sparse_llama/compress/training_settings.hpp"
#include "sparse_llama/model/configuration.hpp"

namespace wafermark::llama {

struct TrainingRecord {
  nlohmann::json settings =
      nlohmann::json::object();  ///< deck keys that a restart must keep, with their values
  nlohmann::json history = nlohmann::json::array();  ///< losses reported so far

  std::string text() const;
  /// Throws InputError that names `file` when `text` is no such record.
  static TrainingRecord read(const std::string& text, const std::string& file);
};

/// The settings that change the weights, but for the number of ranks (other ranks: the same to rounding).
/// Texts and models stand for themselves by checksums, wherever their files lie. Free to change: steps, and
/// how often something is reported, evaluated or saved.
nlohmann::json settings_to_keep(const Configuration& configuration, const TrainingSettings& settings);

/// "ab12..." of numbers, by their bytes (FNV-1a).
template <class T>
std::string checksum(const std::vector<T>& values);

/// Throws InputError that names the first key that differs and both values. `file`: the checkpoint's.
void expect_same_run(const nlohmann::json& stored, const nlohmann::json& now, const std::string& file);

}  // namespace wafermark::llama
