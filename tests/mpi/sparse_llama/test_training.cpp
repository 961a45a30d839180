// The training loop: restart, masks, ranks, and that it learns.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <numeric>

#include "common/errors.hpp"
#include "common/rank_ring.hpp"
#include "scratch_folder.hpp"
#include "sparse_llama/compress/parameters.hpp"
#include "sparse_llama/compress/perplexity.hpp"
#include "sparse_llama/compress/pruning.hpp"
#include "sparse_llama/compress/token_stream.hpp"
#include "sparse_llama/compress/trainer.hpp"
#include "sparse_llama/model/model_reader.hpp"
#include "sparse_llama/model/weight_source.hpp"

namespace wafermark::llama {
namespace {

Configuration model() {
  Configuration c;
  c.dim = 32, c.layers = 2, c.heads = 4, c.kv_heads = 2, c.head_dim = 8, c.hidden = 48;
  c.vocabulary = 24, c.context = 32, c.tied_embeddings = true;
  return c;
}

/// A language that can be learnt: a walk over the vocabulary with period 7 in its strides.
std::vector<std::int32_t> language(std::size_t n) {
  std::vector<std::int32_t> tokens;
  std::int32_t at = 3;
  for (std::size_t i = 0; i < n; ++i) tokens.push_back(at = 2 + (at + std::int32_t(i % 7) * 3) % 22);
  return tokens;
}

TrainingSettings settings(std::int64_t steps) {
  TrainingSettings s;
  s.steps = steps, s.warmup_steps = 5, s.batch = 24, s.length = 32, s.learning_rate = 5e-3;
  return s;
}

TrainingState fresh(const Communicator& comm) {
  return start_training(comm, model(), initial_parameters(model(), 1), false);
}

/// One rank's values of an array of which each rank keeps what it owns, in the order of the parameters.
std::vector<float> whole(const Communicator& comm, const TrainingState& s, const std::vector<float>& own) {
  std::vector<float> all(s.parameters.size());
  for (const OwnedParameters::Piece& p : s.owned.pieces()) {
    std::copy_n(own.begin() + p.at, p.own.count, all.begin() + p.own.first);
    gather_shares(comm, all.data() + p.all.first, p.all.count);
  }
  return all;
}

/// Returns the losses that were reported.
std::vector<double> train(const Communicator& comm, TrainingState& state, const TrainingSettings& s,
                          std::int64_t until, std::vector<float> teacher = {}) {
  std::vector<double> losses;
  Trainer trainer(comm, s, language(4000), 1, std::move(teacher));
  trainer.run(
      state, [&](const TrainingState& now) { return now.step < until; },
      [&](const TrainingReport& r) { losses.push_back(r.loss.token); });
  return losses;
}

/// Prunes into a folder, and reads what is there in the end.
std::vector<PrunedMatrix> prune(const Communicator& comm, std::vector<float>& parameters,
                                const PruningSettings& how, const CalibrationText* text) {
  const ScratchFolder scratch;
  std::string folder = scratch.path();
  comm.broadcast(folder);
  const WeightSource source = parameter_source(model(), parameters);
  PrunedFolder out = PrunedFolder::begin(comm, folder, source, StoredType::fp32, nlohmann::json::object());
  auto report = prune(comm, source, how, text, out, [](std::int64_t) { return false; });
  out.finish("", {});
  std::vector<float> pruned = flatten(read_model(folder));
  comm.barrier();
  parameters = std::move(pruned);
  return report;
}

TEST(Training, LearnsALanguageAndAllRanksKeepTheSameModel) {
  const Communicator comm;
  TrainingState state = fresh(comm);
  const auto text = language(500);
  const double before = perplexity(comm, model(), state.parameters, text, 1, 32);
  train(comm, state, settings(60), 60);
  const double after = perplexity(comm, model(), state.parameters, text, 1, 32);
  EXPECT_GT(before, 20);
  EXPECT_LT(after, 12);
  const double sum = std::accumulate(state.parameters.begin(), state.parameters.end(), 0.0);
  EXPECT_EQ(comm.min(sum), comm.max(sum));
}

TEST(Training, ALoneRankLearnsTheSame) {
  const Communicator comm, self(MPI_COMM_SELF);
  TrainingState together = fresh(comm), alone = fresh(self);
  const auto losses = train(comm, together, settings(5), 5), own_losses = train(self, alone, settings(5), 5);
  ASSERT_EQ(losses.size(), 1u);
  EXPECT_NEAR(losses[0], own_losses[0], 1e-6 * own_losses[0]);
  double difference = 0;
  for (std::size_t i = 0; i < alone.parameters.size(); ++i)
    difference = std::max(difference, double(std::abs(alone.parameters[i] - together.parameters[i])));
  EXPECT_LT(difference, 2e-3);  // five steps of 1e-3 to 5e-3, equal but for rounding (which Adam can amplify)
}

TEST(Training, GoesOnFromAFileAsIfNeverStopped) {
  const Communicator comm;
  TrainingState straight = fresh(comm), broken = fresh(comm);
  TrainingSettings often = settings(20);
  often.report_every = 5;  // and stopped in between: what was summed until then counts
  const auto losses = train(comm, straight, often, 20);
  auto in_pieces = train(comm, broken, often, 8);
  std::string path =
      (std::filesystem::temp_directory_path() / ("llama_state_" + std::to_string(comm.size()) + ".h5"))
          .string();
  write_training_state(comm, path, broken);
  broken = read_training_state(comm, path);
  EXPECT_EQ(broken.step, 8);
  const auto later = train(comm, broken, often, 20);
  in_pieces.insert(in_pieces.end(), later.begin(), later.end());
  EXPECT_EQ(in_pieces, losses);
  EXPECT_EQ(losses.size(), 4u);
  EXPECT_EQ(broken.parameters, straight.parameters);
  EXPECT_EQ(broken.second_moment, straight.second_moment);
  comm.barrier();
  if (comm.is_root()) std::filesystem::remove(path);
}

TEST(Training, TheSameRanksGetTheSameBits) {
  const Communicator comm;
  TrainingState once = fresh(comm), again = fresh(comm);
  EXPECT_EQ(train(comm, once, settings(6), 6), train(comm, again, settings(6), 6));
  EXPECT_EQ(once.parameters, again.parameters);
  EXPECT_EQ(once.second_moment, again.second_moment);
}

TEST(Training, MomentsLieOnOneRankEach) {
  const Communicator comm;
  TrainingState state = fresh(comm);
  const auto size = std::int64_t(state.parameters.size());
  EXPECT_EQ(comm.sum(state.owned.count()), size);
  EXPECT_LE(state.owned.count(), size / comm.size() + std::int64_t(state.owned.pieces().size()));
  EXPECT_EQ(std::int64_t(state.first_moment.size()), state.owned.count());
  EXPECT_EQ(std::int64_t(state.mask.size()), state.owned.count());
}

TEST(Training, MoreThan31BitsOfParametersAreDealtOut) {
  for (const char* name : {"tinyllama-1.1b", "llama2-7b", "llama3-70b"}) {
    const Configuration c = published_configuration(name);
    const ParameterLayout layout(c);
    for (const int ranks : {1, 2, 3, 64}) {
      std::int64_t owned_by_all = 0;
      for (int r = 0; r < ranks; ++r) {
        const OwnedParameters owned(layout, r, ranks);
        EXPECT_EQ(owned.size(), layout.size);
        std::int64_t next = 0, last = -1;
        each_owned_part(layout, owned, [&](const ParameterBlock& block, Share part, std::int64_t at) {
          EXPECT_EQ(at, next) << name << " " << block.name;
          EXPECT_GT(part.first, last);
          EXPECT_LE(block.offset, part.first);
          EXPECT_LE(part.end(), block.end());
          next += part.count, last = part.end() - 1;
        });
        EXPECT_EQ(next, owned.count());
        owned_by_all += next;
      }
      EXPECT_EQ(owned_by_all, layout.size) << name << " on " << ranks;
    }
  }
  const Configuration c = published_configuration("llama2-7b");
  EXPECT_GT(ParameterLayout(c).size, std::int64_t{1} << 32);
  TrainingSettings s = settings(1);
  s.batch = 64, s.length = 64;
  const double weights = 4 * double(ParameterLayout(c).size), one = Trainer::bytes(c, s, 1),
               many = Trainer::bytes(c, s, 64);
  EXPECT_GT(one, 4.2 * weights);    // weights, gradient, two moments, mask; activations
  EXPECT_LT(many, 1.15 * weights);  // weights, and shares of the rest
}

TEST(Training, OtherRanksGoOnFromTheFile) {
  const Communicator comm, self(MPI_COMM_SELF);
  TrainingState state = fresh(comm);
  train(comm, state, settings(20), 4);
  const ScratchFolder scratch;
  std::string path = scratch.path() + "/state.h5";
  comm.broadcast(path);
  write_training_state(comm, path, state);
  TrainingState alone = read_training_state(self, path);
  EXPECT_EQ(alone.parameters, state.parameters);
  EXPECT_EQ(alone.first_moment, whole(comm, state, state.first_moment));
  EXPECT_EQ(alone.second_moment, whole(comm, state, state.second_moment));
  EXPECT_EQ(read_stored_model(comm, path).parameters, state.parameters);
  const auto losses = train(comm, state, settings(20), 20), own_losses = train(self, alone, settings(20), 20);
  ASSERT_EQ(losses.size(), own_losses.size());
  EXPECT_NEAR(losses[0], own_losses[0], 1e-4 * own_losses[0]);  // rounding, which Adam amplifies
  comm.barrier();
}

TEST(Training, PrunedWeightsStayZeroAndTheOthersMove) {
  const Communicator comm;
  TrainingState dense = fresh(comm);
  train(comm, dense, settings(20), 20);
  std::vector<float> pruned = dense.parameters;
  PruningSettings how;
  how.method = PruningMethod::magnitude;
  how.pattern.sparsity = 0.7;
  prune(comm, pruned, how, nullptr);
  TrainingState state = start_training(comm, model(), pruned, true);
  TrainingSettings s = settings(20);
  s.loss.logit = s.loss.feature = 1;
  train(comm, state, s, 20, dense.parameters);
  std::size_t moved = 0, alive = 0;
  const std::vector<float> mask = whole(comm, state, {state.mask.begin(), state.mask.end()});
  for (std::size_t i = 0; i < pruned.size(); ++i) {
    if (mask[i] == 0) {
      EXPECT_EQ(state.parameters[i], 0.0f);
    } else {
      ++alive;
      moved += state.parameters[i] != pruned[i];
    }
  }
  EXPECT_LT(alive, pruned.size() / 2);
  EXPECT_GT(moved, alive * 9 / 10);
}

TEST(Training, SaysWhatDoesNotFit) {
  const Communicator comm, self(MPI_COMM_SELF);
  EXPECT_THROW(Trainer(self, settings(5), language(10), 1), InputError);
  TrainingSettings s = settings(5);
  s.loss.logit = 1;
  EXPECT_THROW(Trainer(self, s, language(100), 1), InputError);
  EXPECT_THROW(read_training_state(comm, "/nowhere/state.h5"), InputError);
}

TEST(Training, BatchesDoNotDependOnHowTheyAreDealt) {
  const auto stream = language(300);
  const TokenBatch whole = draw_batch(stream, 1, 7, 3, 0, 4, 16),
                   part = draw_batch(stream, 1, 7, 3, 2, 2, 16);
  EXPECT_TRUE(std::equal(part.tokens.begin(), part.tokens.end(), whole.tokens.begin() + 32));
  EXPECT_EQ(whole.tokens[16], 1);
  for (std::size_t i = 17; i < 32; ++i) EXPECT_EQ(whole.tokens[i], whole.targets[i - 1]);
  EXPECT_NE(whole.targets, draw_batch(stream, 1, 7, 4, 0, 4, 16).targets);
}

TEST(Pruning, RanksPruneAsOneDoes) {
  const Communicator comm, self(MPI_COMM_SELF);
  std::vector<float> together = initial_parameters(model(), 4), alone = together;
  CalibrationText text{draw_batch(language(1000), 1, 1, 0, 0, 8, 32).tokens, 8, 32};
  PruningSettings how;
  how.pattern.sparsity = 0.6;
  how.sparsity_of = {{"down_proj", 0.25}};
  const auto report = prune(comm, together, how, &text);
  prune(self, alone, how, &text);
  for (const auto& m : report)
    EXPECT_EQ(m.zeros,
              std::llround((m.name.find("down_proj") != std::string::npos ? 0.25 : 0.6) * double(m.size)))
        << m.name;
  std::size_t differ = 0;
  for (std::size_t i = 0; i < alone.size(); ++i) differ += std::abs(together[i] - alone[i]) > 1e-4f;
  EXPECT_LT(differ, alone.size() / 200);  // sums in another order may tip a tie
  how.sparsity_of = {{"nothing", 0.25}};
  EXPECT_THROW(prune(self, alone, how, &text), InputError);
}

}  // namespace
}  // namespace wafermark::llama
