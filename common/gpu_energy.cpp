// Energy of GPU boards from the makers' libraries, loaded at run time: a build needs neither.
#include <fmt/format.h>

#include <functional>
#include <utility>
#include <vector>

#include "common/energy_meter.hpp"
#include "common/loaded_library.hpp"

namespace wafermark {
namespace {

class Boards final : public EnergyCounter {
 public:
  using Joules = std::function<std::optional<double>()>;
  Boards(std::unique_ptr<LoadedLibrary> library, const char* shut_down)
      : library_(std::move(library)), shut_down_(library_->find<int()>(shut_down)) {}
  ~Boards() override {
    if (shut_down_ != nullptr) shut_down_();
  }
  /// Unless it counts nothing.
  void add(const Joules& joules) {
    if (const auto now = joules()) boards_.push_back({joules, *now});
  }
  bool empty() const { return boards_.empty(); }
  const LoadedLibrary& library() const { return *library_; }

  /// A board that does not answer counts what it counted last.
  double joules() override {
    double sum = 0.0;
    for (Board& board : boards_) sum += board.last = board.joules().value_or(board.last);
    return sum;
  }
  std::string covers() const override { return "GPU boards"; }

 private:
  struct Board {
    Joules joules;
    double last;
  };
  std::unique_ptr<LoadedLibrary> library_;
  int (*shut_down_)();
  std::vector<Board> boards_;
};

/// The boards of a library, which `add_boards` starts and asks; null, with the reason, where there is none.
std::unique_ptr<EnergyCounter> boards_of(const char* maker, const std::string& name, const char* shut_down,
                                         const std::function<void(Boards&)>& add_boards,
                                         std::string& why_not) {
  auto library = std::make_unique<LoadedLibrary>(name);
  if (!library->open()) {
    why_not = fmt::format("no {} ({})", maker, name);
    return nullptr;
  }
  auto boards = std::make_unique<Boards>(std::move(library), shut_down);
  add_boards(*boards);
  if (!boards->empty()) return boards;
  why_not = fmt::format("{} finds no board with an energy counter", maker);
  return nullptr;
}

/// nvml.h: opaque handles, millijoules, 0 is success.
void add_nvidia_boards(Boards& to) {
  using Device = void*;
  auto* init = to.library().find<int()>("nvmlInit_v2");
  auto* count = to.library().find<int(unsigned*)>("nvmlDeviceGetCount_v2");
  auto* device_of = to.library().find<int(unsigned, Device*)>("nvmlDeviceGetHandleByIndex_v2");
  auto* energy = to.library().find<int(Device, unsigned long long*)>("nvmlDeviceGetTotalEnergyConsumption");
  if (!init || !count || !device_of || !energy || init() != 0) return;
  unsigned n = 0;
  if (count(&n) != 0) return;
  for (unsigned k = 0; k < n; ++k)
    if (Device device = nullptr; device_of(k, &device) == 0)
      to.add([energy, device]() -> std::optional<double> {
        unsigned long long millijoules = 0;
        if (energy(device, &millijoules) != 0) return std::nullopt;
        return 1e-3 * double(millijoules);
      });
}

/// rocm_smi.h: devices by number, a counter and the microjoules of its step, 0 is success.
void add_amd_boards(Boards& to) {
  auto* init = to.library().find<int(std::uint64_t)>("rsmi_init");
  auto* count = to.library().find<int(std::uint32_t*)>("rsmi_num_monitor_devices");
  auto* energy = to.library().find<int(std::uint32_t, std::uint64_t*, float*, std::uint64_t*)>(
      "rsmi_dev_energy_count_get");
  if (!init || !count || !energy || init(0) != 0) return;
  std::uint32_t n = 0;
  if (count(&n) != 0) return;
  for (std::uint32_t k = 0; k < n; ++k)
    to.add([energy, k]() -> std::optional<double> {
      std::uint64_t counter = 0, nanoseconds = 0;
      float microjoules = 0;
      if (energy(k, &counter, &microjoules, &nanoseconds) != 0) return std::nullopt;
      return 1e-6 * double(microjoules) * double(counter);
    });
}

}  // namespace

std::unique_ptr<EnergyCounter> nvml_counter(const std::string& library, std::string& why_not) {
  return boards_of("NVML", library, "nvmlShutdown", add_nvidia_boards, why_not);
}

std::unique_ptr<EnergyCounter> rocm_smi_counter(const std::string& library, std::string& why_not) {
  return boards_of("ROCm SMI", library, "rsmi_shut_down", add_amd_boards, why_not);
}

}  // namespace wafermark
