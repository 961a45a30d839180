#include "common/hdf5_json.hpp"

#include <stdexcept>

#include "common/digest.hpp"

namespace wafermark {

using nlohmann::json;

namespace {
std::int64_t digest(const std::vector<std::uint8_t>& bytes) {
  return static_cast<std::int64_t>(Digest().add(bytes).value());
}
}  // namespace

void write_json(Hdf5File& file, const Communicator& comm, const std::string& path, const json& document) {
  const std::string text = document.dump(1, ' ', false, json::error_handler_t::replace);
  const std::vector<std::uint8_t> bytes(text.begin(), text.end());
  const std::uint64_t n = bytes.size();
  file.write(path, comm.is_root() ? bytes : std::vector<std::uint8_t>{}, {n, 0, comm.is_root() ? n : 0});
  file.set_attribute(path, "digest", digest(bytes));
}

json read_json(const Hdf5File& file, const std::string& path) {
  const auto shape = file.shape(path);
  if (shape.size() != 1) throw std::runtime_error("a damaged header");
  const auto bytes = file.read<std::uint8_t>(path, {shape[0], 0, shape[0]});
  if (digest(bytes) != file.attribute<std::int64_t>(path, "digest"))
    throw std::runtime_error("a damaged header");
  return json::parse(bytes.begin(), bytes.end());
}

}  // namespace wafermark
