#include "wse_emulator/panels.hpp"

#include <algorithm>

namespace wafermark::wse {
namespace {

using Path = std::vector<std::array<int, 2>>;

/// Row by row, to and fro.
std::optional<Path> open_path(int panels, int across, int down) {
  if (panels > static_cast<std::int64_t>(across) * down) return std::nullopt;
  Path path;
  for (int k = 0; k < panels; ++k) {
    const int row = k / across, at = k % across;
    path.push_back({row % 2 == 0 ? at : across - 1 - at, row});
  }
  return path;
}

/// A comb: the first column leads back, and two rows each are a tooth of it, to and fro.
std::optional<Path> closed_path(int panels, int across, int down) {
  if (panels % 2 != 0 || across < 2) return std::nullopt;
  for (int rows = 2; rows <= down && 2 * rows <= panels; rows += 2) {
    if (panels > static_cast<std::int64_t>(rows) * across) continue;
    const int teeth = rows / 2, in_teeth = (panels - rows) / 2;
    Path path;
    for (int tooth = 0; tooth < teeth; ++tooth) {
      const int length = in_teeth / teeth + (tooth < in_teeth % teeth ? 1 : 0);
      for (int at = 1; at <= length; ++at) path.push_back({at, 2 * tooth});
      for (int at = length; at >= 1; --at) path.push_back({at, 2 * tooth + 1});
    }
    for (int row = rows - 1; row >= 0; --row) path.push_back({0, row});
    return path;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Path> path_of_panels(int panels, int across, int down, bool ring) {
  if (panels < 1 || across < 1 || down < 1) return std::nullopt;
  if (!ring) return open_path(panels, across, down);
  if (auto path = closed_path(panels, across, down)) return path;
  auto path = closed_path(panels, down, across);
  if (path)
    for (auto& at : *path) std::swap(at[0], at[1]);
  return path;
}

}  // namespace wafermark::wse
