#include "common/energy_meter.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "common/slurm_energy.hpp"

namespace wafermark {
namespace {

namespace fs = std::filesystem;

std::optional<double> first_number(const fs::path& file) {
  std::ifstream in(file);
  double x = 0.0;
  if (in >> x) return x;
  return std::nullopt;
}

class Cray final : public EnergyCounter {
 public:
  explicit Cray(fs::path file) : file_(std::move(file)) {}
  double joules() override { return last_ = first_number(file_).value_or(last_); }
  std::string covers() const override { return "whole nodes"; }

 private:
  fs::path file_;
  double last_ = 0.0;
};

class Rapl final : public EnergyCounter {
 public:
  struct Package {
    fs::path energy;
    double range_uj, last_uj, wrapped_uj;
  };
  explicit Rapl(std::vector<Package> packages) : packages_(std::move(packages)) {}
  double joules() override {
    double sum = 0.0;
    for (Package& p : packages_) {
      const double now = first_number(p.energy).value_or(p.last_uj);
      if (now < p.last_uj) p.wrapped_uj += p.range_uj;
      p.last_uj = now;
      sum += p.wrapped_uj + now;
    }
    return sum * 1e-6;
  }
  std::string covers() const override { return "CPU packages, without memory and boards"; }

 private:
  std::vector<Package> packages_;
};

// The few NVML entry points used, with the types of nvml.h (device handles are opaque pointers, success is
// 0).
class Nvml final : public EnergyCounter {
 public:
  Nvml(void* library, std::vector<void*> devices) : library_(library), devices_(std::move(devices)) {
    energy_ = reinterpret_cast<int (*)(void*, unsigned long long*)>(
        dlsym(library_, "nvmlDeviceGetTotalEnergyConsumption"));
  }
  ~Nvml() override {
    if (auto* shutdown = reinterpret_cast<int (*)()>(dlsym(library_, "nvmlShutdown"))) shutdown();
    dlclose(library_);
  }
  double joules() override {
    double sum = 0.0;
    for (void* device : devices_) {
      unsigned long long millijoules = 0;
      if (energy_(device, &millijoules) == 0) sum += 1e-3 * static_cast<double>(millijoules);
    }
    return sum;
  }
  std::string covers() const override { return "GPU boards"; }

 private:
  void* library_;
  std::vector<void*> devices_;
  int (*energy_)(void*, unsigned long long*);
};

}  // namespace

std::unique_ptr<EnergyCounter> cray_counter(const std::string& folder, std::string& why_not) {
  const fs::path file = fs::path(folder) / "energy";
  if (!first_number(file)) {
    why_not = fmt::format("no Cray meter ({})", file.string());
    return nullptr;
  }
  return std::make_unique<Cray>(file);
}

std::unique_ptr<EnergyCounter> rapl_counter(const std::string& folder, std::string& why_not) {
  std::error_code error;
  std::vector<Rapl::Package> packages;
  bool locked = false;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    std::string name;
    std::getline(std::ifstream(entry.path() / "name") >> std::ws, name);
    if (name.rfind("package", 0) != 0) continue;
    const auto now = first_number(entry.path() / "energy_uj");
    if (!now) {
      locked = true;
      continue;
    }
    packages.push_back({entry.path() / "energy_uj",
                        first_number(entry.path() / "max_energy_range_uj").value_or(0.0), *now, 0.0});
  }
  if (locked) {
    why_not = fmt::format("RAPL is there but not readable by this user ({}/*/energy_uj)", folder);
    return nullptr;
  }
  if (packages.empty()) {
    why_not = fmt::format("no RAPL package domain ({})", folder);
    return nullptr;
  }
  return std::make_unique<Rapl>(std::move(packages));
}

