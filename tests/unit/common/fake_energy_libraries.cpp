// NVML and ROCm SMI as the energy meter calls them, for two boards each: the first counts FAKE_GPU_COUNT
// steps of a millijoule (NVML) or 15.25 microjoules (ROCm SMI), or fails where that is unset; the second has
// no counter. PAPI 7.1 with two packages, which count FAKE_PAPI_NANOJOULES each and do not start where that
// is unset. Variorum with two packages, whose registers show FAKE_VARIORUM_JOULES, and none where that is
// unset.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

namespace {
int counted(std::uint64_t device, std::uint64_t& counter) {
  const char* now = std::getenv("FAKE_GPU_COUNT");
  if (device != 0 || now == nullptr) return 3;
  counter = std::strtoull(now, nullptr, 10);
  return 0;
}
}  // namespace

extern "C" {
int nvmlInit_v2() { return 0; }
int nvmlShutdown() { return 0; }
int nvmlDeviceGetCount_v2(unsigned* n) {
  *n = 2;
  return 0;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned k, void** device) {
  *device = reinterpret_cast<void*>(std::uintptr_t(k));
  return 0;
}
int nvmlDeviceGetTotalEnergyConsumption(void* device, unsigned long long* millijoules) {
  std::uint64_t counter = 0;
  const int status = counted(reinterpret_cast<std::uintptr_t>(device), counter);
  *millijoules = counter;
  return status;
}
int rsmi_init(std::uint64_t) { return 0; }
int rsmi_shut_down() { return 0; }
int rsmi_num_monitor_devices(std::uint32_t* n) {
  *n = 2;
  return 0;
}
int rsmi_dev_energy_count_get(std::uint32_t device, std::uint64_t* counter, float* microjoules,
                              std::uint64_t*) {
  *microjoules = 15.25f;
  return counted(device, *counter);
}
int PAPI_library_init(int version) { return version == (7 << 24 | 1 << 16) ? version : -1; }
int PAPI_create_eventset(int* set) {
  *set = 0;
  return 0;
}
int PAPI_add_named_event(int, const char* name) {
  const std::string_view event = name;
  return event == "rapl:::PACKAGE_ENERGY:PACKAGE0" || event == "rapl:::PACKAGE_ENERGY:PACKAGE1" ? 0 : -7;
}
int PAPI_start(int) { return std::getenv("FAKE_PAPI_NANOJOULES") == nullptr ? -6 : 0; }
int variorum_get_energy_json(char** text) {
  const char* now = std::getenv("FAKE_VARIORUM_JOULES");
  const std::string joules = now == nullptr ? "" : now;
  *text = strdup(
      now == nullptr
          ? R"({"node1": {"timestamp": 1}})"
          : (R"({"node1": {"timestamp": 1, "energy_node_joules": 1e9, "socket_0": {"energy_cpu_joules": )" +
             joules + R"(, "energy_mem_joules": 5.0}, "socket_1": {"energy_cpu_joules": )" + joules + "}}}")
                .c_str());
  return 0;
}
int PAPI_read(int, long long* values) {
  values[0] = values[1] = std::atoll(std::getenv("FAKE_PAPI_NANOJOULES"));
  return 0;
}
}
