// What our own programs wrote: packed weights (`convert`) and training states (`train`, `recover`, `prune`).
#include "common/errors.hpp"
#include "sparse_llama/cluster/packed_file.hpp"
#include "sparse_llama/compress/model_files.hpp"
#include "sparse_llama/compress/parameters.hpp"
#include "sparse_llama/compress/training_record.hpp"
#include "sparse_llama/compress/training_state.hpp"
#include "tests/fuzz/small_llama.hpp"
#include "tests/fuzz/target.hpp"

namespace wafermark::fuzz {
namespace {

using namespace llama;

std::vector<std::string> packed_files(const Communicator& comm, const std::string& scratch) {
  std::vector<std::string> seeds;
  for (const auto& [format, type] : {std::pair{Format::bit_mask, ValueType::int8},
                                     {Format::bit_mask, ValueType::int4},
                                     {Format::csr, ValueType::bf16}}) {
    const auto weights =
        std::make_shared<const DenseWeights>(unflatten(small_llama(), initial_parameters(small_llama(), 1)));
    const std::string path = scratch + "/seed.h5";
    write_packed(comm, path, pack_rank_weights(comm, checkpoint_source("seed", weights), format, type));
    seeds.push_back(bytes_of(path));
  }
  return seeds;
}

std::vector<std::string> states(const Communicator& comm, const std::string& scratch) {
  TrainingState state = start_training(comm, small_llama(), initial_parameters(small_llama(), 1), false);
  state.step = 3;
  TrainingRecord record;
  record.history.push_back({{"step", 3}, {"token_loss", 2.5}});
  state.record = record.text();
  const std::string path = scratch + "/state.h5";
  write_training_state(comm, path, state);
  return {bytes_of(path)};
}

/// As commands find it, and as a training run goes on from it.
void read_state(const Communicator& comm, const std::string& path) {
  if (!is_training_state(path)) throw InputError(path + ": another kind of file");
  const TrainingState state = read_training_state(comm, path);
  if (!state.record.empty()) TrainingRecord::read(state.record, path);
}

const Register packed({"packed_h5", "model.h5",
                       [](const Communicator& comm, const std::string& path) { read_packed(comm, path); },
                       packed_files});
const Register training({"training_state", "state.h5", read_state, states});

}  // namespace
}  // namespace wafermark::fuzz
