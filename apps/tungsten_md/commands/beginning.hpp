// Where a run begins: anew, or where an earlier piece of it stopped.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "common/communicator.hpp"
#include "tungsten_md/commands/case_record.hpp"
#include "tungsten_md/commands/output_folder.hpp"
#include "tungsten_md/model/case.hpp"

namespace wafermark::tungsten {

struct RestartOptions {
  std::string restart;  ///< "", "auto", or a checkpoint
  bool overwrite = false;
};

struct Beginning {
  std::vector<std::string> checkpoints;  ///< to go on from: the first that is whole; none: anew
  bool in_place = false;                 ///< they are OUT's own: its files are gone on with
  nlohmann::json complete_result;  ///< of OUT, when the run is complete already and nothing is to be done
};

/// Looks at OUT and at what the user asked for; changes nothing. Throws InputError when OUT holds an earlier
/// run that was not to be touched, or one of another case. Collective.
Beginning choose_beginning(const Communicator& comm, const RestartOptions& options, const Case& what,
                           const CaseRecord& record, const OutputFolder& out);

/// A checkpoint, and whether the emulated wafer wrote it.
struct FoundCheckpoint {
  std::string path;
  bool of_wafer = false;
};

/// Calls `take` with the first checkpoint that is whole and of this case, on whichever target, notes on
/// stderr what is wrong with those before it, and returns the "run" entry of its header. Throws the last
/// one's InputError when none is, and OtherCase at once. Collective.
nlohmann::json take_checkpoint(const Communicator& comm, const std::vector<std::string>& checkpoints,
                               const CaseRecord& record,
                               const std::function<void(const FoundCheckpoint&)>& take);

}  // namespace wafermark::tungsten
