#include "kernels/collective/nccl_library.h"

#include <dlfcn.h>

#include <cstring>
#include <stdexcept>

namespace brink::kernels {

template <typename Function>
void NcclLibrary::load(Function& function, const char* name) {
  if (!missing_.empty()) return;
  void* address = dlsym(library_, name);
  if (address == nullptr) {
    missing_ = std::string("the library has no ") + name;
    return;
  }
  static_assert(sizeof(function) == sizeof(address), "POSIX: a function's address fits a void*");
  std::memcpy(&function, &address, sizeof(address));
}

NcclLibrary::NcclLibrary(const std::string& file) {
  library_ = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library_ == nullptr) {
    const char* reason = dlerror();
    missing_ = reason == nullptr ? "cannot open " + file : reason;
    return;
  }
  load(comm_init_all, "ncclCommInitAll");
  load(comm_destroy, "ncclCommDestroy");
  load(all_reduce, "ncclAllReduce");
  load(group_start, "ncclGroupStart");
  load(group_end, "ncclGroupEnd");
  load(error_string_, "ncclGetErrorString");
  load(get_version_, "ncclGetVersion");
}

NcclLibrary::~NcclLibrary() {
  if (library_ != nullptr) dlclose(library_);
}

std::string NcclLibrary::version() const {
  int code = 0;
  check(get_version_(&code), "ncclGetVersion");
  return nccl_version_name(code);
}

void NcclLibrary::check(int status, const char* call) const {
  if (status != success) throw std::runtime_error(std::string(call) + ": " + error_string_(status));
}

std::string nccl_version_name(int code) {
  // From 2.9 on the code is 10000 major + 100 minor + patch; before, 1000 major + 100 minor + patch.
  const int major_unit = code >= 10000 ? 10000 : 1000;
  return std::to_string(code / major_unit) + "." + std::to_string(code % major_unit / 100) + "." +
         std::to_string(code % 100);
}

double all_reduce_bus_bandwidth(int ranks, double bytes, double seconds) {
  return 2.0 * (ranks - 1) / ranks * bytes / seconds;
}

}  // namespace brink::kernels
