#include "sparse_llama/cluster/packed_file.hpp"

#include <fmt/format.h>

#include <cstring>
#include <filesystem>

#include "common/errors.hpp"
#include "common/hdf5_file.hpp"
#include "common/large_pages.hpp"
#include "sparse_llama/model/configuration_file.hpp"

namespace wafermark::llama {
namespace {

constexpr const char* version_name = "wafermark_packed_llama";
constexpr std::int64_t version = 3, part_columns = 10;

/// HDF5 knows no 2-byte floats: arrays go as 8-byte integers or as bytes.
template <class View>
using Stored = std::conditional_t<sizeof(typename View::value_type) == 8, std::int64_t, std::uint8_t>;

/// Calls visit(name, array) with the six arrays of a matrix.
template <class M, class Visit>
void each_array(M& m, const Visit& visit) {
  visit("mask", m.mask);
  visit("slice_start", m.slice_start);
  visit("column", m.column);
  visit("values", m.values);
  visit("scales", m.scales);
  visit("scale_start", m.scale_start);
}

template <class View>
void write_array(Hdf5File& file, const Communicator& comm, const std::string& path, const View& view) {
  using Element = Stored<View>;
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), view);
  std::vector<Element> mine(host.size() * sizeof(typename View::value_type) / sizeof(Element));
  if (comm.sum(std::int64_t(mine.size())) == 0) return;  // formats do without some of the arrays
  if (!mine.empty()) std::memcpy(mine.data(), host.data(), mine.size() * sizeof(Element));
  file.write(path, mine, wafermark::Rows::of(comm, mine.size()), 0, true);
}

void write_matrix(Hdf5File& file, const Communicator& comm, const std::string& path, const PackedMatrix& m) {
  file.make_group(path);
  file.set_attribute(path, "format", std::int64_t(m.format));
  file.set_attribute(path, "value", std::int64_t(m.value_type));
  std::vector<std::int64_t> part{m.rows, m.columns, m.slice, m.stored};
  each_array(m, [&](const char*, const auto& array) { part.push_back(std::int64_t(array.size())); });
  file.write(path + "/parts", part, wafermark::Rows::of(comm, 1), part_columns);
  each_array(m,
             [&](const char* name, const auto& array) { write_array(file, comm, path + "/" + name, array); });
}

/// Formats and value types are kept as numbers, names as bytes: HDF5 crashes on damaged text of variable
/// length.
std::int64_t number_below(std::int64_t end, const Hdf5File& file, const std::string& path,
                          const std::string& name) {
  const auto found = file.attribute<std::int64_t>(path, name);
  if (found < 0 || found >= end)
    throw InputError(fmt::format("{}: {}: found {}, expected 0 to {}", path, name, found, end - 1));
  return found;
}

/// No array has more than `most` elements: the file's bytes.
PackedMatrix read_matrix(const Hdf5File& file, const Communicator& comm, const std::string& path,
                         std::int64_t most) {
  const auto ranks = std::uint64_t(comm.size());
  const auto parts = file.read<std::int64_t>(path + "/parts", {ranks, 0, ranks}, part_columns);
  for (const std::int64_t size : parts)
    if (size < 0 || size > most)
      throw InputError(
          fmt::format("{}/parts: found {}, expected 0 to {}, the file's size", path, size, most));
  const auto part = [&](int rank, int column) { return parts[std::size_t(rank * part_columns + column)]; };
  PackedMatrix m;
  m.format = Format(number_below(format_rows.size(), file, path, "format"));
  m.value_type = ValueType(number_below(value_rows.size(), file, path, "value"));
  m.rows = part(comm.rank(), 0);
  m.columns = part(comm.rank(), 1);
  m.slice = part(comm.rank(), 2);
  m.stored = part(comm.rank(), 3);
  int column = 4;
  each_array(m, [&](const char* name, auto& array) {
    using View = std::decay_t<decltype(array)>;
    using Element = Stored<View>;
    constexpr std::uint64_t each = sizeof(typename View::value_type) / sizeof(Element);
    wafermark::Rows rows{0, 0, std::uint64_t(part(comm.rank(), column)) * each};
    for (int r = 0; r < comm.size(); ++r) {
      rows.total += std::uint64_t(part(r, column)) * each;
      if (r < comm.rank()) rows.first += std::uint64_t(part(r, column)) * each;
    }
    ++column;
    if (rows.total == 0) return;
    const std::vector<Element> mine = file.read<Element>(path + "/" + name, rows);
    const auto host = large_page_array<typename View::value_type>(name, std::int64_t(mine.size() / each));
    if (!mine.empty()) std::memcpy(host.data(), mine.data(), mine.size() * sizeof(Element));
    array = Kokkos::create_mirror_view_and_copy(typename View::memory_space(), host);
  });
  return m;
}

