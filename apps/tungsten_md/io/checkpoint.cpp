#include "tungsten_md/io/checkpoint.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <limits>
#include <numeric>

#include "common/digest.hpp"
#include "common/errors.hpp"
#include "common/hdf5_file.hpp"
#include "common/hdf5_json.hpp"

namespace wafermark::tungsten {

using nlohmann::json;

namespace {

constexpr const char* format_name = "wafermark-checkpoint-2";

template <class T>
std::int64_t digest(const Communicator& comm, const std::vector<T>& mine, const Rows& rows,
                    std::uint64_t columns) {
  return static_cast<std::int64_t>(digest_of_rows(comm, mine, rows.first, columns));
}

InputError damaged(const std::string& path, const std::string& what) {
  return InputError(fmt::format("{}: found {}, expected a complete checkpoint", path, what));
}

std::vector<double> flat(const std::vector<Vec3>& vectors) {
  std::vector<double> values;
  values.reserve(3 * vectors.size());
  for (const Vec3& v : vectors) values.insert(values.end(), v.begin(), v.end());
  return values;
}

json lattice_to_json(const std::optional<Lattice>& lattice) {
  if (!lattice) return nullptr;
  return {{"kind", name_of(lattice->kind)},
          {"a", lattice->a},
          {"cells", lattice->cells},
          {"origin", lattice->origin}};
}

std::optional<Lattice> lattice_from_json(const json& j, const std::string& path) {
  if (j.is_null()) return std::nullopt;
  return Lattice{lattice_kind(j.at("kind"), path), j.at("a"), j.at("cells").get<std::array<int, 3>>(),
                 j.at("origin").get<Vec3>()};
}

/// This rank's rows: those it wrote, when the number of ranks is the same.
Rows rows_of(const Communicator& comm, const std::vector<std::uint64_t>& counts) {
  const std::uint64_t total = std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
  const auto rank = static_cast<std::uint64_t>(comm.rank()), ranks = static_cast<std::uint64_t>(comm.size());
  if (counts.size() == ranks)
    return {total, std::accumulate(counts.begin(), counts.begin() + comm.rank(), std::uint64_t{0}),
            counts[rank]};
  const std::uint64_t first = total * rank / ranks;
  return {total, first, total * (rank + 1) / ranks - first};
}

}  // namespace

void write_checkpoint(const Communicator& comm, const std::string& path, const Checkpoint& checkpoint) {
  const Configuration& c = checkpoint.configuration;
  const Rows rows = Rows::of(comm, c.atoms.size());
  Hdf5File file = Hdf5File::create(comm, path);
  json digests;
  const auto write = [&](const std::string& name, const auto& values, std::uint64_t columns) {
    file.write("/atoms/" + name, values, rows, columns);
    digests[name] = digest(comm, values, rows, std::max<std::uint64_t>(columns, 1));
  };
  write("id", c.atoms.id, 0);
  write("type", c.atoms.type, 0);
  write("x", flat(c.atoms.x), 3);
  write("v", flat(c.atoms.v), 3);
  write("x_reference", flat(checkpoint.x_reference), 3);
  const bool with_forces = comm.min(checkpoint.forces.size() == rows.count ? 1 : 0) == 1;
  if (with_forces) write("f", flat(checkpoint.forces), 3);

  const json header = {{"format", format_name},
                       {"counts", comm.all_gather(static_cast<std::int64_t>(rows.count))},
                       {"digests", digests},
                       {"rank_grid", checkpoint.rank_grid},
                       {"step", c.step},
                       {"time_ps", c.time_ps},
                       {"box", {{"lo", c.box.lo}, {"hi", c.box.hi}, {"periodic", c.box.periodic}}},
                       {"elements", c.elements},
                       {"masses_amu", c.masses},
                       {"lattice", lattice_to_json(checkpoint.lattice)},
                       {"numbers", checkpoint.numbers},
                       {"counters", checkpoint.counters},
                       {"shares", checkpoint.shares},
                       {"fields", checkpoint.fields},
                       {"deck", checkpoint.deck},
                       {"run", checkpoint.run}};
  write_json(file, comm, "/header", header);
  file.commit(previous_checkpoint(path));
}

std::string previous_checkpoint(const std::string& path) {
  const std::filesystem::path p(path);
  return (p.parent_path() / (p.stem().string() + ".previous" + p.extension().string())).string();
}

json read_checkpoint_header(const Communicator& comm, const std::string& path) {
  try {
    const Hdf5File file = Hdf5File::open(comm, path);
    if (!file.exists("/header")) throw damaged(path, "another kind of HDF5 file");
    return read_json(file, "/header");
  } catch (const InputError&) {
    throw;
  } catch (const std::exception& e) {  // of the JSON or HDF5 library
    throw damaged(path, message_of(e));
  }
}

Checkpoint read_checkpoint(const Communicator& comm, const std::string& path) {
  try {
    const Hdf5File file = Hdf5File::open(comm, path);
    if (!file.exists("/header") || !file.exists("/atoms/x_reference"))
      throw damaged(path, "another kind of HDF5 file");
    const json header = read_json(file, "/header");
    if (header.at("format") != format_name)
      throw InputError(
          fmt::format("{}: found format {}, expected {}", path, header.at("format").dump(), format_name));

    const Rows rows = rows_of(comm, header.at("counts").get<std::vector<std::uint64_t>>());
    const auto read = [&]<class T>(const std::string& name, std::uint64_t columns, T) {
      const auto values = file.read<T>("/atoms/" + name, rows, columns);
      if (digest(comm, values, rows, std::max<std::uint64_t>(columns, 1)) !=
          header.at("digests").at(name).get<std::int64_t>())
        throw damaged(path, "damaged data in /atoms/" + name);
      return values;
    };
    const auto read_vectors = [&](const std::string& name) {
      const auto values = read(name, 3, double{});
      std::vector<Vec3> vectors(rows.count);
      for (std::size_t i = 0; i < vectors.size(); ++i)
        vectors[i] = {values[3 * i], values[3 * i + 1], values[3 * i + 2]};
      return vectors;
    };

    Checkpoint checkpoint;
    Configuration& c = checkpoint.configuration;
    c.atoms.id = read("id", 0, std::int64_t{});
    c.atoms.type = read("type", 0, int{});
    c.atoms.x = read_vectors("x");
    c.atoms.v = read_vectors("v");
    checkpoint.x_reference = read_vectors("x_reference");
    if (header.at("digests").contains("f")) checkpoint.forces = read_vectors("f");

    const json& box = header.at("box");
    c.box = {box.at("lo").get<Vec3>(), box.at("hi").get<Vec3>(),
             box.at("periodic").get<std::array<bool, 3>>()};
    c.step = header.at("step");
    c.time_ps = header.at("time_ps");
    c.elements = header.at("elements").get<std::vector<std::string>>();
    c.masses = header.at("masses_amu").get<std::vector<double>>();
    checkpoint.rank_grid = header.at("rank_grid").get<std::array<int, 3>>();
    checkpoint.lattice = lattice_from_json(header.at("lattice"), path);
    for (const auto& [name, value] : header.at("numbers").items())
      checkpoint.numbers[name] =
          value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
    checkpoint.counters = header.at("counters").get<std::map<std::string, std::int64_t>>();
    if (header.contains("shares"))  // files of earlier versions have none
      checkpoint.shares = header.at("shares").get<std::map<std::string, std::vector<double>>>();
    if (header.contains("fields"))
      checkpoint.fields = header.at("fields").get<std::map<std::string, std::vector<double>>>();
    checkpoint.deck = header.at("deck");
    checkpoint.run = header.at("run");
    return checkpoint;
  } catch (const InputError&) {
    throw;
  } catch (const std::exception& e) {  // of the JSON or HDF5 library
    throw damaged(path, fmt::format("damage ({})", message_of(e)));
  }
}

}  // namespace wafermark::tungsten
