#include "sparse_llama/model/checkpoint_reader.hpp"

#include <fmt/format.h>

#include <map>
#include <set>
#include <type_traits>

#include "common/errors.hpp"
#include "sparse_llama/model/bitmask_matrix.hpp"
#include "sparse_llama/model/configuration_file.hpp"
#include "sparse_llama/model/json_text.hpp"
#include "sparse_llama/model/safetensors_file.hpp"
#include "sparse_llama/model/tensors.hpp"
#include "sparse_llama/model/weight_files.hpp"

namespace wafermark::llama {
namespace {

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

void add_names(const SafetensorsFile& file, Holders& holders) {
  for (const std::string& name : file.names()) {
    const auto [other, first] = holders.emplace(name, &file);
    if (!first)
      throw InputError(fmt::format("{}: found the tensor {}, which {} has too, expected it once", file.path(),
                                   shown(name), other->second->path()));
  }
}

/// Each tensor of the model is there, and none that would be lost.
void expect_same_tensors(const std::string& folder, const Configuration& c, const Holders& holders,
                         const TensorHolder& holder) {
  std::set<std::string> unknown;
  for (const auto& [name, file] : holders)
    if (!may_be_ignored(name, c)) unknown.insert(name);
  std::string missing;
  each_place(c, [&](auto part, std::int64_t layer) {
    const std::string name = tensor_name(part, layer);
    for (const std::string& piece : parts_of_bitmask_matrix(holder, name)) unknown.erase(piece);
    if (unknown.erase(name) == 0 && !is_bitmask_matrix(holder, name) && missing.empty()) missing = name;
  });
  const std::string strange = unknown.empty() ? "" : *unknown.begin();
  for (const std::string& name : unknown)
    if (const std::string meaning = meaning_of(name); !meaning.empty())
      throw InputError(fmt::format("{}: found a tensor {}{}, expected weights as plain numbers",
                                   holders.at(name)->path(), shown(name), meaning));
  if (!missing.empty())
    throw InputError(fmt::format("{}: found no tensor {}, expected one", folder, missing));
  if (!unknown.empty())
    throw InputError(fmt::format("{}: found a tensor {}, expected those of a {} model of {} layers",
                                 holders.at(strange)->path(), shown(strange),
                                 row_of(c.architecture).model_type, c.layers));
}

}  // namespace

FileModel open_checkpoint_folder(const std::string& folder) {
  FileModel model;
  model.name = folder;
  const Configuration c = model.configuration = read_configuration(folder + "/config.json");
  Holders holders;
  for (const std::string& path : weight_files_of(folder)) {
    const auto file = std::make_shared<const SafetensorsFile>(path);
    add_names(*file, holders);
    model.files.push_back(file);
  }
  const TensorHolder holder = [&](const std::string& name) {
    const auto found = holders.find(name);
    return found == holders.end() ? nullptr : found->second;
  };
  expect_same_tensors(folder, c, holders, holder);
  model.bf16 = true;
  each_place(c, [&](auto part, std::int64_t layer) {
    const std::string name = tensor_name(part, layer);
    const auto where = [&] { return fmt::format("{}: \"{}\"", holders.at(name)->path(), name); };
    const auto numbers = [&](const std::vector<std::int64_t>& shape) {
      const StoredNumbers found = holders.at(name)->numbers(name, shape);
      model.bf16 = model.bf16 && found.type == NumberType::bf16;
      return found;
    };
    if constexpr (std::is_same_v<decltype(part), Vector>) {
      const std::int64_t length = length_of(c, part);
      model.vectors[{part, layer}] =
          read_vector(numbers(std::vector<std::int64_t>(1, length)), length, where());
    } else {
      const auto [rows, columns] = shape_of(c, part);
      const std::vector<std::int64_t> shape{rows, columns};
      if (is_bitmask_matrix(holder, name)) {
        model.matrices[{part, layer}].matrix = bitmask_matrix(holder, name, rows, columns);
        model.bf16 = false;
      } else {
        model.matrices[{part, layer}].matrix =
            std::make_unique<WholeMatrix>(where(), rows, columns, numbers(shape));
      }
    }
  });
  return model;
}

}  // namespace wafermark::llama
