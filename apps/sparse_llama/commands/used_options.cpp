#include "sparse_llama/commands/used_options.hpp"

namespace wafermark::llama {

nlohmann::json used_options(const CLI::App& command) {
  nlohmann::json used = nlohmann::json::object();
  for (const CLI::Option* option : command.get_options()) {
    const std::string name = option->get_name();
    if (name.find("help") != std::string::npos) continue;
    const bool flag = option->get_items_expected_max() == 0, list = option->get_items_expected_max() > 1;
    if (option->count() == 0)
      used[name] = flag                                ? nlohmann::json(false)
                   : option->get_default_str().empty() ? nlohmann::json()
                                                       : nlohmann::json(option->get_default_str());
    else if (flag)
      used[name] = true;
    else if (list)
      used[name] = option->results();
    else
      used[name] = option->results().back();
  }
  return used;
}

}  // namespace wafermark::llama