void write_norm(Hdf5File& file, const Communicator& comm, const std::string& path,
                const Kokkos::View<float*, MemSpace>& norm) {
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), norm);
  const std::vector<float> mine(host.data(), host.data() + (comm.is_root() ? host.size() : 0));
  file.write(path, mine, wafermark::Rows::of(comm, mine.size()));
}

/// Each rank's own, one after the other.
void write_biases(Hdf5File& file, const Communicator& comm, const std::string& path, const RankLayer& layer) {
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), layer.query_key_value_bias);
  const std::vector<float> mine(host.data(), host.data() + host.size());
  file.write(path, mine, wafermark::Rows::of(comm, mine.size()));
}

/// Elements `part` of a vector.
Kokkos::View<float*, MemSpace> read_vector(const Hdf5File& file, const std::string& path,
                                           const wafermark::Rows& part) {
  const std::vector<float> values = file.read<float>(path, part);
  const Kokkos::View<float*, MemSpace> vector("vector", values.size());
  const auto host = Kokkos::create_mirror_view(vector);
  std::copy(values.begin(), values.end(), host.data());
  Kokkos::deep_copy(vector, host);
  return vector;
}
Kokkos::View<float*, MemSpace> read_norm(const Hdf5File& file, const std::string& path, std::int64_t dim) {
  const auto size = std::uint64_t(dim);
  return read_vector(file, path, {size, 0, size});
}

/// Calls visit(path, matrix, rows, columns) with every matrix of the weights and its shape.
template <class Weights, class Visit>
void each_matrix(Weights& w, const Visit& visit) {
  const Configuration& c = w.configuration;
  const Shares& s = w.shares;
  const std::int64_t query = s.heads.count * c.head_dim, kv = s.kv_heads.count * c.head_dim;
  for (std::size_t l = 0; l < w.layers.size(); ++l) {
    const std::string layer = fmt::format("/layers/{}/", l);
    visit(layer + "query_key_value", w.layers[l].query_key_value, query + 2 * kv, c.dim);
    visit(layer + "attention_output", w.layers[l].attention_output, c.dim, query);
    visit(layer + "gate_up", w.layers[l].gate_up, 2 * s.hidden.count, c.dim);
    visit(layer + "down", w.layers[l].down, c.dim, s.hidden.count);
  }
  visit("/embedding", w.embedding, s.vocabulary.count, c.dim);
  if (!c.tied_embeddings) visit("/head", w.head, s.vocabulary.count, c.dim);
}

}  // namespace

void write_packed(const Communicator& comm, const std::string& path, const RankWeights& w) {
  Hdf5File file = Hdf5File::create(comm, path);
  const Configuration& c = w.configuration;
  const RopeScaling& s = c.rope_scaling;
  file.set_attribute("/", version_name, version);
  const std::vector<std::uint8_t> name(w.name.begin(), comm.is_root() ? w.name.end() : w.name.begin());
  file.write("/name", name, wafermark::Rows::of(comm, name.size()));
  file.set_attribute("/", "name_bytes", std::int64_t(w.name.size()));
  file.set_attribute("/", "ranks", std::int64_t(comm.size()));
  file.set_attribute(
      "/", "sizes",
      std::vector<std::int64_t>{c.dim, c.layers, c.heads, c.kv_heads, c.head_dim, c.hidden, c.vocabulary,
                                c.context, c.tied_embeddings ? 1 : 0, s.original_context, s.linear ? 1 : 0,
                                std::int64_t(c.architecture), c.sliding_window});
  file.set_attribute("/", "constants",
                     std::vector<double>{c.norm_epsilon, c.rope_theta, s.factor, s.low_frequency_factor,
                                         s.high_frequency_factor});
  each_matrix(w, [&](const std::string& at, const PackedMatrix& m, std::int64_t, std::int64_t) {
    write_matrix(file, comm, at, m);
  });
  for (std::size_t l = 0; l < w.layers.size(); ++l) {
    write_norm(file, comm, fmt::format("/layers/{}/attention_norm", l), w.layers[l].attention_norm);
    write_norm(file, comm, fmt::format("/layers/{}/feed_forward_norm", l), w.layers[l].feed_forward_norm);
    if (c.has_biases()) write_biases(file, comm, fmt::format("/layers/{}/biases", l), w.layers[l]);
    if (!c.has_head_norms()) continue;
    write_norm(file, comm, fmt::format("/layers/{}/query_norm", l), w.layers[l].query_norm);
    write_norm(file, comm, fmt::format("/layers/{}/key_norm", l), w.layers[l].key_norm);
  }
  write_norm(file, comm, "/final_norm", w.final_norm);
  file.commit();
}

