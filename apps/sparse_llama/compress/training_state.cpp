#include "sparse_llama/compress/training_state.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "common/errors.hpp"
#include "common/hdf5_file.hpp"
#include "sparse_llama/compress/parameters.hpp"
#include "sparse_llama/model/configuration_file.hpp"

namespace wafermark::llama {
namespace {

constexpr const char* format_name = "wafermark-llama-training-1";

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

TrainingState start_training(const Configuration& configuration, std::vector<float> parameters,
                             bool keep_zeros) {
  TrainingState s;
  s.configuration = configuration;
  s.first_moment.resize(parameters.size());
  s.second_moment.resize(parameters.size());
  s.mask = keep_zeros ? mask_of(configuration, parameters) : std::vector<std::uint8_t>(parameters.size(), 1);
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

}  // namespace

void write_training_state(const Communicator& comm, const std::string& path, const TrainingState& state) {
  Hdf5File file = Hdf5File::create(comm, path);
  const auto write = [&](const char* name, const auto& values) {  // rank 0 holds all rows
    using Values = std::decay_t<decltype(values)>;
    const std::uint64_t n = values.size();
    file.write(name, comm.is_root() ? values : Values{},
               Rows{n, comm.is_root() ? 0 : n, comm.is_root() ? n : 0}, 0, true);
  };
  write("/parameters", state.parameters);
  write("/first_moment", state.first_moment);
  write("/second_moment", state.second_moment);
  write("/mask", state.mask);
  if (!state.record.empty())
    write("/record", std::vector<std::uint8_t>(state.record.begin(), state.record.end()));
  file.set_attribute("/parameters", "format", format_name);
  file.set_attribute("/parameters", "configuration_integers", integers_of(state.configuration));
  file.set_attribute("/parameters", "configuration_reals", reals_of(state.configuration));
  file.set_attribute("/parameters", "step", state.step);
  file.set_attribute("/parameters", "seconds", state.seconds);
  const SinceReport& since = state.since_report;
  file.set_attribute("/parameters", "since_report",
                     std::vector<double>{double(since.steps), since.seconds, since.loss.token,
                                         since.loss.logit, since.loss.feature, since.loss.total});
  keep_previous(comm, path);
  file.commit();
}

TrainingState read_training_state(const Communicator& comm, const std::string& path) {
  const auto damaged = [&](const std::string& what) {
    return InputError(fmt::format("{}: found {}, expected a training state", path, what));
  };
  try {
    const Hdf5File file = Hdf5File::open(comm, path);
    if (!file.exists("/parameters") || !file.exists("/mask")) throw damaged("another kind of HDF5 file");
    if (file.text_attribute("/parameters", "format") != format_name) throw damaged("another format");
    TrainingState s;
    s.configuration =
        configuration_of(file.attribute_list<std::int64_t>("/parameters", "configuration_integers"),
                         file.attribute_list<double>("/parameters", "configuration_reals"));
    expect_sane(s.configuration, path);
    const auto n = std::uint64_t(ParameterLayout(s.configuration).size);
    const Rows rows{n, 0, n};
    if (file.shape("/parameters").at(0) != n)
      throw damaged(
          fmt::format("{} parameters where the configuration has {}", file.shape("/parameters").at(0), n));
    s.parameters = file.read<float>("/parameters", rows);
    s.first_moment = file.read<float>("/first_moment", rows);
    s.second_moment = file.read<float>("/second_moment", rows);
    s.mask = file.read<std::uint8_t>("/mask", rows);
    s.step = file.attribute<std::int64_t>("/parameters", "step");
    s.seconds = file.attribute<double>("/parameters", "seconds");
    if (file.has_attribute("/parameters", "since_report")) {  // states of older versions lack it
      const auto sums = file.attribute_list<double>("/parameters", "since_report");
      if (sums.size() != 6) throw damaged(fmt::format("{} sums since the last report", sums.size()));
      s.since_report = {std::int64_t(sums[0]), sums[1], {sums[2], sums[3], sums[4], sums[5]}};
    }
    if (file.exists("/record")) {
      const std::uint64_t bytes = file.shape("/record").at(0);
      const auto record = file.read<std::uint8_t>("/record", {bytes, 0, bytes});
      s.record.assign(record.begin(), record.end());
    }
    return s;
  } catch (const InputError&) {
    throw;
  } catch (const std::exception& e) {  // of the HDF5 library
    throw damaged(fmt::format("damage ({})", message_of(e)));
  }
}

}  // namespace wafermark::llama
