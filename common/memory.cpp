#include "common/memory.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>

namespace wafermark {
namespace {

constexpr double unlimited = std::numeric_limits<double>::infinity();

/// The number behind `key` in lines of "key value" or "key: value kB".
std::optional<double> number_after(const std::string& path, const std::string& key) {
  std::ifstream in(path);
  double value = 0.0;
  for (std::string word; in >> word;)
    if (word == key && in >> value) return value;
  return std::nullopt;
}

/// The only number of a file; none for "max" or a file that is not there.
std::optional<double> number_of(const std::string& path) {
  std::ifstream in(path);
  double value = 0.0;
  if (in >> value) return value;
  return std::nullopt;
}

/// Names of one version of the memory controller's files.
struct CgroupFiles {
  const char *mount, *limit, *used, *inactive_cache, *active_cache;
};
constexpr CgroupFiles version_1{"/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes",
                                "total_inactive_file", "total_active_file"};
constexpr CgroupFiles version_2{"/sys/fs/cgroup", "memory.max", "memory.current", "inactive_file",
                                "active_file"};

/// What the group and all groups above it leave. A container may show its own group as the mount itself, so
/// that is looked at too.
double left_by_groups(const std::string& root, const CgroupFiles& names, std::string group) {
  double left = unlimited;
  for (;; group = std::filesystem::path(group).parent_path().string()) {
    const std::string folder = root + names.mount + (group == "/" ? "" : group) + "/";
    const auto limit = number_of(folder + names.limit), used = number_of(folder + names.used);
    if (limit && used) {
      const std::string stat = folder + "memory.stat";
      const double cache = number_after(stat, names.inactive_cache).value_or(0.0) +
                           number_after(stat, names.active_cache).value_or(0.0);
      left = std::min(left, *limit - std::max(0.0, *used - cache));
    }
    if (group.empty() || group == "/") return std::max(0.0, left);
  }
}

/// Lines of /proc/self/cgroup: "4:memory:/path" (version 1), "0::/path" (version 2).
double left_by_cgroups(const std::string& root) {
  std::ifstream in(root + "/proc/self/cgroup");
  double left = unlimited;
  for (std::string line; std::getline(in, line);) {
    const auto first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = fmt::format(",{},", line.substr(first + 1, second - first - 1)),
                      group = line.substr(second + 1);
    if (controllers == ",,") left = std::min(left, left_by_groups(root, version_2, group));
    if (controllers.find(",memory,") != std::string::npos)
      left = std::min(left, left_by_groups(root, version_1, group));
  }
  return left;
}

double left_of(int resource, double used) {
  rlimit limit{};
  if (getrlimit(static_cast<__rlimit_resource_t>(resource), &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
    return unlimited;
  return std::max(0.0, static_cast<double>(limit.rlim_cur) - used);
}

}  // namespace

FreeMemory free_memory_of_node(const std::string& root) {
  const auto kilobytes = number_after(root + "/proc/meminfo", "MemAvailable:");
  const double free = kilobytes ? 1024.0 * *kilobytes : unlimited, left = left_by_cgroups(root);
  return left < free ? FreeMemory{left, "cgroup limit"} : FreeMemory{free, "free memory"};
}

FreeMemory free_memory_of_process() {
  std::ifstream in("/proc/self/statm");  // size, resident, shared, text, library, data, in pages
  double size = 0.0, skipped = 0.0, data = 0.0;
  in >> size >> skipped >> skipped >> skipped >> skipped >> data;
  const auto page = static_cast<double>(sysconf(_SC_PAGESIZE));
  const double space = left_of(RLIMIT_AS, size * page), heap = left_of(RLIMIT_DATA, data * page);
  return heap < space ? FreeMemory{heap, "limit of data segments"}
                      : FreeMemory{space, "limit of address space"};
}

std::string in_gigabytes(double bytes) { return fmt::format("{:.3g} GB", 1e-9 * bytes); }

void require_memory(const Communicator& comm, double bytes, const std::string& what) {
  const Communicator node = comm.on_this_node();
  const FreeMemory own = free_memory_of_process(), shared = free_memory_of_node();
  // Of the node's memory a rank has its part of what all of them ask for.
  const double wanted_here = node.sum(bytes);
  const double part = node.min(shared.bytes) * (wanted_here > 0.0 ? std::min(1.0, bytes / wanted_here) : 1.0);
  const bool by_node = !(own.bytes < part);
  const double available = by_node ? part : own.bytes;
  const std::string ranks = node.size() > 1 ? fmt::format(", {} ranks on the node", node.size()) : "";
  comm.throw_together(
      !(bytes <= available),
      fmt::format("{}: needs {} on a rank, {} are available ({}{})", what, in_gigabytes(bytes),
                  in_gigabytes(available), by_node ? shared.bound : own.bound, by_node ? ranks : ""));
}

}  // namespace wafermark
