#include "common/region_timer.hpp"

#include <algorithm>
#include <cstring>
#include <sstream>

namespace wafermark {

void RegionTimes::add(const char* name, double seconds) {
  for (Entry& e : entries_)
    if (e.name == name || std::strcmp(e.name, name) == 0) {
      e.seconds += seconds;
      ++e.calls;
      return;
    }
  entries_.push_back({name, seconds, 1});
}

std::vector<RegionTimes::Summary> RegionTimes::reduce(const Communicator& comm) const {
  std::string mine;
  for (const Entry& e : entries_) mine += std::string(e.name) + '\n';
  std::vector<std::string> names;
  const std::vector<char> all = comm.all_gather(std::vector<char>(mine.begin(), mine.end()));
  std::istringstream lines(std::string(all.begin(), all.end()));
  for (std::string name; std::getline(lines, name);)
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);

  std::vector<Summary> result;
  for (const std::string& name : names) {
    Entry mine_of_name{"", 0.0, 0};
    for (const Entry& e : entries_)
      if (name == e.name) mine_of_name = e;
    result.push_back({name, comm.max(mine_of_name.calls), comm.min(mine_of_name.seconds),
                      comm.sum(mine_of_name.seconds) / comm.size(), comm.max(mine_of_name.seconds)});
  }
  return result;
}

}  // namespace wafermark
