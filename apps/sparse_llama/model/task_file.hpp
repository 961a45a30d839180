// Tasks that are scored by log likelihoods: a context and several endings, of which a model is to think the
// right one likeliest (HellaSwag, ARC, ...), or one ending that it is to make (LAMBADA).
//
// JSON lines: {"context": "A dog", "endings": ["barks.", "flies."], "label": 0}. The label counts from 0, as
// a number or its digits; with one ending it may be missing. Other keys are not looked at. All lines of a
// file have one ending, or all have more.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sparse_llama/model/scored_text.hpp"
#include "sparse_llama/model/tokenizer.hpp"

namespace wafermark::llama {

struct TaskItem {
  std::int64_t line = 0;  ///< of the file, from 1
  std::string context;
  std::vector<std::string> endings;
  std::int64_t label = 0;
};

/// Throws InputError "FILE: line N: found ..., expected ...".
std::vector<TaskItem> read_task(const std::string& path);

/// The endings as sequences, those of an item one after the other. As in lm-evaluation-harness: a blank
/// stands between context and ending where neither has white space there; white space at the context's end
/// goes with the ending; the ending's tokens are those of both together behind the context's own.
struct TaskSequences {
  std::vector<ScoredSequence> endings;
  std::int64_t cut = 0;  ///< endings whose context lost tokens at its beginning, to fit into the window
};
/// bos stands before each text, where the tokenizer puts one. Throws InputError that names the line: an
/// ending without a token of its own, one that does not fit into `window`, a token that a model of `rows` has
/// none for, no context where nothing stands before a text.
TaskSequences sequences_of(const std::vector<TaskItem>& items, const std::string& path,
                           const Tokenizer& tokenizer, std::int64_t window, std::int64_t rows);

/// What a model chose.
struct TaskChoice {
  std::int64_t by_likelihood = 0;  ///< the ending with the largest ln p
  std::int64_t by_byte = 0;        ///< with the largest ln p per byte of the ending
};
/// `scores`: of the item's endings.
TaskChoice choice_of(const TaskItem& item, std::span<const SequenceScore> scores);

/// A share of `count` things and its standard error, sqrt(p (1 - p) / (count - 1)); NaN of one.
struct Accuracy {
  double value, standard_error;
};
Accuracy accuracy_of(std::int64_t right, std::int64_t count);

}  // namespace wafermark::llama
