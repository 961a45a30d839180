// RAPL through PAPI, for users to whom the kernel shows it by performance counters and not by powercap.
#include <fmt/format.h>

#include <vector>

#include "common/energy_meter.hpp"
#include "common/loaded_library.hpp"

namespace wafermark {
namespace {

/// papi.h: 0 is success, an event set that is not there is -1.
class Papi final : public EnergyCounter {
 public:
  explicit Papi(const std::string& name) : library_(name) {}
  bool open() const { return library_.open(); }

  /// Whether PAPI starts and counts a package. Packages count in nanojoules (component rapl).
  bool count_packages() {
    auto* create = library_.find<int(int*)>("PAPI_create_eventset");
    auto* add = library_.find<int(int, const char*)>("PAPI_add_named_event");
    auto* start = library_.find<int(int)>("PAPI_start");
    read_ = library_.find<int(int, long long*)>("PAPI_read");
    if (!create || !add || !start || !read_ || !initialise() || create(&events_) != 0) return false;
    std::size_t packages = 0;
    while (add(events_, fmt::format("rapl:::PACKAGE_ENERGY:PACKAGE{}", packages).c_str()) == 0) ++packages;
    values_.resize(packages);
    return packages > 0 && start(events_) == 0;
  }

  double joules() override {
    if (read_(events_, values_.data()) == 0) {
      nanojoules_ = 0;
      for (const long long v : values_) nanojoules_ += double(v);
    }
    return 1e-9 * nanojoules_;
  }
  std::string covers() const override { return "CPU packages, without memory and boards"; }

 private:
  LoadedLibrary library_;
  int events_ = -1;
  int (*read_)(int, long long*) = nullptr;
  std::vector<long long> values_;
  double nanojoules_ = 0.0;

  /// It wants to be told its own version, major and minor in the upper bytes.
  bool initialise() const {
    auto* init = library_.find<int(int)>("PAPI_library_init");
    if (init == nullptr) return false;
    for (int major = 5; major < 10; ++major)
      for (int minor = 0; minor < 10; ++minor)
        if (const int version = major << 24 | minor << 16; init(version) == version) return true;
    return false;
  }
};

}  // namespace

std::unique_ptr<EnergyCounter> papi_counter(const std::string& library, std::string& why_not) {
  auto papi = std::make_unique<Papi>(library);
  if (papi->open() && papi->count_packages()) return papi;
  why_not = papi->open() ? "PAPI counts no energy of a package" : fmt::format("no PAPI ({})", library);
  return nullptr;
}

}  // namespace wafermark
