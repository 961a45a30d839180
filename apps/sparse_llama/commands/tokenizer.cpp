#include "sparse_llama/commands/tokenizer.hpp"

#include <fmt/format.h>

#include <memory>

#include "common/communicator.hpp"
#include "common/folder_lock.hpp"
#include "common/option_checks.hpp"
#include "sparse_llama/commands/result_folder.hpp"
#include "sparse_llama/compress/bpe_training.hpp"

namespace wafermark::llama {
namespace {

struct TokenizerOptions {
  std::string text, out;
  std::int64_t vocabulary = 512;
  bool overwrite = false;
};

int learn(const TokenizerOptions& o) {
  const Communicator comm;
  const OutputLock lock(comm, o.out, "--output");
  expect_new_file(o.out, "--output", o.overwrite, {o.text});
  if (!comm.is_root()) return 0;
  train_bpe(o.text, o.vocabulary, o.out);
  fmt::print("{}: {} pieces\n", o.out, o.vocabulary);
  return 0;
}

}  // namespace

void add_tokenizer_command(CLI::App& app, std::function<int()>& action) {
  auto* command = app.add_subcommand("tokenizer", "Learn a byte-pair tokenizer (SentencePiece) from a text");
  auto o = std::make_shared<TokenizerOptions>();
  command->add_option("text", o->text, "text file")->required()->check(not_empty("a file"));
  command->add_option("--vocabulary", o->vocabulary, "pieces")
      ->transform(whole_number_in({8, 1e6}))
      ->capture_default_str();
  command->add_option("-o,--output", o->out, "tokenizer.model to write")->required()->check(file_to_write());
  command->add_flag("--overwrite", o->overwrite, "replace the file where it is there already");
  command->callback([o, &action] { action = [o] { return learn(*o); }; });
}

}  // namespace wafermark::llama
