// Everything that a training run carries from step to step, and its file.
#pragma once

#include <string>
#include <vector>

#include "common/communicator.hpp"
#include "sparse_llama/compress/loss.hpp"
#include "sparse_llama/compress/parameters.hpp"
#include "sparse_llama/model/configuration.hpp"

namespace wafermark::llama {

/// Sums over the steps since the last report, of means over ranks: a report behind a restart is that of a run
/// that was never stopped, on other ranks as well.
struct SinceReport {
  std::int64_t steps = 0;
  double seconds = 0;
  Loss loss;
};

/// Parameters are whole and the same on all ranks, laid out as ParameterLayout says; of moments and mask a
/// rank keeps what it owns, in the order of OwnedParameters. The rest is the same on all ranks.
struct TrainingState {
  Configuration configuration;
  OwnedParameters owned;
  std::vector<float> parameters, first_moment, second_moment;
  std::vector<std::uint8_t> mask;  ///< 0: the weight is pruned and stays exactly zero
  std::int64_t step = 0;           ///< steps done
  double seconds = 0;              ///< spent in them, restarts included
  SinceReport since_report;
  std::string record;  ///< TrainingRecord's text
};

/// Moments zero, nothing done. The mask is that of the zeros in `parameters` when `keep_zeros`, else all
/// ones.
TrainingState start_training(const Communicator& comm, const Configuration& configuration,
                             std::vector<float> parameters, bool keep_zeros);

/// HDF5, written under a temporary name, then renamed; checksummed. Each rank writes what it owns. What was
/// there before stays beside it as previous_state(path). Collective.
void write_training_state(const Communicator& comm, const std::string& path, const TrainingState& state);
/// By as many ranks as wrote it or by others. Throws InputError when the file is damaged or of another kind.
/// Collective.
TrainingState read_training_state(const Communicator& comm, const std::string& path);

/// What the state of a training run, or of an earlier pruning, has as its model.
struct StoredModel {
  Configuration configuration;
  std::vector<float> parameters;
};
/// As read_training_state, without moments and mask.
StoredModel read_stored_model(const Communicator& comm, const std::string& path);
Configuration read_stored_configuration(const Communicator& comm, const std::string& path);

/// "DIR/state.previous.h5" for "DIR/state.h5".
std::string previous_state(const std::string& path);

}  // namespace wafermark::llama
