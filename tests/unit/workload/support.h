// Files to read and requests to count.
#pragma once

#include <zlib.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <unistd.h>

#include "models/base/json.h"
#include "sim/workload/workload.h"

namespace brink::workload::testing {

/// A folder that goes with the test.
class Folder {
 public:
  Folder() {
    static std::atomic<int> number{0};
    path_ = std::filesystem::temp_directory_path() /
            ("brink_workload_" + std::to_string(::getpid()) + "_" + std::to_string(number++));
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  [[nodiscard]] std::string path(const std::string& name = {}) const {
    return name.empty() ? path_.string() : (path_ / name).string();
  }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name, std::ios::binary) << text;
  }
  void write_gz(const std::string& name, const std::string& text) const {
    gzFile file = gzopen(path(name).c_str(), "wb");
    gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
    gzclose(file);
  }

 private:
  std::filesystem::path path_;
};

inline Workload make(const std::string& json, const std::string& base_dir = ".", std::uint64_t seed = 1) {
  return make_workload(parse_json(json), "/workload", base_dir, seed);
}

inline std::vector<Request> take(Workload& workload, std::size_t limit = 10'000'000) {
  std::vector<Request> requests;
  while (requests.size() < limit) {
    const auto request = workload.source->next();
    if (!request) break;
    requests.push_back(*request);
  }
  return requests;
}

inline std::vector<Request> draw(const std::string& json, const std::string& base_dir = ".", std::uint64_t seed = 1) {
  Workload workload = make(json, base_dir, seed);
  return take(workload);
}

}  // namespace brink::workload::testing
