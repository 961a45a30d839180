// A pruned model that grows layer by layer in its folder, as a Hugging Face folder in the end:
//   model.safetensors.unfinished  the whole file, whose first layers are pruned
//   pruning.json                  what the run was told, and what became of each finished layer
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "common/communicator.hpp"
#include "sparse_llama/model/companion_files.hpp"
#include "sparse_llama/model/safetensors_writer.hpp"
#include "sparse_llama/model/weight_source.hpp"

namespace wafermark::llama {

/// All calls are collective.
class PrunedFolder {
 public:
  static constexpr const char* record_name = "pruning.json";
  static constexpr const char* unfinished_name = "model.safetensors.unfinished";

  /// A new file; what is not pruned (embedding, norms, head) is copied from the source. Throws InputError
  /// where the source is damaged, std::runtime_error when the disk is too small. `settings`: what a restart
  /// must have been told, too.
  static PrunedFolder begin(const Communicator& comm, const std::string& folder, const WeightSource& source,
                            StoredType type, const nlohmann::json& settings);
  /// The one that an earlier run left in the folder. Throws InputError where it was told something else or
  /// its record is damaged.
  static PrunedFolder go_on(const Communicator& comm, const std::string& folder, const WeightSource& source,
                            StoredType type, const nlohmann::json& settings);

  StoredType type() const { return type_; }
  std::int64_t finished_layers() const { return std::int64_t(layers_.size()); }
  /// The entry that finish_layer got.
  const nlohmann::json& finished(std::int64_t layer) const { return layers_.at(std::size_t(layer)); }
  /// The weights of a finished layer.
  DenseLayer read_layer(std::int64_t layer) const;

  /// This rank's rows, from row `first` on.
  void write_rows(Matrix matrix, std::int64_t layer, std::int64_t first, const float* weights,
                  std::int64_t count) const;
  /// Makes it durable: from here on a restart has it.
  void finish_layer(const nlohmann::json& entry);
  /// The folder becomes a model: companions, config.json.
  void finish(const std::string& made_from, const Companions& companions);

 private:
  PrunedFolder(const Communicator& comm, std::string folder, Configuration configuration, StoredType type,
               nlohmann::json settings);
  void write_record() const;

  const Communicator& comm_;
  std::string folder_;
  Configuration configuration_;
  StoredType type_;
  nlohmann::json settings_, layers_ = nlohmann::json::array();
  std::unique_ptr<SafetensorsWriter> file_;
};

}  // namespace wafermark::llama
