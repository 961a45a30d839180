#include "sparse_llama/model/checkpoint_reader.hpp"

#include <fmt/format.h>

#include <map>
#include <set>
#include <type_traits>

#include "common/errors.hpp"
#include "sparse_llama/model/configuration_file.hpp"
#include "sparse_llama/model/json_text.hpp"
#include "sparse_llama/model/safetensors_file.hpp"
#include "sparse_llama/model/sparse_tensor.hpp"
#include "sparse_llama/model/tensors.hpp"
#include "sparse_llama/model/weight_files.hpp"

namespace wafermark::llama {
namespace {

// nvcc takes braces in a generic lambda for something else.
std::vector<std::int64_t> shape_of(const DenseMatrix& m) { return {m.rows, m.columns}; }

/// Buffers that older writers stored beside the weights, and the second copy of tied embeddings.
bool may_be_ignored(const std::string& name, const Configuration& c) {
  return name.ends_with("rotary_emb.inv_freq") || (name == "lm_head.weight" && c.tied_embeddings);
}

/// How tensors of quantised models and adapters are called, and what they are.
std::string meaning_of(const std::string& name) {
  constexpr std::pair<const char*, const char*> kinds[] = {
      {".qweight", "GPTQ or AWQ"},     {".weight_packed", "packed int4 or int8"},
      {".weight_scale", "quantised"},  {".quant_state", "bitsandbytes"},
      {".absmax", "bitsandbytes"},     {".SCB", "bitsandbytes int8"},
      {"lora_A", "an adapter (LoRA)"}, {"layers.0.attention.wq.weight", "Meta's own layout"}};
  for (const auto& [part, kind] : kinds)
    if (name.find(part) != std::string::npos) return fmt::format(" of {} weights", kind);
  return "";
}

using Holders = std::map<std::string, const SafetensorsFile*>;

Holders holders_of(const std::vector<SafetensorsFile>& files) {
  Holders holders;
  for (const SafetensorsFile& file : files)
    for (const std::string& name : file.names()) {
      const auto [other, first] = holders.emplace(name, &file);
      if (!first)
        throw InputError(fmt::format("{}: found the tensor {}, which {} has too, expected it once",
                                     file.path(), shown(name), other->second->path()));
    }
  return holders;
}

/// Each tensor of the model is there, and none that would be lost.
void expect_same_tensors(const std::string& folder, const DenseWeights& w, const Holders& holders,
                         const TensorHolder& holder) {
  const Configuration& c = w.configuration;
  std::set<std::string> unknown;
  for (const auto& [name, file] : holders)
    if (!may_be_ignored(name, c)) unknown.insert(name);
  std::string missing;
  each_tensor(w, [&](const std::string& name, const auto&) {
    for (const std::string& part : parts_of_sparse_tensor(holder, name)) unknown.erase(part);
    if (unknown.erase(name) == 0 && !is_sparse_tensor(holder, name) && missing.empty()) missing = name;
  });
  const std::string strange = unknown.empty() ? "" : *unknown.begin();
  for (const std::string& name : unknown)
    if (const std::string meaning = meaning_of(name); !meaning.empty())
      throw InputError(fmt::format("{}: found a tensor {}{}, expected weights as plain numbers",
                                   holders.at(name)->path(), shown(name), meaning));
  if (!missing.empty())
    throw InputError(fmt::format("{}: found no tensor {}, expected one", folder, missing));
  if (!unknown.empty())
    throw InputError(
        fmt::format("{}: found a tensor {}, expected those of a Llama of {} layers without biases",
                    holders.at(strange)->path(), shown(strange), c.layers));
}

}  // namespace

DenseWeights read_checkpoint_folder(const std::string& folder) {
  const Configuration c = read_configuration(folder + "/config.json");
  std::vector<SafetensorsFile> files;
  for (const std::string& path : weight_files_of(folder)) files.emplace_back(path);
  const Holders holders = holders_of(files);
  const TensorHolder holder = [&](const std::string& name) {
    const auto found = holders.find(name);
    return found == holders.end() ? nullptr : found->second;
  };
  DenseWeights w = weights_without_values(c);
  expect_same_tensors(folder, w, holders, holder);
  const std::vector<std::int64_t> norm_shape{c.dim};
  each_tensor(w, [&](const std::string& name, auto& tensor) {
    if constexpr (std::is_same_v<std::decay_t<decltype(tensor)>, DenseMatrix>) {
      if (is_sparse_tensor(holder, name))
        read_sparse_tensor(holder, name, tensor);
      else
        tensor.values = holders.at(name)->read(name, shape_of(tensor));
    } else {
      tensor = holders.at(name)->read(name, norm_shape);
    }
  });
  return w;
}

}  // namespace wafermark::llama
