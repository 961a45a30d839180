// The packages' energy through LLNL's Variorum, for sites that open the registers to it alone (msr-safe).
#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>

#include "common/energy_meter.hpp"
#include "common/loaded_library.hpp"

namespace wafermark {
namespace {

class Variorum final : public EnergyCounter {
 public:
  explicit Variorum(const std::string& name)
      : library_(name), energy_(library_.find<int(char**)>("variorum_get_energy_json")) {}
  bool open() const { return library_.open(); }
  /// Whether it knows this CPU and may read its registers.
  bool counts_packages() { return read() && !packages_.empty(); }

  double joules() override {
    read();
    double sum = 0.0;
    for (const auto& [name, package] : packages_) sum += package.wrapped + package.last;
    return sum;
  }
  std::string covers() const override { return "CPU packages, without memory and boards"; }

 private:
  struct Package {
    double last = 0.0, wrapped = 0.0;
  };
  LoadedLibrary library_;
  int (*energy_)(char**);
  std::map<std::string, Package> packages_;

  /// {"HOST": {"timestamp": ..., "socket_0": {"energy_cpu_joules": ..., ...}, ...}}: the registers as they
  /// are. A register has 32 bits of 1/2^n J (Intel SDM 3B, MSR_RAPL_POWER_UNIT), so it wraps at a power of
  /// two, the one above what it last showed if that was more than half of it (read at least twice per wrap:
  /// minutes).
  bool read() {
    char* text = nullptr;
    if (energy_ == nullptr || energy_(&text) != 0 || text == nullptr) return false;
    const auto said = nlohmann::json::parse(text, nullptr, false);
    std::free(text);
    if (!said.is_object()) return false;
    for (const auto& host : said)
      if (host.is_object())
        for (const auto& [name, socket] : host.items())
          if (socket.is_object() && socket.contains("energy_cpu_joules") &&
              socket["energy_cpu_joules"].is_number())
            count(packages_[name], socket["energy_cpu_joules"].get<double>());
    return true;
  }
  static void count(Package& package, double now) {
    if (now < package.last) package.wrapped += std::exp2(std::ceil(std::log2(package.last)));
    package.last = now;
  }
};

}  // namespace

std::unique_ptr<EnergyCounter> variorum_counter(const std::string& library, std::string& why_not) {
  auto variorum = std::make_unique<Variorum>(library);
  if (variorum->open() && variorum->counts_packages()) return variorum;
  why_not =
      variorum->open() ? "Variorum counts no energy of a package" : fmt::format("no Variorum ({})", library);
  return nullptr;
}

}  // namespace wafermark
