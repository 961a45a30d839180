// The options of a command that takes an analytic potential instead of a file.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "tungsten_md/model/potential_tables.hpp"

namespace wafermark::tungsten {

class ModelOptions {
 public:
  /// --model, and the constants of the one that has some. Returns the option --model.
  CLI::Option* add_to(CLI::App& command);
  bool given() const { return !model_.empty(); }
  /// Throws InputError for constants without their model or the reverse: call it even where no model is
  /// given.
  void check() const;
  /// For atom types made of `elements`. Throws InputError.
  PotentialTables make(const std::vector<std::string>& elements) const;

 private:
  std::string model_;
  LennardJones constants_;
};

}  // namespace wafermark::tungsten
