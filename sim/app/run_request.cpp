#include "sim/app/run_request.h"

#include <filesystem>

#include "models/base/object_reader.h"

namespace brink::app {

namespace fs = std::filesystem;

void check_result_folder(const std::string& dir) {
  std::error_code ignored;
  const fs::path path(dir);
  if (!fs::exists(fs::symlink_status(path, ignored))) return;
  if (!fs::is_directory(path, ignored)) throw OutputError(dir + ": exists and is not a folder; name another place");
  if (fs::is_empty(path, ignored) || fs::is_regular_file(path / "summary.json", ignored)) return;
  throw OutputError(dir + ": is not a result folder (it has no summary.json), so it is not replaced; name another place");
}

RunRequest read_run_request(const std::string& payload) {
  const Json json = parse_json(payload, "run request");
  ObjectReader in(json, "");
  RunRequest out;
  out.scenario = in.value("scenario");
  out.base_dir = in.string_or("base_dir", ".");
  in.each("settings", [&](const Json& item, const std::string& at) { out.settings.push_back(checked_string(item, at)); });
  if (in.has("seed")) out.seed = static_cast<std::uint64_t>(in.integer("seed", Range::at_least(0.0)));
  if (in.has("out")) out.out = in.string("out");
  out.progress_interval = Seconds(in.number_or("progress_interval_s", 0.2, Range{0.0, 1e9, false, "s"}));
  out.files = in.boolean_or("files", true);
  out.name = in.string_or("name", "scenario");
  in.finish();
  return out;
}

}  // namespace brink::app
