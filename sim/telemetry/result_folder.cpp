// write_results(): a result folder is there as a whole or not at all.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "models/base/error.h"
#include "sim/telemetry/collector.h"

namespace brink::telemetry {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void fail(const fs::path& path, const std::string& what) {
  throw Error(path.string() + ": " + what + ": " + std::strerror(errno));
}

/// A folder that no other process uses, removed again unless kept.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(const fs::path& beside) {
    for (int attempt = 0; attempt < 1000; ++attempt) {
      path_ = beside;
      path_ += ".partial-" + std::to_string(::getpid()) + "-" + std::to_string(attempt);
      if (::mkdir(path_.c_str(), 0777) == 0) return;
      if (errno != EEXIST) break;
    }
    fail(path_, "cannot create this temporary folder");
  }
  ~TemporaryFolder() {
    if (kept_) return;
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  [[nodiscard]] const fs::path& path() const { return path_; }
  void keep() { kept_ = true; }

 private:
  fs::path path_;
  bool kept_ = false;
};

void write_whole(const fs::path& path, const std::string& content) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (file < 0) fail(path, "cannot be created");
  std::size_t written = 0;
  bool good = true;
  while (good && written < content.size()) {
    const ssize_t n = ::write(file, content.data() + written, content.size() - written);
    if (n > 0)
      written += static_cast<std::size_t>(n);
    else
      good = n < 0 && errno == EINTR;
  }
  const int write_error = errno;
  // A full disk may show only here.
  if (::close(file) != 0 && good)
    good = false;
  else if (!good)
    errno = write_error;
  if (!good) fail(path, "cannot be written");
}

void require_replaceable(const fs::path& dir) {
  std::error_code ignored;
  const fs::file_status status = fs::symlink_status(dir, ignored);
  if (!fs::exists(status)) return;
  if (!fs::is_directory(status)) throw Error(dir.string() + ": exists and is not a folder; name another place");
  if (fs::is_empty(dir, ignored) || fs::is_regular_file(dir / "summary.json", ignored)) return;
  throw Error(dir.string() +
              ": is not a result folder (it has no summary.json), so it is not replaced; "
              "name another place or remove it");
}

}  // namespace

void write_results(const std::string& dir, const std::vector<ResultFile>& files) {
  if (dir.empty()) throw Error("the result folder has no name");
  fs::path target = fs::absolute(dir).lexically_normal();
  if (!target.has_filename()) target = target.parent_path();  // "out/" means "out"
  require_replaceable(target);
  std::error_code code;
  fs::create_directories(target.parent_path(), code);
  if (code) throw Error(target.parent_path().string() + ": cannot be created: " + code.message());

  const TemporaryFolder temporary(target);
  for (const ResultFile& file : files) {
    if (file.name.empty() || file.name.find('/') != std::string::npos || file.name == "." || file.name == "..") {
      throw Error("'" + file.name + "' is not a file name");
    }
    write_whole(temporary.path() / file.name, file.content);
  }
  // A folder in place is exchanged with the new one in one step; what was there then lies at
  // the temporary name and goes with it.
  if (fs::is_directory(fs::symlink_status(target, code))) {
    if (::renameat2(AT_FDCWD, temporary.path().c_str(), AT_FDCWD, target.c_str(), RENAME_EXCHANGE) == 0) return;
    if (errno != EINVAL && errno != ENOSYS) fail(target, "cannot be replaced");
    // This file system cannot exchange: the old folder steps aside first.
    TemporaryFolder aside(target);
    if (::rename(target.c_str(), aside.path().c_str()) != 0) fail(target, "cannot be moved aside");
    if (::rename(temporary.path().c_str(), target.c_str()) == 0) return;
    const int rename_error = errno;
    if (::rename(aside.path().c_str(), target.c_str()) != 0) {
      aside.keep();
      fail(target, "cannot be restored; the old results are in " + aside.path().string());
    }
    errno = rename_error;
    fail(target, "cannot be replaced");
  }
  if (::rename(temporary.path().c_str(), target.c_str()) != 0) fail(target, "cannot be created");
}

}  // namespace brink::telemetry
