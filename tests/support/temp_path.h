// Paths for what a test writes. The cases of one program may run at the same time, each in a
// process of its own, and so may two builds: a fixed name is not enough.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace brink::test {

/// `name` in the folder for temporary files, told apart by process. Removed, with what is in it,
/// when it goes out of scope.
class TempPath {
 public:
  explicit TempPath(const std::string& name)
      : path_(testing::TempDir() + "brink_" + std::to_string(::getpid()) + "_" + name) {}
  /// A file that holds `text`.
  TempPath(const std::string& name, const std::string& text) : TempPath(name) {
    std::ofstream(path_, std::ios::binary) << text;
  }
  ~TempPath() {
    std::error_code ignored;  // it may never have been made
    std::filesystem::remove_all(path_, ignored);
  }
  TempPath(const TempPath&) = delete;
  TempPath& operator=(const TempPath&) = delete;

  [[nodiscard]] const std::string& str() const { return path_; }

 private:
  std::string path_;
};

}  // namespace brink::test
