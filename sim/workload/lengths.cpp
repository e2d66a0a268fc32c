#include "sim/workload/lengths.h"

#include <filesystem>
#include <optional>

namespace brink::workload {

namespace {

struct EmpiricalFile {
  std::string path, pointer;
};

/// The file an empirical length names; nullopt for every other kind.
std::optional<EmpiricalFile> empirical_file(ObjectReader& workload, const char* key, const std::string& base_dir) {
  const Json& description = workload.value(key);
  const Json* kind = description.is_object() ? description.find("kind") : nullptr;
  if (!kind || !kind->is_string() || kind->as_string() != "empirical") return std::nullopt;
  ObjectReader in(description, workload.pointer_to(key));
  (void)in.string("kind");
  const std::string path = in.string("path");
  in.finish();
  return EmpiricalFile{(std::filesystem::path(base_dir) / path).lexically_normal().string(), in.pointer_to("path")};
}

std::shared_ptr<const LengthTable> load_table(const EmpiricalFile& file) {
  try {
    return std::make_shared<const LengthTable>(file.path);
  } catch (const TraceError&) {
    throw;  // already names file and line
  } catch (const Error& error) {
    throw ConfigError(file.pointer, error.what(), "a readable CSV file with the columns input_tokens, output_tokens");
  }
}

}  // namespace

Lengths::Lengths(ObjectReader& workload, const std::string& base_dir, std::uint64_t seed)
    : input_stream_(seed, "workload/input_tokens"),
      output_stream_(seed, "workload/output_tokens"),
      row_stream_(seed, "workload/length_row") {
  const auto input_file = empirical_file(workload, "input_tokens", base_dir);
  const auto output_file = empirical_file(workload, "output_tokens", base_dir);
  if (input_file && output_file && input_file->path == output_file->path) {
    joint_ = load_table(*input_file);
    return;
  }
  input_ = input_file ? std::make_unique<EmpiricalLength>(load_table(*input_file), true)
                      : make_length(workload.value("input_tokens"), workload.pointer_to("input_tokens"));
  output_ = output_file ? std::make_unique<EmpiricalLength>(load_table(*output_file), false)
                        : make_length(workload.value("output_tokens"), workload.pointer_to("output_tokens"));
}

Lengths::Pair Lengths::of(std::uint64_t request) const {
  const StreamKey key{request};
  if (joint_) {
    const std::uint64_t row = row_stream_.below(joint_->rows(), key);
    return {joint_->input(row), joint_->output(row)};
  }
  return {input_->tokens(input_stream_, key, 0), output_->tokens(output_stream_, key, 0)};
}

}  // namespace brink::workload
