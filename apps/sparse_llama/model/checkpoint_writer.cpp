#include "sparse_llama/model/checkpoint_writer.hpp"

#include <bit>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "common/results/result.hpp"
#include "sparse_llama/model/configuration_file.hpp"
#include "sparse_llama/model/tensors.hpp"

namespace wafermark::llama {
namespace {

std::uint16_t bf16_of(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return std::uint16_t((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

/// The body of a safetensors file and its header, tensor by tensor.
class SafetensorsText {
 public:
  explicit SafetensorsText(StoredType type) : type_(type) { header_["__metadata__"] = {{"format", "pt"}}; }

  void add(const std::string& name, const std::vector<std::int64_t>& shape,
           const std::vector<float>& values) {
    const std::size_t first = body_.size();
    for (const float value : values) {
      if (type_ == StoredType::bf16)
        append(bf16_of(value));
      else
        append(value);
    }
    header_[name] = {{"dtype", type_ == StoredType::bf16 ? "BF16" : "F32"},
                     {"shape", shape},
                     {"data_offsets", {first, body_.size()}}};
  }
  void add(const std::string& name, const DenseMatrix& m) { add(name, {m.rows, m.columns}, m.values); }
  void add(const std::string& name, const std::vector<float>& v) { add(name, {std::int64_t(v.size())}, v); }

  std::string text() const {
    std::string header = header_.dump();
    header.resize((header.size() + 7) / 8 * 8, ' ');
    const auto length = std::uint64_t(header.size());
    std::string text(sizeof length, '\0');
    std::memcpy(text.data(), &length, sizeof length);  // little-endian, as all machines we build for
    return text + header + body_;
  }

 private:
  template <class T>
  void append(T value) {
    char bytes[sizeof value];
    std::memcpy(bytes, &value, sizeof value);
    body_.append(bytes, sizeof value);
  }
  StoredType type_;
  nlohmann::json header_;
  std::string body_;
};

}  // namespace

void write_checkpoint_folder(const std::string& folder, const DenseWeights& w, StoredType type,
                             const std::string& made_from, const Companions& companions) {
  SafetensorsText file(type);
  each_tensor(w, [&](const std::string& name, const auto& tensor) { file.add(name, tensor); });
  const nlohmann::json config =
      config_of(w.configuration, made_from, type == StoredType::bf16 ? "bfloat16" : "float32");
  std::filesystem::create_directories(folder);
  copy_companions(companions, folder);
  write_text_file(folder + "/model.safetensors", file.text());
  write_text_file(folder + "/config.json", config.dump(2) + "\n");
}

}  // namespace wafermark::llama
