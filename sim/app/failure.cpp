#include "sim/app/failure.h"

#include <new>

#include "models/base/error.h"
#include "sim/app/run_request.h"

namespace brink::app {

Json failure(const std::string& kind, const std::string& message) {
  Json out = Json::object();
  out.set("kind", kind);
  out.set("message", message);
  for (const char* key : {"pointer", "got", "allowed", "file", "signal", "last_words"}) out.set(key, Json());
  return out;
}

Json failure_of(const std::exception& error) {
  if (const auto* config = dynamic_cast<const ConfigError*>(&error)) {
    Json out = failure("config", config->what());
    out.set("pointer", config->pointer());
    out.set("got", config->got());
    out.set("allowed", config->allowed());
    out.set("file", config->file());
    return out;
  }
  if (dynamic_cast<const OutputError*>(&error) != nullptr) return failure("config", error.what());
  if (dynamic_cast<const TraceError*>(&error) != nullptr) return failure("trace", error.what());
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) return failure("internal", "not enough memory for this run");
  return failure("internal", error.what());
}

int exit_status_of(const std::exception& error) {
  const bool input = dynamic_cast<const ConfigError*>(&error) != nullptr || dynamic_cast<const TraceError*>(&error) != nullptr ||
                     dynamic_cast<const OutputError*>(&error) != nullptr;
  return input ? 2 : 3;
}

}  // namespace brink::app
