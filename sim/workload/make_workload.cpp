#include <cmath>
#include <filesystem>
#include <limits>

#include "models/base/object_reader.h"
#include "sim/workload/synthetic_source.h"
#include "sim/workload/tenants.h"
#include "sim/workload/trace_source.h"
#include "sim/workload/workload.h"

namespace brink::workload {

namespace {

const Range seconds_range = Range{0.0, 1e9, true, "s"};
const Range rate_range = Range{0.0, 1e9, true, "requests/s"};
const Range count_range = Range{1.0, 1e12, false, "requests"};

/// Files of configs/workloads say where they come from; the simulation does not need it.
void ignore_description(ObjectReader& in) {
  if (in.has("schema_version")) (void)in.integer("schema_version", Range{1.0, 1.0, false, {}});
  for (const char* key : {"name", "source", "provenance"}) in.ignore(key);
}

TraceWindow read_window(ObjectReader& trace) {
  TraceWindow window;
  if (!trace.has("window_s")) return window;
  const std::vector<double> limits = trace.numbers("window_s", Range::at_least(0.0, "s"));
  if (limits.size() != 2) {
    throw trace.error("window_s", "an array of " + std::to_string(limits.size()), "[from, to] in seconds");
  }
  if (limits[1] <= limits[0]) throw trace.error("window_s", "a window that ends before it starts", "from < to");
  return {Seconds(limits[0]), Seconds(limits[1])};
}

std::unique_ptr<IRequestSource> make_trace_source(ObjectReader trace, const std::string& base_dir, double rate_scale) {
  auto format = make_trace_format(trace.string("format"), trace.pointer_to("format"));
  const std::string path = (std::filesystem::path(base_dir) / trace.string("path")).lexically_normal().string();
  const TraceWindow window = read_window(trace);
  trace.finish();
  std::unique_ptr<TraceSource> source;
  try {
    source = std::make_unique<TraceSource>(path, std::move(format), window, rate_scale);
  } catch (const TraceError&) {
    throw;  // already names file and line
  } catch (const Error& error) {
    throw trace.error("path", error.what(), "a readable trace file");
  }
  if (source->empty()) {
    const char* key = trace.has("window_s") ? "window_s" : "path";
    throw trace.error(key, "no request in " + path,
                      "a trace and window that hold at least one request; the last row read is at " +
                          std::to_string(source->last_row_at().value()) + " s");
  }
  return source;
}

std::vector<Stage> read_stages(ObjectReader& arrivals, double rate_scale) {
  std::vector<Stage> stages;
  bool any_rate = false;
  arrivals.each("stages", [&](const Json& item, const std::string& at) {
    ObjectReader stage(item, at);
    const Seconds duration(stage.number("duration_s", seconds_range));
    const double rate = stage.number("rate_per_s", Range{0.0, 1e9, false, "requests/s"});
    stage.finish();
    any_rate = any_rate || rate > 0.0;
    stages.push_back({duration, RequestsPerSecond(rate * rate_scale)});
  });
  if (stages.empty()) throw arrivals.error("stages", "no stages", "at least one {\"duration_s\", \"rate_per_s\"}");
  if (!any_rate) throw arrivals.error("stages", "stages whose rates are all 0", "at least one rate_per_s above 0");
  return stages;
}

ArrivalKind arrival_kind(const std::string& name) {
  if (name == "constant") return ArrivalKind::constant;
  if (name == "poisson") return ArrivalKind::poisson;
  return name == "gamma" ? ArrivalKind::gamma : ArrivalKind::weibull;
}

double read_burstiness(ObjectReader& arrivals, const std::string& kind) {
  if (!arrivals.has("burstiness")) return 1.0;
  // A smaller shape puts nearly all gaps below what a double resolves against the sum of the others.
  const double value = arrivals.number("burstiness", Range{0.01, 1e6, false, {}});
  const bool shaped = kind == "gamma" || kind == "weibull";
  if (!shaped && !(kind == "poisson" && value == 1.0)) {
    throw arrivals.error("burstiness", "burstiness for kind '" + kind + "'", "burstiness only with gamma or weibull");
  }
  return value;
}

/// How a synthetic workload ends.
struct End {
  std::optional<std::int64_t> num_requests;
  std::optional<Seconds> duration;
};

End read_end(ObjectReader& in, bool stages) {
  End end;
  if (in.has("num_requests")) end.num_requests = in.integer("num_requests", count_range);
  if (in.has("duration_s")) end.duration = Seconds(in.number("duration_s", seconds_range));
  if (stages && end.duration) {
    throw in.error("duration_s", "a duration beside stages", "only the stages' own durations; drop duration_s");
  }
  if (end.num_requests && end.duration) {
    throw in.error("duration_s", "both num_requests and duration_s", "exactly one of the two");
  }
  if (!stages && !end.num_requests && !end.duration) {
    throw in.error("num_requests", "neither num_requests nor duration_s", "exactly one of the two");
  }
  return end;
}

void make_closed_loop(ObjectReader& in, ObjectReader& arrivals, const std::string& base_dir, std::uint64_t seed,
                      Workload& out) {
  for (const char* key : {"rate_per_s", "stages", "burstiness"}) {
    if (arrivals.has(key)) throw arrivals.error(key, "a closed loop with this key", "only concurrency; drop it");
  }
  if (in.has("max_in_flight")) {
    throw in.error("max_in_flight", "max_in_flight beside a closed loop", "arrivals/concurrency alone");
  }
  if (in.has("rate_scale") && in.number("rate_scale") != 1.0) {
    throw in.error("rate_scale", "a rate scale for a closed loop", "arrivals/concurrency sets its load");
  }
  out.max_in_flight = arrivals.integer("concurrency", Range{1.0, 1e9, false, "requests in flight"});
  arrivals.finish();
  const End end = read_end(in, false);
  out.stop_sending_at = end.duration;
  out.source = std::make_unique<SyntheticSource>(std::nullopt, Lengths(in, base_dir, seed), end.num_requests);
}

void make_open(ObjectReader& in, ObjectReader& arrivals, const std::string& kind, const std::string& base_dir,
               std::uint64_t seed, double rate_scale, Workload& out) {
  if (arrivals.has("concurrency")) {
    throw arrivals.error("concurrency", "concurrency for kind '" + kind + "'",
                         "concurrency only with closed_loop; an open workload takes max_in_flight");
  }
  const bool staged = arrivals.has("stages");
  if (staged && arrivals.has("rate_per_s")) {
    throw arrivals.error("rate_per_s", "both rate_per_s and stages", "exactly one of the two");
  }
  std::vector<Stage> stages;
  if (staged)
    stages = read_stages(arrivals, rate_scale);
  else
    stages.push_back({Seconds(0.0), RequestsPerSecond(arrivals.number("rate_per_s", rate_range) * rate_scale)});
  const double burstiness = read_burstiness(arrivals, kind);
  arrivals.finish();
  const End end = read_end(in, staged);
  if (!staged) stages[0].duration = end.duration.value_or(Seconds(std::numeric_limits<double>::infinity()));
  const RateProfile profile(std::move(stages));
  out.nominal_rate_per_s = profile.mean_rate().value();
  out.burstiness = burstiness;
  out.source = std::make_unique<SyntheticSource>(Arrivals(arrival_kind(kind), burstiness, profile, seed),
                                                 Lengths(in, base_dir, seed), end.num_requests);
}

void make_synthetic(ObjectReader& in, const std::string& base_dir, std::uint64_t seed, double rate_scale,
                    Workload& out) {
  ObjectReader arrivals = in.object("arrivals");
  const std::string kind = arrivals.choice("kind", {"poisson", "gamma", "weibull", "constant", "closed_loop"});
  if (kind == "closed_loop")
    make_closed_loop(in, arrivals, base_dir, seed, out);
  else
    make_open(in, arrivals, kind, base_dir, seed, rate_scale, out);
}

std::optional<std::int64_t> read_prompt_pool(ObjectReader& in) {
  if (!in.has("prompts")) return std::nullopt;
  ObjectReader prompts = in.object("prompts");
  std::optional<std::int64_t> pool;
  if (prompts.choice("kind", {"unique", "pool"}) == "pool") {
    pool = prompts.integer("size", Range::between(1.0, 1e6, "texts"));
  }
  prompts.finish();
  return pool;
}

Workload make_from_object(const Json& description, const std::string& pointer, const std::string& base_dir,
                          std::uint64_t seed) {
  ObjectReader in(description, pointer);
  ignore_description(in);
  const bool trace = in.has("trace"), arrivals = in.has("arrivals");
  if (trace && arrivals) throw in.error("arrivals", "both trace and arrivals", "exactly one of the two");
  if (!trace && !arrivals) throw in.error("arrivals", "neither trace nor arrivals", "exactly one of the two");
  const double rate_scale = in.number_or("rate_scale", 1.0, Range{0.0, 1e6, true, {}});
  Workload workload;
  if (in.has("max_in_flight")) workload.max_in_flight = in.integer("max_in_flight", count_range);
  workload.prompt_pool = read_prompt_pool(in);
  if (trace)
    workload.source = make_trace_source(in.object("trace"), base_dir, rate_scale);
  else
    make_synthetic(in, base_dir, seed, rate_scale, workload);
  if (in.has("tenants")) {
    Tenants tenants(in.object("tenants"), seed);
    workload.tenant_shares = tenants.shares();
    workload.source = with_tenants(std::move(workload.source), std::move(tenants));
  }
  in.finish();
  return workload;
}

}  // namespace

Workload make_workload(const Json& description, const std::string& pointer, const std::string& base_dir,
                       std::uint64_t seed) {
  if (!description.is_string()) return make_from_object(description, pointer, base_dir, seed);
  const std::filesystem::path path = (std::filesystem::path(base_dir) / description.as_string()).lexically_normal();
  try {
    return make_from_object(load_json(path.string()), "", path.parent_path().string(), seed);
  } catch (const ConfigError& error) {
    throw error.in_file(path.string());
  }
}

}  // namespace brink::workload
