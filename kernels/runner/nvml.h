#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace brink::kernels {

/// The management library, opened at run time: a machine without it still measures, with a note.
/// Reads only; nothing here changes a setting.
class Nvml {
 public:
  /// `pci_bus_id` as cudaDeviceGetPCIBusId writes it.
  explicit Nvml(const std::string& pci_bus_id);
  ~Nvml();
  Nvml(const Nvml&) = delete;
  Nvml& operator=(const Nvml&) = delete;

  bool available() const { return device_ != nullptr; }
  /// Why it is not available; empty if it is.
  const std::string& missing() const { return missing_; }

  std::string driver_version() const;
  std::optional<unsigned> sm_clock_mhz() const;
  std::optional<unsigned> memory_clock_mhz() const;
  std::optional<double> power_w() const;
  std::optional<double> power_limit_w() const;
  std::optional<double> energy_j() const;  ///< since the driver was loaded
  std::optional<unsigned> temperature_c() const;
  /// Bits of throttle_* below; 0 when it cannot be read.
  std::uint64_t throttle_reasons() const;

 private:
  void* symbol(const char* name) const;
  void open(const std::string& pci_bus_id);

  void* library_ = nullptr;
  void* device_ = nullptr;
  std::string missing_;
};

// Values of NVML's nvmlClocksEventReason* (nvml.h of driver 580).
inline constexpr std::uint64_t throttle_sw_power_cap = 0x4;
inline constexpr std::uint64_t throttle_hw_slowdown = 0x8;
inline constexpr std::uint64_t throttle_sw_thermal = 0x20;
inline constexpr std::uint64_t throttle_hw_thermal = 0x40;
inline constexpr std::uint64_t throttle_hw_power_brake = 0x80;

/// Reasons under which a sample says nothing of the GPU as it normally runs. The power cap is not
/// among them: long matrix products run under it in service too, so those samples are kept and marked.
inline constexpr std::uint64_t throttle_discard =
    throttle_hw_slowdown | throttle_sw_thermal | throttle_hw_thermal | throttle_hw_power_brake;
inline constexpr std::uint64_t throttle_any = throttle_discard | throttle_sw_power_cap;

/// "power_cap|sw_thermal": the reasons by name, "" for none.
std::string throttle_names(std::uint64_t reasons);

}  // namespace brink::kernels
