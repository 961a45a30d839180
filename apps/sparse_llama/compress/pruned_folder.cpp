#include "sparse_llama/compress/pruned_folder.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <functional>

#include "common/durable_file.hpp"
#include "common/errors.hpp"
#include "sparse_llama/compress/training_record.hpp"
#include "sparse_llama/model/checkpoint_writer.hpp"
#include "sparse_llama/model/configuration_file.hpp"
#include "sparse_llama/model/file_model.hpp"
#include "sparse_llama/model/json_text.hpp"
#include "sparse_llama/model/safetensors_file.hpp"
#include "sparse_llama/model/tensors.hpp"

namespace wafermark::llama {
namespace {

/// On rank 0; where it fails all ranks hear of it, bad input as that.
void on_root(const Communicator& comm, const std::function<void()>& action) {
  std::string bad, problem;
  if (comm.is_root()) {
    try {
      action();
    } catch (const InputError& e) {
      bad = e.what();
    } catch (const std::exception& e) {
      problem = message_of(e);
    }
  }
  comm.throw_together(!bad.empty(), bad);
  comm.fail_together(!problem.empty(), problem);
}

}  // namespace

PrunedFolder::PrunedFolder(const Communicator& comm, std::string folder, Configuration configuration,
                           StoredType type, nlohmann::json settings)
    : comm_(comm),
      folder_(std::move(folder)),
      configuration_(configuration),
      type_(type),
      settings_(std::move(settings)) {}

PrunedFolder PrunedFolder::begin(const Communicator& comm, const std::string& folder,
                                 const WeightSource& source, StoredType type,
                                 const nlohmann::json& settings) {
  PrunedFolder pruned(comm, folder, source.configuration, type, settings);
  const std::string path = folder + "/" + unfinished_name;
  on_root(comm, [&] {
    const SafetensorsWriter file(path, source.configuration, type, SafetensorsWriter::Start::anew);
    each_place(source.configuration, [&](auto part, std::int64_t layer) {
      if constexpr (std::is_same_v<decltype(part), Matrix>)
        if (part != Matrix::embedding && part != Matrix::head) return;
      write_tensor(file, source, part, layer);
    });
    file.flush();
  });
  pruned.file_ =
      std::make_unique<SafetensorsWriter>(path, source.configuration, type, SafetensorsWriter::Start::go_on);
  return pruned;
}

PrunedFolder PrunedFolder::go_on(const Communicator& comm, const std::string& folder,
                                 const WeightSource& source, StoredType type,
                                 const nlohmann::json& settings) {
  PrunedFolder pruned(comm, folder, source.configuration, type, settings);
  const std::string record = folder + "/" + record_name, path = folder + "/" + unfinished_name;
  const nlohmann::json stored = read_object_if_there(record);
  expect_same_run(member(stored, "settings"), settings, record);
  pruned.layers_ = member(stored, "layers");
  if (!pruned.layers_.is_array() || std::int64_t(pruned.layers_.size()) > source.configuration.layers)
    throw InputError(fmt::format("{}: found layers {}, expected a list of at most {}", record,
                                 shown(pruned.layers_), source.configuration.layers));
  for (std::int64_t l = 0; l < pruned.finished_layers();
       l += std::max<std::int64_t>(1, pruned.finished_layers() - 1))
    pruned.read_layer(l);  // damage shows before anything is written
  pruned.file_ =
      std::make_unique<SafetensorsWriter>(path, source.configuration, type, SafetensorsWriter::Start::go_on);
  return pruned;
}

DenseLayer PrunedFolder::read_layer(std::int64_t layer) const {
  const SafetensorsFile file(folder_ + "/" + unfinished_name);
  const auto numbers = [&](const std::string& name, const std::vector<std::int64_t>& shape) {
    if (!file.has(name))
      throw InputError(fmt::format("{}: found no tensor {}, expected one", file.path(), name));
    return file.numbers(name, shape);
  };
  DenseWeights w = weights_without_values(configuration_);
  each_place(configuration_, [&](auto part, std::int64_t at) {
    const std::string name = tensor_name(part, at), where = fmt::format("{}: \"{}\"", file.path(), name);
    if constexpr (std::is_same_v<decltype(part), Matrix>) {
      if (at != layer || part == Matrix::embedding || part == Matrix::head) return;
      DenseMatrix& m = tensor_of(w, part, at);
      const WholeMatrix stored(where, m.rows, m.columns, numbers(name, {m.rows, m.columns}));
      m.values.resize(std::size_t(m.rows * m.columns));
      for (std::int64_t r = 0; r < m.rows; ++r) stored.row(r, 0, m.columns, m.row(r));
      stored.expect_numbers();
    } else if (at == layer && part != Vector::final_norm) {
      const std::int64_t length = length_of(configuration_, part);
      tensor_of(w, part, at) =
          read_vector(numbers(name, std::vector<std::int64_t>(1, length)), length, where);
    }
  });
  return std::move(w.layers[std::size_t(layer)]);
}

void PrunedFolder::write_rows(Matrix matrix, std::int64_t layer, std::int64_t first, const float* weights,
                              std::int64_t count) const {
  const std::int64_t columns = shape_of(configuration_, matrix).columns;
  std::string problem;
  try {
    file_->write(tensor_name(matrix, layer), first * columns, weights, count * columns);
  } catch (const std::exception& e) {
    problem = message_of(e);
  }
  comm_.fail_together(!problem.empty(), problem);
}

void PrunedFolder::write_record() const {
  write_text_file(folder_ + "/" + record_name,
                  nlohmann::json{{"settings", settings_}, {"layers", layers_}}.dump(1) + "\n");
}

void PrunedFolder::finish_layer(const nlohmann::json& entry) {
  std::string problem;
  try {
    file_->flush();
  } catch (const std::exception& e) {
    problem = message_of(e);
  }
  comm_.fail_together(!problem.empty(), problem);
  layers_.push_back(entry);
  on_root(comm_, [&] { write_record(); });
}

void PrunedFolder::finish(const std::string& made_from, const Companions& companions) {
  file_.reset();
  comm_.barrier();
  on_root(comm_, [&] {
    const nlohmann::json config =
        config_of(configuration_, made_from, type_ == StoredType::bf16 ? "bfloat16" : "float32");
    copy_companions(companions, folder_);
    put_in_place(folder_ + "/" + unfinished_name, folder_ + "/model.safetensors");
    write_text_file(folder_ + "/config.json", config.dump(2) + "\n");
    std::filesystem::remove(folder_ + "/" + record_name);
  });
}

}  // namespace wafermark::llama
