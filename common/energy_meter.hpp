// Energy of a run from whatever meter the machine has. Where there is none the energy is absent, with the
// reason: never a guess.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "common/communicator.hpp"

namespace wafermark {

struct EnergyReading {
  std::optional<double> joules;  ///< over all nodes, between start and stop
  std::string source;            ///< "cray_pm", "nvml", "rocm_smi", "rapl", "nvml+rapl" and the like,
                                 ///< "papi" or "variorum" (in the place of rapl), "slurm" or "none"
  std::string note;              ///< what the source covers, or why there is none
};

/// Where the meters are looked for; tests put trees of files there.
struct MeterPaths {
  std::string cray = "/sys/cray/pm_counters";
  std::string rapl = "/sys/class/powercap";
  std::string nvml = "libnvidia-ml.so.1";
  std::string rocm_smi = "librocm_smi64.so";
  std::string papi = "libpapi.so";
  std::string variorum = "libvariorum.so";
  std::string slurm_step;  ///< "JOB.STEP"; empty: the one that this process is of
};

/// A counter of joules that only goes up.
class EnergyCounter {
 public:
  virtual ~EnergyCounter() = default;
  virtual double joules() = 0;
  /// What it counts, in words.
  virtual std::string covers() const = 0;
};

/// Cray: /sys/cray/pm_counters/energy, the whole node, joules. Null when the file is missing.
std::unique_ptr<EnergyCounter> cray_counter(const std::string& folder, std::string& why_not);
/// RAPL through powercap: the package domains' energy_uj, wraparound at max_energy_range_uj included (read at
/// least once per wrap: minutes). Null when missing or unreadable (root only on many kernels).
std::unique_ptr<EnergyCounter> rapl_counter(const std::string& folder, std::string& why_not);
/// RAPL's packages through PAPI, loaded at run time; for where performance counters are open to a user and
/// powercap is not. Null without PAPI, without its component rapl, or where the kernel does not let it count.
std::unique_ptr<EnergyCounter> papi_counter(const std::string& library, std::string& why_not);
/// The same through Variorum, where it knows the CPU and may read its registers.
std::unique_ptr<EnergyCounter> variorum_counter(const std::string& library, std::string& why_not);
/// NVML loaded at run time: the sum of all boards' total energy. Null when there is no driver.
std::unique_ptr<EnergyCounter> nvml_counter(const std::string& library, std::string& why_not);
/// AMD's, the same way.
std::unique_ptr<EnergyCounter> rocm_smi_counter(const std::string& library, std::string& why_not);

/// One rank per node reads its node's meters; the sum is over nodes. Where no node has any, rank 0 asks Slurm
/// (slurm_energy.hpp), which counts for all of them.
class EnergyMeter {
 public:
  /// Collective. Starts counting.
  explicit EnergyMeter(const Communicator& comm, const MeterPaths& paths = {});
  ~EnergyMeter();
  /// Reads the counters so that none wraps unseen; call now and then in long runs.
  void sample();
  /// Collective. Since the construction; all nodes must have the same meter, or there is no sum.
  EnergyReading read();

 private:
  const Communicator& comm_;
  bool reads_ = false;
  std::string source_ = "none", note_;
  std::vector<std::unique_ptr<EnergyCounter>> counters_;
  double start_ = 0.0;
  double total();
};

}  // namespace wafermark