RankWeights read_packed(const Communicator& comm, const std::string& path) {
  const Hdf5File file = Hdf5File::open(comm, path);
  if (file.attribute<std::int64_t>("/", version_name) != version)
    throw InputError(fmt::format("{}: found version {} of packed weights, expected {}", path,
                                 file.attribute<std::int64_t>("/", version_name), version));
  const auto ranks = file.attribute<std::int64_t>("/", "ranks");
  if (ranks != comm.size())
    throw InputError(
        fmt::format("{}: found weights packed for {} ranks, expected {}: convert on as many ranks", path,
                    ranks, comm.size()));
  const auto sizes = file.attribute_list<std::int64_t>("/", "sizes");
  const auto constants = file.attribute_list<double>("/", "constants");
  if (sizes.size() != 13 || constants.size() != 5)
    throw InputError(fmt::format("{}: found {} sizes and {} constants, expected 13 and 5", path, sizes.size(),
                                 constants.size()));
  Configuration c{sizes[0],
                  sizes[1],
                  sizes[2],
                  sizes[3],
                  sizes[4],
                  sizes[5],
                  sizes[6],
                  sizes[7],
                  constants[0],
                  constants[1],
                  {constants[2], constants[3], constants[4], sizes[9], sizes[10] != 0},
                  sizes[8] != 0,
                  Architecture::llama,
                  sizes[12]};
  if (sizes[11] < 0 || sizes[11] >= std::int64_t(architecture_rows.size()) || c.sliding_window < 0)
    throw InputError(
        fmt::format("{}: found architecture {} and a window of {}, expected 0 to {} and 0 or more", path,
                    sizes[11], sizes[12], architecture_rows.size() - 1));
  c.architecture = Architecture(sizes[11]);
  expect_sane(c, path);
  expect_ranks_fit(c, comm.size(), path);
  const auto most = std::int64_t(std::filesystem::file_size(path));
  const auto bytes = std::uint64_t(number_below(most, file, "/", "name_bytes"));
  const auto name = file.read<std::uint8_t>("/name", {bytes, 0, bytes});
  RankWeights w{{name.begin(), name.end()}, c, Shares(c, comm.rank(), comm.size()), {}, {}, {}, {}};
  w.layers.resize(std::size_t(c.layers));
  each_matrix(w, [&](const std::string& at, PackedMatrix& m, std::int64_t rows, std::int64_t columns) {
    m = read_matrix(file, comm, at, most);
    std::string damage;
    try {
      expect_consistent(m, rows, columns, path + ": " + at);
    } catch (const InputError& e) {
      damage = e.what();
    }
    comm.throw_together(!damage.empty(), damage);
  });
  for (std::size_t l = 0; l < w.layers.size(); ++l) {
    w.layers[l].attention_norm = read_norm(file, fmt::format("/layers/{}/attention_norm", l), c.dim);
    w.layers[l].feed_forward_norm = read_norm(file, fmt::format("/layers/{}/feed_forward_norm", l), c.dim);
    if (c.has_biases())
      w.layers[l].query_key_value_bias =
          read_vector(file, fmt::format("/layers/{}/biases", l),
                      wafermark::Rows::of(comm, std::size_t(w.layers[l].query_key_value.rows)));
    if (!c.has_head_norms()) continue;
    w.layers[l].query_norm = read_norm(file, fmt::format("/layers/{}/query_norm", l), c.head_dim);
    w.layers[l].key_norm = read_norm(file, fmt::format("/layers/{}/key_norm", l), c.head_dim);
  }
  w.final_norm = read_norm(file, "/final_norm", c.dim);
  return w;
}

}  // namespace wafermark::llama
