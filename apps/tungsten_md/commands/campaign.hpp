// `tungsten_md campaign`: many runs of one deck, and the means of what they found. The work is done by
// jobscripts/campaign.py, which starts this program for each run.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <optional>

namespace wafermark::tungsten {

/// Puts jobscripts/campaign.py in the place of this process when the words ask for it, before MPI is started:
/// what starts ranks must not be one. Returns the exit code where that cannot be (one line on stderr), and
/// nothing when another command was asked for.
std::optional<int> hand_over_to_campaign(int argc, char** argv);

/// Lists the command in --help; where its word is not the first one, `action` refuses it.
void add_campaign_command(CLI::App& app, std::function<int()>& action);

}  // namespace wafermark::tungsten
