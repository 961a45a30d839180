#include "sparse_llama/model/checkpoint_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <type_traits>

#include "common/errors.hpp"
#include "sparse_llama/model/configuration_file.hpp"
#include "sparse_llama/model/json_text.hpp"
#include "sparse_llama/model/safetensors_file.hpp"
#include "sparse_llama/model/tensors.hpp"

namespace wafermark::llama {
namespace {

// nvcc takes braces in a generic lambda for something else.
std::vector<std::int64_t> shape_of(const DenseMatrix& m) { return {m.rows, m.columns}; }

namespace fs = std::filesystem;

/// The files that the folder's index names.
std::set<std::string> indexed_files(const std::string& folder, const std::string& index) {
  const nlohmann::json tree = parse_json(MappedFile(index).bytes(), index);
  const auto map = tree.is_object() ? tree.find("weight_map") : tree.end();
  if (map == tree.end() || !map->is_object())
    throw InputError(
        fmt::format("{}: found no object 'weight_map', expected the file of each tensor", index));
  std::set<std::string> paths;
  for (const auto& [tensor, file] : map->items()) {
    const std::string name = file.is_string() ? file.get<std::string>() : "";
    if (name.empty() || name.find('/') != std::string::npos || name.find('\0') != std::string::npos)
      throw InputError(fmt::format("{}: {} = {}: expected the name of a file beside it", index, shown(tensor),
                                   shown(file)));
    paths.insert(folder + "/" + name);
  }
  return paths;
}

std::set<std::string> safetensors_of(const std::string& folder) {
  const std::string index = folder + "/model.safetensors.index.json";
  std::error_code error;
  if (fs::exists(index, error)) return indexed_files(folder, index);
  std::set<std::string> paths;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
    if (entry->path().extension() == ".safetensors") paths.insert(entry->path().string());
  if (error) throw InputError(fmt::format("{}: cannot be read: {}", folder, error.message()));
  return paths;
}

/// Buffers that older writers stored beside the weights, and the second copy of tied embeddings.
bool may_be_ignored(const std::string& name, const Configuration& c) {
  return name.ends_with("rotary_emb.inv_freq") || (name == "lm_head.weight" && c.tied_embeddings);
}

}  // namespace

DenseWeights read_checkpoint_folder(const std::string& folder) {
  const Configuration c = read_configuration(folder + "/config.json");
  std::vector<SafetensorsFile> files;
  for (const std::string& path : safetensors_of(folder)) files.emplace_back(path);
  std::map<std::string, const SafetensorsFile*> holder;
  for (const SafetensorsFile& file : files)
    for (const std::string& name : file.names()) {
      const auto [other, first] = holder.emplace(name, &file);
      if (!first)
        throw InputError(fmt::format("{}: found the tensor {}, which {} has too, expected it once",
                                     file.path(), shown(name), other->second->path()));
    }

  DenseWeights w = weights_without_values(c);
  std::set<std::string> unknown;
  for (const auto& [name, file] : holder)
    if (!may_be_ignored(name, c)) unknown.insert(name);
  each_tensor(w, [&](const std::string& name, auto&) {
    if (!holder.contains(name))
      throw InputError(fmt::format("{}: found no tensor {}, expected one", folder, name));
    unknown.erase(name);
  });
  if (!unknown.empty())
    throw InputError(
        fmt::format("{}: found a tensor {}, expected those of a Llama of {} layers without biases",
                    holder.at(*unknown.begin())->path(), shown(*unknown.begin()), c.layers));

  const std::vector<std::int64_t> norm_shape{c.dim};
  each_tensor(w, [&](const std::string& name, auto& tensor) {
    const SafetensorsFile& file = *holder.at(name);
    if constexpr (std::is_same_v<std::decay_t<decltype(tensor)>, DenseMatrix>)
      tensor.values = file.read(name, shape_of(tensor));
    else
      tensor = file.read(name, norm_shape);
  });
  return w;
}

}  // namespace wafermark::llama
