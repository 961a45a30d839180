#include "sparse_llama/model/safetensors_writer.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <vector>

#include "common/durable_file.hpp"
#include "sparse_llama/kernels/value_types.hpp"
#include "sparse_llama/model/tensors.hpp"

namespace wafermark::llama {

SafetensorsWriter::SafetensorsWriter(std::string path, const Configuration& c, StoredType type, Start start)
    : path_(std::move(path)), type_(type) {
  nlohmann::json header;
  header["__metadata__"] = {{"format", "pt"}};
  std::int64_t end = 0;
  each_place(c, [&](auto part, std::int64_t layer) {
    std::vector<std::int64_t> shape;
    if constexpr (std::is_same_v<decltype(part), Matrix>)
      shape = {shape_of(c, part).rows, shape_of(c, part).columns};
    else
      shape.push_back(length_of(c, part));
    const std::string name = tensor_name(part, layer);
    offsets_[name] = end;
    std::int64_t bytes = type == StoredType::bf16 ? 2 : 4;
    for (const std::int64_t extent : shape) bytes *= extent;
    header[name] = {{"dtype", type == StoredType::bf16 ? "BF16" : "F32"},
                    {"shape", shape},
                    {"data_offsets", {end, end + bytes}}};
    end += bytes;
  });
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const auto length = std::uint64_t(text.size());
  const auto begin = std::int64_t(sizeof length + text.size());
  for (auto& [name, offset] : offsets_) offset += begin;
  file_ = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC | (start == Start::anew ? O_CREAT | O_TRUNC : 0), 0644);
  if (file_ < 0) fail(errno);
  if (start == Start::go_on) return;
  if (const std::string problem = reserve_room(path_, 0, begin + end); !problem.empty())
    throw std::runtime_error(fmt::format("{}: cannot be written: {}", path_, problem));
  write_bytes(reinterpret_cast<const char*>(&length), sizeof length,
              0);  // little-endian, as all machines we build for
  write_bytes(text.data(), std::int64_t(text.size()), sizeof length);
  if (::ftruncate(file_, begin + end) != 0) fail(errno);
}

SafetensorsWriter::~SafetensorsWriter() {
  if (file_ >= 0) ::close(file_);
}

void SafetensorsWriter::write(const std::string& tensor, std::int64_t first, const float* values,
                              std::int64_t count) const {
  const std::int64_t offset = offsets_.at(tensor);
  if (type_ == StoredType::fp32)
    return write_bytes(reinterpret_cast<const char*>(values), count * 4, offset + first * 4);
  std::vector<BFloat16> rounded(values, values + count);
  write_bytes(reinterpret_cast<const char*>(rounded.data()), count * 2, offset + first * 2);
}

void SafetensorsWriter::flush() const {
  if (::fsync(file_) != 0) fail(errno);
}

void SafetensorsWriter::write_bytes(const char* bytes, std::int64_t count, std::int64_t offset) const {
  while (count > 0) {
    const ssize_t n = ::pwrite(file_, bytes, std::size_t(count), offset);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(errno);
    bytes += n, count -= n, offset += n;
  }
}

void SafetensorsWriter::fail(int error) const {
  throw std::runtime_error(fmt::format("{}: cannot be written: {}", path_, std::strerror(error)));
}

}  // namespace wafermark::llama
