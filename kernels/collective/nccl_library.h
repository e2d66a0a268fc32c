#pragma once

#include <cstddef>
#include <string>

namespace brink::kernels {

/// NCCL, opened at run time: a machine without it measures everything else. Signatures and enumerators are those of
/// nccl.h 2.x, whose binary interface is stable.
class NcclLibrary {
 public:
  using Communicator = void*;
  static constexpr int success = 0;
  static constexpr int bfloat16 = 9;  // ncclBfloat16
  static constexpr int sum = 0;       // ncclSum

  explicit NcclLibrary(const std::string& file = "libnccl.so.2");
  ~NcclLibrary();
  NcclLibrary(const NcclLibrary&) = delete;
  NcclLibrary& operator=(const NcclLibrary&) = delete;

  bool available() const { return missing_.empty(); }
  /// Why it is not; empty if it is.
  const std::string& missing() const { return missing_; }

  /// "2.28.9"
  std::string version() const;
  /// Throws std::runtime_error with NCCL's own words if `status` is an error.
  void check(int status, const char* call) const;

  int (*comm_init_all)(Communicator* communicators, int count, const int* devices) = nullptr;
  int (*comm_destroy)(Communicator communicator) = nullptr;
  /// `stream` is a cudaStream_t.
  int (*all_reduce)(const void* from, void* to, std::size_t count, int type, int operation, Communicator communicator,
                    void* stream) = nullptr;
  int (*group_start)() = nullptr;
  int (*group_end)() = nullptr;

 private:
  template <typename Function>
  void load(Function& function, const char* name);

  const char* (*error_string_)(int) = nullptr;
  int (*get_version_)(int*) = nullptr;
  void* library_ = nullptr;
  std::string missing_;
};

/// ncclGetVersion's number in words: 22809 -> "2.28.9".
std::string nccl_version_name(int code);

/// What nccl-tests call bus bandwidth: 2 (n - 1) / n * bytes / seconds, in bytes per second.
double all_reduce_bus_bandwidth(int ranks, double bytes, double seconds);

}  // namespace brink::kernels