std::unique_ptr<EnergyCounter> nvml_counter(const std::string& library, std::string& why_not) {
  void* handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    why_not = fmt::format("no NVML ({})", library);
    return nullptr;
  }
  auto* init = reinterpret_cast<int (*)()>(dlsym(handle, "nvmlInit_v2"));
  auto* count = reinterpret_cast<int (*)(unsigned*)>(dlsym(handle, "nvmlDeviceGetCount_v2"));
  auto* get = reinterpret_cast<int (*)(unsigned, void**)>(dlsym(handle, "nvmlDeviceGetHandleByIndex_v2"));
  auto* energy = reinterpret_cast<int (*)(void*, unsigned long long*)>(
      dlsym(handle, "nvmlDeviceGetTotalEnergyConsumption"));
  std::vector<void*> devices;
  if (init != nullptr && count != nullptr && get != nullptr && energy != nullptr && init() == 0) {
    unsigned n = 0;
    count(&n);
    for (unsigned k = 0; k < n; ++k) {
      void* device = nullptr;
      unsigned long long millijoules = 0;
      if (get(k, &device) == 0 && energy(device, &millijoules) == 0) devices.push_back(device);
    }
  }
  if (devices.empty()) {
    dlclose(handle);
    why_not = "NVML finds no board with an energy counter";
    return nullptr;
  }
  return std::make_unique<Nvml>(handle, std::move(devices));
}

EnergyMeter::EnergyMeter(const Communicator& comm, const MeterPaths& paths) : comm_(comm) {
  reads_ = comm.on_this_node().is_root();

  std::string no_cray, no_rapl, no_nvml, no_slurm;
  if (!reads_) {
    // Another rank of this node does.
  } else if (auto cray = cray_counter(paths.cray, no_cray)) {
    counters_.push_back(std::move(cray));
    source_ = "cray_pm";
  } else {
    auto nvml = nvml_counter(paths.nvml, no_nvml);
    auto rapl = rapl_counter(paths.rapl, no_rapl);
    source_ = nvml && rapl ? "nvml+rapl" : nvml ? "nvml" : rapl ? "rapl" : "none";
    if (nvml) counters_.push_back(std::move(nvml));
    if (rapl) counters_.push_back(std::move(rapl));
  }
  if (comm_.max(counters_.empty() ? 0 : 1) == 0) {
    const std::string step = paths.slurm_step.empty() ? current_slurm_step() : paths.slurm_step;
    if (auto slurm = comm_.is_root() ? slurm_counter(step, no_slurm) : nullptr) {
      counters_.push_back(std::move(slurm));
      source_ = "slurm";
    }
    comm_.broadcast(source_);
  }
  for (const auto& counter : counters_) note_ += (note_.empty() ? "" : " and ") + counter->covers();
  if (counters_.empty()) note_ = fmt::format("{}; {}; {}; {}", no_cray, no_nvml, no_rapl, no_slurm);
  start_ = total();
}

EnergyMeter::~EnergyMeter() = default;

double EnergyMeter::total() {
  double sum = 0.0;
  for (auto& counter : counters_) sum += counter->joules();
  return sum;
}

void EnergyMeter::sample() {
  if (source_ != "slurm") total();  // which does not wrap, and is slow to ask
}

EnergyReading EnergyMeter::read() {
  // Rank 0 always reads its node, so it knows the meter that all nodes should have.
  std::string source = source_, note = note_;
  comm_.broadcast(source);
  comm_.broadcast(note);
  const bool differs = reads_ && source_ != source;
  const double joules = comm_.sum(reads_ ? total() - start_ : 0.0);
  const int nodes = comm_.sum(reads_ ? 1 : 0);
  if (comm_.max(differs ? 1 : 0) != 0) return {std::nullopt, "none", "nodes have different meters"};
  if (source == "none") return {std::nullopt, source, note};
  if (!(joules > 0.0)) return {std::nullopt, "none", fmt::format("{} did not move during the run", source)};
  return {joules, source, fmt::format("{}, {} node{}", note, nodes, nodes == 1 ? "" : "s")};
}

}  // namespace wafermark
