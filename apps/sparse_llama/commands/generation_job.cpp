#include "sparse_llama/commands/generation_job.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/errors.hpp"
#include "common/memory.hpp"
#include "common/option_checks.hpp"
#include "sparse_llama/commands/model_options.hpp"
#include "sparse_llama/model/json_text.hpp"
#include "sparse_llama/model/text_lines.hpp"

namespace wafermark::llama {
namespace {

using nlohmann::json;

std::unique_ptr<Tokenizer> find_tokenizer(const PromptOptions& o, const std::string& model,
                                          const Configuration& c) {
  const std::string path = tokenizer_for(model, o.tokenizer);
  if (path.empty()) {
    if (o.prompt || o.prompt_file)
      throw InputError("a text prompt: found no tokenizer, expected --tokenizer or one beside the model");
    return nullptr;
  }
  auto tokenizer = read_tokenizer(path);
  expect_fits(*tokenizer, c.vocabulary);
  return tokenizer;
}

/// A line of a prompt file.
struct Line {
  std::string text;
  std::int64_t more;
  double arrival = 0;
};

Line line_of(const json& line, const std::string& where, std::int64_t usual) {
  if (!line.is_object())
    throw InputError(fmt::format("{}: found {}, expected an object", where, shown(line)));
  for (const auto& [key, value] : line.items())
    if (key != "prompt" && key != "tokens" && key != "arrival")
      throw InputError(
          fmt::format("{}: found the key {}, expected prompt, tokens or arrival", where, shown(key)));
  const json prompt = member(line, "prompt"), tokens = member(line, "tokens"),
             arrival = member(line, "arrival");
  if (!prompt.is_string())
    throw InputError(fmt::format("{}: prompt = {}: expected a text", where, shown(prompt)));
  if (!tokens.is_null() &&
      !(tokens.is_number_integer() && tokens.get<double>() >= 1 && tokens.get<double>() <= 1e9))
    throw InputError(
        fmt::format("{}: tokens = {}: expected a whole number from 1 to 1e9", where, shown(tokens)));
  if (!arrival.is_null() &&
      !(arrival.is_number() && arrival.get<double>() >= 0 && arrival.get<double>() <= 1e6))
    throw InputError(fmt::format("{}: arrival = {}: expected seconds from 0 to 1e6", where, shown(arrival)));
  return {prompt.get<std::string>(), tokens.is_null() ? usual : tokens.get<std::int64_t>(),
          arrival.is_null() ? 0.0 : arrival.get<double>()};
}

}  // namespace

void GenerationJob::add(std::vector<std::int32_t> tokens, std::int64_t more, double arrival,
                        std::uint64_t draws, const std::string& where, const Configuration& c) {
  if (tokens.empty())
    throw InputError(fmt::format(
        "{}: found a text without tokens, expected one (the tokenizer puts no bos before a text)", where));
  expect_rows(tokens, c.vocabulary, where);
  const auto length = std::int64_t(tokens.size());
  if (more > c.context - length)
    throw InputError(
        fmt::format("{}: {} tokens of prompt and {} more: expected at most the model's context of {}", where,
                    length, more, c.context));
  capacity = std::max(capacity, length + more);
  prompts.push_back({std::move(tokens), more, arrival, draws});
}

void GenerationJob::read_file(const Communicator& comm, const PromptOptions& o, const Configuration& c) {
  listed = true;
  const auto take = [&](const Line& line, const std::string& where) {
    if (line.text.size() > std::size_t(1) << 20)
      require_memory(comm, tokenizer->encode_bytes(line.text.size()),
                     fmt::format("{}: {} bytes to encode", where, line.text.size()));
    add(tokenizer->prompt(line.text), line.more, line.arrival, 0, where, c);
  };
  if (o.prompt_file->ends_with(".jsonl"))
    each_json_line(*o.prompt_file, [&](const json& line, std::int64_t, const std::string& where) {
      take(line_of(line, where, o.tokens), where);
    });
  else
    each_line(*o.prompt_file, [&](std::string_view line, std::int64_t, const std::string& where) {
      take({std::string(line), o.tokens}, where);
    });
}

GenerationJob::GenerationJob(const Communicator& comm, const PromptOptions& o, const std::string& model,
                             const Configuration& c)
    : tokenizer(find_tokenizer(o, model, c)) {
  settings.slots = o.sequences;
  settings.sampling = o.sampling;
  const auto copies = [&](const std::vector<std::int32_t>& tokens) {
    require_memory(comm,
                   double(o.sequences) * (double(tokens.size()) * sizeof(std::int32_t) + sizeof(Prompt)),
                   fmt::format("{} sequences of {} tokens", o.sequences, tokens.size()));
    for (std::int64_t s = 0; s < o.sequences; ++s) add(tokens, o.tokens, 0, std::uint64_t(s), source, c);
  };
  if (o.prompt_file) {
    source = "--prompt-file";
    read_file(comm, o, c);
  } else if (o.prompt) {
    source = "--prompt";
    require_memory(comm, tokenizer->encode_bytes(o.prompt->size()),
                   fmt::format("{}: {} bytes to encode", source, o.prompt->size()));
    copies(tokenizer->prompt(*o.prompt));
  } else {
    source = "--prompt-tokens, random";
    if (o.prompt_tokens > c.context)
      throw InputError(fmt::format("--prompt-tokens {}: expected at most the model's context of {}",
                                   o.prompt_tokens, c.context));
    const auto usual_bos = std::int32_t(std::min<std::int64_t>(1, c.vocabulary - 1));
    copies(made_up_prompt(tokenizer != nullptr ? tokenizer->bos() : usual_bos, o.prompt_tokens, c.vocabulary,
                          o.sampling.seed));
  }
  if (o.ignore_end) return;
  if (const std::string folder = folder_of_model(model); !folder.empty())
    settings.end_tokens = end_tokens_of(folder);
  if (settings.end_tokens.empty() && tokenizer != nullptr) settings.end_tokens = tokenizer->ends();
}

std::int64_t GenerationJob::longest_prompt() const {
  std::size_t most = 0;
  for (const Prompt& p : prompts) most = std::max(most, p.tokens.size());
  return std::int64_t(most);
}

std::int64_t GenerationJob::longest_made() const {
  std::int64_t most = 0;
  for (const Prompt& p : prompts) most = std::max(most, p.more);
  return most;
}

std::int64_t GenerationJob::asked_for() const {
  std::int64_t sum = 0;
  for (const Prompt& p : prompts) sum += p.more;
  return sum;
}

bool GenerationJob::waits() const {
  return std::int64_t(prompts.size()) > settings.slots ||
         std::any_of(prompts.begin(), prompts.end(), [](const Prompt& p) { return p.arrival > 0; });
}

json GenerationJob::section(const PromptOptions& o) const {
  return {{"prompt", source},
          {"prompt_file", o.prompt_file ? json(*o.prompt_file) : nullptr},
          {"prompts", prompts.size()},
          {"tokenizer", tokenizer != nullptr ? json(tokenizer->path()) : nullptr},
          {"tokens_asked_for", o.tokens},
          {"temperature", o.sampling.temperature},
          {"top_p", o.sampling.top_p},
          {"seed", o.sampling.seed},
          {"ignore_end", o.ignore_end},
          {"end_tokens", settings.end_tokens}};
}

void PromptOptions::add_to(CLI::App& command) {
  command.add_option("--prompt", prompt, "text to go on with");
  command
      .add_option("--prompt-file", prompt_file,
                  "prompts, a line each; of *.jsonl: {\"prompt\": TEXT, \"tokens\": N, \"arrival\": "
                  "SECONDS}, the last "
                  "two may be missing. They wait for one of --sequences slots")
      ->check(not_empty("a file"))
      ->excludes("--prompt");
  command.add_option("--prompt-tokens", prompt_tokens, "without a text: so many tokens that look random")
      ->transform(whole_number_in({1, 1e9}))
      ->excludes("--prompt")
      ->excludes("--prompt-file")
      ->capture_default_str();
  command.add_option("--tokens", tokens, "tokens to make")
      ->transform(whole_number_in({1, 1e9}))
      ->capture_default_str();
  command
      .add_option(
          "--sequences", sequences,
          "sequences that go on with the prompt together; with --prompt-file: prompts under way at once")
      ->transform(whole_number_in({1, 1e6}))
      ->capture_default_str();
  command.add_option("--tokenizer", tokenizer, "default: the one in the model's folder")
      ->check(not_empty("a file"));
  command.add_option("--temperature", sampling.temperature, "0: the most likely token")
      ->check(number_in({0, 1e6}))
      ->capture_default_str();
  command.add_option("--top-p", sampling.top_p, "nucleus: draw from the likeliest tokens that sum to this")
      ->check(number_in({0, 1}))
      ->capture_default_str();
  command.add_option("--seed", sampling.seed, "of the draws; prompts of a file draw alike")
      ->transform(whole_number_in({0, 9e15}))
      ->capture_default_str();
  command.add_flag("--ignore-end", ignore_end, "go on behind the token that ends a text");
}

}  // namespace wafermark::llama
