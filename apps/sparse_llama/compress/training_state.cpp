#include "sparse_llama/compress/training_state.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "common/errors.hpp"
#include "common/hdf5_file.hpp"
#include "sparse_llama/model/configuration_file.hpp"

namespace wafermark::llama {
namespace {

constexpr const char* format_name = "wafermark-llama-training-1";
constexpr const char* sums_name = "means_since_report";

/// The integers and the reals of a configuration, in the order of its declaration.
std::vector<std::int64_t> integers_of(const Configuration& c) {
  return {c.dim,
          c.layers,
          c.heads,
          c.kv_heads,
          c.head_dim,
          c.hidden,
          c.vocabulary,
          c.context,
          c.rope_scaling.original_context,
          c.tied_embeddings,
          c.rope_scaling.linear};
}
std::vector<double> reals_of(const Configuration& c) {
  return {c.norm_epsilon, c.rope_theta, c.rope_scaling.factor, c.rope_scaling.low_frequency_factor,
          c.rope_scaling.high_frequency_factor};
}
Configuration configuration_of(const std::vector<std::int64_t>& i, const std::vector<double>& r) {
  Configuration c;
  c.dim = i.at(0), c.layers = i.at(1), c.heads = i.at(2), c.kv_heads = i.at(3), c.head_dim = i.at(4);
  c.hidden = i.at(5), c.vocabulary = i.at(6), c.context = i.at(7);
  const bool linear = i.size() > 10 && i[10] != 0;  // states from before there was another rule lack it
  c.rope_scaling = {r.at(2), r.at(3), r.at(4), i.at(8), linear};
  c.tied_embeddings = i.at(9) != 0;
  c.norm_epsilon = r.at(0);
  c.rope_theta = r.at(1);
  return c;
}

}  // namespace

TrainingState start_training(const Communicator& comm, const Configuration& configuration,
                             std::vector<float> parameters, bool keep_zeros) {
  TrainingState s;
  s.configuration = configuration;
  const ParameterLayout layout(configuration);
  s.owned = OwnedParameters(layout, comm.rank(), comm.size());
  const auto own = std::size_t(s.owned.count());
  s.first_moment.resize(own);
  s.second_moment.resize(own);
  s.mask = keep_zeros ? mask_of(layout, s.owned, parameters) : std::vector<std::uint8_t>(own, 1);
  s.parameters = std::move(parameters);
  return s;
}

std::string previous_state(const std::string& path) {
  return std::filesystem::path(path).replace_extension("previous.h5").string();
}

namespace {

/// A second name for the file that is about to be replaced: at no time is there none.
void keep_previous(const Communicator& comm, const std::string& path) {
  std::error_code error;
  if (!comm.is_root() || !std::filesystem::exists(path, error)) return;
  const std::string previous = previous_state(path);
  std::filesystem::remove(previous, error);
  std::filesystem::create_hard_link(path, previous, error);  // where that fails there is one checkpoint only
}

/// Calls act(rows, at) for each piece: the rows of the file that the rank owns, and where they begin in what
/// it keeps.
template <class Act>
void each_owned_rows(const OwnedParameters& owned, const Act& act) {
  for (const OwnedParameters::Piece& p : owned.pieces())
    act(Rows{std::uint64_t(owned.size()), std::uint64_t(p.own.first), std::uint64_t(p.own.count)}, p.at);
}

InputError damaged(const std::string& path, const std::string& what) {
  return InputError(fmt::format("{}: found {}, expected a training state", path, what));
}

/// What `read` makes of the open file; what the HDF5 library says of it in words.
template <class Read>
auto read_state_file(const Communicator& comm, const std::string& path, const Read& read) {
  try {
    const Hdf5File file = Hdf5File::open(comm, path);
    if (!file.exists("/parameters") || !file.exists("/mask"))
      throw damaged(path, "another kind of HDF5 file");
    if (file.text_attribute("/parameters", "format") != format_name) throw damaged(path, "another format");
    const Configuration c =
        configuration_of(file.attribute_list<std::int64_t>("/parameters", "configuration_integers"),
                         file.attribute_list<double>("/parameters", "configuration_reals"));
    expect_sane(c, path);
    const auto n = std::uint64_t(ParameterLayout(c).size), found = file.shape("/parameters").at(0);
    if (found != n)
      throw damaged(path, fmt::format("{} parameters where the configuration has {}", found, n));
    return read(file, c);
  } catch (const InputError&) {
    throw;
  } catch (const std::exception& e) {
    throw damaged(path, fmt::format("damage ({})", message_of(e)));
  }
}

std::vector<float> whole_parameters(const Hdf5File& file, const Configuration& c) {
  const auto n = std::uint64_t(ParameterLayout(c).size);
  return file.read<float>("/parameters", {n, 0, n});
}

template <class T>
std::vector<T> read_owned(const Hdf5File& file, const char* name, const OwnedParameters& owned) {
  std::vector<T> own(std::size_t(owned.count()));
  each_owned_rows(owned, [&](const Rows& rows, std::int64_t at) {
    const std::vector<T> part = file.read<T>(name, rows);
    std::copy(part.begin(), part.end(), own.begin() + at);
  });
  return own;
}

void read_progress(const Hdf5File& file, const std::string& path, TrainingState& s) {
  s.step = file.attribute<std::int64_t>("/parameters", "step");
  s.seconds = file.attribute<double>("/parameters", "seconds");
  if (file.has_attribute("/parameters", sums_name)) {  // states of older versions lack it
    const auto sums = file.attribute_list<double>("/parameters", sums_name);
    if (sums.size() != 6) throw damaged(path, fmt::format("{} sums since the last report", sums.size()));
    s.since_report = {std::int64_t(sums[0]), sums[1], {sums[2], sums[3], sums[4], sums[5]}};
  }
  if (!file.exists("/record")) return;
  const std::uint64_t bytes = file.shape("/record").at(0);
  const auto record = file.read<std::uint8_t>("/record", {bytes, 0, bytes});
  s.record.assign(record.begin(), record.end());
}

}  // namespace

void write_training_state(const Communicator& comm, const std::string& path, const TrainingState& state) {
  Hdf5File file = Hdf5File::create(comm, path);
  const auto write = [&]<class T>(const char* name, const std::vector<T>& values, bool whole) {
    file.make_array<T>(name, std::uint64_t(state.owned.size()), 0, true);
    each_owned_rows(state.owned, [&](const Rows& rows, std::int64_t at) {
      file.write_rows(name, values.data() + (whole ? std::int64_t(rows.first) : at), rows);
    });
  };
  write("/parameters", state.parameters, true);
  write("/first_moment", state.first_moment, false);
  write("/second_moment", state.second_moment, false);
  write("/mask", state.mask, false);
  if (!state.record.empty()) {  // rank 0 holds all of it
    const std::uint64_t n = state.record.size();
    file.write("/record", std::vector<std::uint8_t>(state.record.begin(), state.record.end()),
               Rows{n, comm.is_root() ? 0 : n, comm.is_root() ? n : 0}, 0, true);
  }
  file.set_attribute("/parameters", "format", format_name);
  file.set_attribute("/parameters", "configuration_integers", integers_of(state.configuration));
  file.set_attribute("/parameters", "configuration_reals", reals_of(state.configuration));
  file.set_attribute("/parameters", "step", state.step);
  file.set_attribute("/parameters", "seconds", state.seconds);
  const SinceReport& since = state.since_report;
  file.set_attribute("/parameters", sums_name,
                     std::vector<double>{double(since.steps), since.seconds, since.loss.token,
                                         since.loss.logit, since.loss.feature, since.loss.total});
  keep_previous(comm, path);
  file.commit();
}

TrainingState read_training_state(const Communicator& comm, const std::string& path) {
  return read_state_file(comm, path, [&](const Hdf5File& file, const Configuration& c) {
    TrainingState s;
    s.configuration = c;
    s.owned = OwnedParameters(ParameterLayout(c), comm.rank(), comm.size());
    s.parameters = whole_parameters(file, c);
    s.first_moment = read_owned<float>(file, "/first_moment", s.owned);
    s.second_moment = read_owned<float>(file, "/second_moment", s.owned);
    s.mask = read_owned<std::uint8_t>(file, "/mask", s.owned);
    read_progress(file, path, s);
    return s;
  });
}

StoredModel read_stored_model(const Communicator& comm, const std::string& path) {
  return read_state_file(comm, path, [](const Hdf5File& file, const Configuration& c) {
    return StoredModel{c, whole_parameters(file, c)};
  });
}

Configuration read_stored_configuration(const Communicator& comm, const std::string& path) {
  return read_state_file(comm, path, [](const Hdf5File&, const Configuration& c) { return c; });
}

}  // namespace wafermark::llama
