#include "kernels/runner/ledger.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "kernels/runner/json.h"

namespace brink::kernels {
namespace {

std::string id_of(std::string_view group, std::string_view key) {
  std::string id(group);
  id += '/';
  id += key;
  return id;
}

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw std::runtime_error("results file " + path + ": " + what);
}

}  // namespace

Ledger::Ledger(const std::string& path, bool resume, long forget_failed_bytes) : path_(path) {
  read(path, forget_failed_bytes);
  if (!resume && bytes_ > 0) fail(path, "it holds results already; add --resume or name another file");
  file_ = std::fopen(path.c_str(), "ab");
  if (file_ == nullptr) fail(path, std::strerror(errno));
}

Ledger::~Ledger() {
  if (file_ != nullptr) std::fclose(file_);
}

void Ledger::read(const std::string& path, long forget_failed_bytes) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return;
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  std::size_t good = 0;  // bytes of whole lines
  while (good < text.size()) {
    const std::size_t end = text.find('\n', good);
    if (end == std::string::npos) break;
    const std::string_view line(text.data() + good, end - good);
    const bool forgotten = static_cast<long>(good) < forget_failed_bytes;
    good = end + 1;
    if (!json_line_complete(line)) continue;  // torn by an earlier kill, then appended to
    const std::string kind = json_string_field(line, "kind");
    if (kind == "header") previous_gpu_ = json_string_field(line, "gpu");
    if (kind == "point" || kind == "skipped" || (kind == "failed" && !forgotten)) {
      done_.insert(id_of(json_string_field(line, "group"), json_string_field(line, "key")));
    }
  }
  bytes_ = static_cast<long>(good);
  if (good < text.size() && truncate(path.c_str(), static_cast<off_t>(good)) != 0) fail(path, std::strerror(errno));
}

bool Ledger::holds(std::string_view group, std::string_view key) const { return done_.count(id_of(group, key)) > 0; }

void Ledger::append(const std::string& line) {
  const std::string text = line + "\n";
  const long size = static_cast<long>(text.size());
  if (bytes_ + size > bytes_max) fail(path_, "it would pass its limit of 16 MiB");
  // One write a line: a killed process leaves whole lines and at most one torn one.
  if (std::fwrite(text.data(), 1, text.size(), file_) != text.size() || std::fflush(file_) != 0) {
    fail(path_, std::strerror(errno));
  }
  bytes_ += size;
  const std::string kind = json_string_field(line, "kind");
  if (kind == "point" || kind == "skipped" || kind == "failed") {
    done_.insert(id_of(json_string_field(line, "group"), json_string_field(line, "key")));
  }
}

}  // namespace brink::kernels
