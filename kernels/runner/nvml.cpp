#include "kernels/runner/nvml.h"

#include <dlfcn.h>

#include <array>

namespace brink::kernels {
namespace {

// The few entries used, as NVML's C interface has declared them since version 2; 0 is success.
using Init = int (*)();
using HandleByPci = int (*)(const char*, void**);
using GetText = int (*)(char*, unsigned);
using GetClock = int (*)(void*, int, unsigned*);
using GetUnsigned = int (*)(void*, unsigned*);
using GetLong = int (*)(void*, unsigned long long*);
using GetSensor = int (*)(void*, int, unsigned*);

constexpr int clock_sm = 1;
constexpr int clock_memory = 2;
constexpr int sensor_gpu = 0;

template <typename Function>
Function as(void* symbol) {
  return reinterpret_cast<Function>(symbol);
}

}  // namespace

Nvml::Nvml(const std::string& pci_bus_id) { open(pci_bus_id); }

void Nvml::open(const std::string& pci_bus_id) {
  // A container may carry the library outside the loader's path.
  const std::array<const char*, 4> names = {"libnvidia-ml.so.1", "libnvidia-ml.so",
                                            "/usr/local/nvidia/lib64/libnvidia-ml.so.1",
                                            "/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1"};
  for (const char* name : names) {
    if (library_ == nullptr) library_ = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  }
  if (library_ == nullptr) {
    missing_ = "libnvidia-ml.so.1 cannot be opened";
    return;
  }
  const auto init = as<Init>(symbol("nvmlInit_v2"));
  const auto find = as<HandleByPci>(symbol("nvmlDeviceGetHandleByPciBusId_v2"));
  if (init == nullptr || find == nullptr) {
    missing_ = "libnvidia-ml.so.1 has no nvmlInit_v2";
    return;
  }
  if (const int status = init(); status != 0) {
    missing_ = "nvmlInit_v2 returned " + std::to_string(status);
    return;
  }
  if (const int status = find(pci_bus_id.c_str(), &device_); status != 0) {
    device_ = nullptr;
    missing_ = "no device " + pci_bus_id + " (status " + std::to_string(status) + ")";
  }
}

Nvml::~Nvml() {
  if (library_ == nullptr) return;
  if (const auto shutdown = as<Init>(symbol("nvmlShutdown")); shutdown != nullptr && device_ != nullptr) shutdown();
  dlclose(library_);
}

void* Nvml::symbol(const char* name) const { return library_ == nullptr ? nullptr : dlsym(library_, name); }

std::string Nvml::driver_version() const {
  std::array<char, 96> text{};
  const auto get = as<GetText>(symbol("nvmlSystemGetDriverVersion"));
  if (!available() || get == nullptr || get(text.data(), static_cast<unsigned>(text.size())) != 0) return "";
  return text.data();
}

std::optional<unsigned> Nvml::sm_clock_mhz() const {
  unsigned mhz = 0;
  const auto get = as<GetClock>(symbol("nvmlDeviceGetClockInfo"));
  if (!available() || get == nullptr || get(device_, clock_sm, &mhz) != 0) return {};
  return mhz;
}

std::optional<unsigned> Nvml::memory_clock_mhz() const {
  unsigned mhz = 0;
  const auto get = as<GetClock>(symbol("nvmlDeviceGetClockInfo"));
  if (!available() || get == nullptr || get(device_, clock_memory, &mhz) != 0) return {};
  return mhz;
}

std::optional<double> Nvml::power_w() const {
  unsigned milliwatts = 0;
  const auto get = as<GetUnsigned>(symbol("nvmlDeviceGetPowerUsage"));
  if (!available() || get == nullptr || get(device_, &milliwatts) != 0) return {};
  return milliwatts * 1e-3;
}

std::optional<double> Nvml::power_limit_w() const {
  unsigned milliwatts = 0;
  const auto get = as<GetUnsigned>(symbol("nvmlDeviceGetEnforcedPowerLimit"));
  if (!available() || get == nullptr || get(device_, &milliwatts) != 0) return {};
  return milliwatts * 1e-3;
}

std::optional<double> Nvml::energy_j() const {
  unsigned long long millijoules = 0;
  const auto get = as<GetLong>(symbol("nvmlDeviceGetTotalEnergyConsumption"));
  if (!available() || get == nullptr || get(device_, &millijoules) != 0) return {};
  return static_cast<double>(millijoules) * 1e-3;
}

std::optional<unsigned> Nvml::temperature_c() const {
  unsigned celsius = 0;
  const auto get = as<GetSensor>(symbol("nvmlDeviceGetTemperature"));
  if (!available() || get == nullptr || get(device_, sensor_gpu, &celsius) != 0) return {};
  return celsius;
}

std::uint64_t Nvml::throttle_reasons() const {
  unsigned long long reasons = 0;
  auto get = as<GetLong>(symbol("nvmlDeviceGetCurrentClocksEventReasons"));
  // Drivers before 535 know it by its old name.
  if (get == nullptr) get = as<GetLong>(symbol("nvmlDeviceGetCurrentClocksThrottleReasons"));
  if (!available() || get == nullptr || get(device_, &reasons) != 0) return 0;
  return reasons;
}

std::string throttle_names(std::uint64_t reasons) {
  struct Name {
    std::uint64_t bit;
    const char* text;
  };
  constexpr std::array<Name, 5> names = {{{throttle_sw_power_cap, "power_cap"},
                                          {throttle_hw_slowdown, "hw_slowdown"},
                                          {throttle_sw_thermal, "sw_thermal"},
                                          {throttle_hw_thermal, "hw_thermal"},
                                          {throttle_hw_power_brake, "power_brake"}}};
  std::string out;
  for (const Name& name : names) {
    if ((reasons & name.bit) != 0) out += (out.empty() ? "" : "|") + std::string(name.text);
  }
  return out;
}

}  // namespace brink::kernels
