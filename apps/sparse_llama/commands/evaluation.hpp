// What `evaluate` asks a model: a text, or the items of a task, as sequences of tokens; and what the scores
// of these sequences say.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/results/result.hpp"
#include "sparse_llama/model/configuration.hpp"
#include "sparse_llama/model/task_file.hpp"

namespace wafermark::llama {

struct EvaluationInput {
  std::string model, text, task, tokenizer;  ///< paths; one of text and task
  Protocol protocol = Protocol::whole;
  std::int64_t window = 0;  ///< 0: as the protocol has it
};

class Evaluation {
 public:
  virtual ~Evaluation() = default;
  const std::vector<ScoredSequence>& sequences() const { return sequences_; }
  /// Tokens of the longest sequence.
  std::int64_t longest() const;
  /// Figures and the section "evaluation" of the result.
  virtual void report(const Communicator& comm, std::span<const SequenceScore> scores,
                      Result& result) const = 0;

 protected:
  std::vector<ScoredSequence> sequences_;
};

/// Reads and encodes. Throws InputError, before any work: files that are not there or damaged, tokens that
/// the model has no row for, windows beyond its context, a text that is too short. Collective.
std::unique_ptr<Evaluation> read_evaluation(const Communicator& comm, const EvaluationInput& input,
                                            const Configuration& configuration);

}  // namespace wafermark::llama
