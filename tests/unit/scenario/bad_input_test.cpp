// One case a line: what is set, where the error must point, and what its message must say.
#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

#include "models/base/error.h"
#include "sim/scenario/scenario.h"
#include "tests/unit/scenario/base_scenario.h"

namespace brink::scenario {
namespace {

struct Case {
  const char* setting;   // POINTER=VALUE, several separated by ';;'
  const char* pointer;
  const char* message;   // part of "got ...; ..."
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.setting; }

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> out;
  std::size_t from = 0;
  for (std::size_t at = 0; (at = text.find(";;", from)) != std::string::npos; from = at + 2) out.push_back(text.substr(from, at - from));
  out.push_back(text.substr(from));
  return out;
}

const Case cases[] = {
    // The whole and its names
    {"=3", "", "got the integer 3; allowed: an object"},
    {"=[]", "", "got an empty array; allowed: an object"},
    {"/schema_version=2", "/schema_version", "got the integer 2; allowed: an integer >= 1 and <= 1"},
    {"/schema_version=0", "/schema_version", "got the integer 0"},
    {"/schema_version=\"1\"", "/schema_version", "got the string \"1\"; allowed: an integer"},
    {"/schema_version=1.0", "/schema_version", "(write 1)"},
    {"/name=5", "/name", "got the integer 5; allowed: a string"},
    {"/name=", "/name", "allowed: 1 to 200 characters"},
    {"/name=\"../x\"", "/name", "without '/'"},
    {"/name=\".hidden\"", "/name", "do not start with '.'"},
    {"/name=\"a/b\"", "/name", "got the string \"a/b\""},
    {"/seed=-1", "/seed", "got the integer -1; allowed: an integer >= 0"},
    {"/seed=1.5", "/seed", "got the number 1.5; allowed: an integer"},
    {"/seed=\"one\"", "/seed", "got the string \"one\""},
    {"/sead=1", "/sead", "did you mean 'seed'?"},
    {"/engin={}", "/engin", "did you mean 'engine'?"},
    {"/workloads={}", "/workloads", "did you mean 'workload'?"},
    {"/zzz=1", "/zzz", "got an unknown field; allowed: "},
    // Files
    {"/model=null", "/model", "got nothing; required: a value"},
    {"/model=7", "/model", "got the integer 7; allowed: the path of a file, or an object"},
    {"/model=[]", "/model", "got an empty array; allowed: the path of a file, or an object"},
    {"/model=\"\"", "/model", "got an empty string"},
    {"/model=nowhere.json", "/model", "got the string \"nowhere.json\" (no such file"},
    {"/model=../../configs", "/model", "a folder"},
    {"/model={}", "/model/model_type", "got nothing; required"},
    {"/cluster=null", "/cluster", "got nothing; required: a value"},
    {"/cluster=true", "/cluster", "allowed: the path of a file, or an object"},
    {"/cluster=nowhere.json", "/cluster", "no such file"},
    {"/cluster={}", "/cluster/gpu", "got nothing; required"},
    {"/cluster={\"gpu\": \"../../configs/gpus/h100_sxm.json\"}", "/cluster/gpus_per_node", "got nothing; required"},
    {"/cluster={\"gpu\": 4}", "/cluster/gpu", "got the integer 4"},
    {"/profile=null", "/profile", "got nothing; required: a value"},
    {"/profile=1", "/profile", "allowed: the path of a file, or an object"},
    {"/profile=nowhere.json", "/profile", "no such file"},
    {"/profile={}", "/profile/schema_version", "got nothing; required: an integer"},
    {"/profile={\"schema_version\": 9}", "/profile/schema_version", "got 9; 1 (fit the profile again"},
    // Engine
    {"/engine=5", "/engine", "got the integer 5; allowed: an object"},
    {"/engine=[]", "/engine", "got an empty array; allowed: an object"},
    {"/engine/name=sglang", "/engine/name", "got the string \"sglang\"; allowed: vllm"},
    {"/engine/name=vlm", "/engine/name", "did you mean 'vllm'?"},
    {"/engine/name=1", "/engine/name", "got the integer 1"},
    {"/engine/version=0.15", "/engine/version", "got the number 0.15; allowed: a string"},
    {"/engine/version=\"new\"", "/engine/version", "got the string \"new\"; allowed: a release number such as \"0.15\""},
    {"/engine/version=\"0\"", "/engine/version", "allowed: a release number"},
    {"/engine/version=\"0.\"", "/engine/version", "allowed: a release number"},
    {"/engine/version=\"0.15.\"", "/engine/version", "allowed: a release number"},
    {"/engine/version=\"0.15.1.2\"", "/engine/version", "allowed: a release number"},
    {"/engine/version=\"0.15rc1\"", "/engine/version", "allowed: a release number"},
    {"/engine/version=\"-0.15\"", "/engine/version", "allowed: a release number"},
    {"/engine/version=\"\"", "/engine/version", "allowed: a release number"},
    {"/engine/tensor_parallel_size=0", "/engine/tensor_parallel_size", "got the integer 0; allowed: an integer >= 1"},
    {"/engine/tensor_parallel_size=3", "/engine/tensor_parallel_size", "3"},
    {"/engine/tensor_parallel_size=16", "/engine/tensor_parallel_size", "at most the 8 GPUs of a node"},
    {"/engine/tensor_parallel_size=\"8\"", "/engine/tensor_parallel_size", "got the string \"8\""},
    {"/engine/data_parallel_size=0", "/engine/data_parallel_size", "got the integer 0"},
    {"/engine/data_parallel_size=9", "/engine/data_parallel_size", "got 9; between 1 and 8"},
    {"/engine/data_parallel_size=2;;/engine/tensor_parallel_size=8", "/engine/data_parallel_size", "got 2; between 1 and 1"},
    {"/engine/data_parallel_size=200000", "/engine/data_parallel_size", "at most 100000 replicas"},
    {"/engine/pipeline_parallel_size=2", "/engine/pipeline_parallel_size", "got 2; allowed: 1; this version has no pipeline parallelism"},
    {"/engine/pipeline_parallel_size=0", "/engine/pipeline_parallel_size", "got the integer 0"},
    {"/engine/enable_expert_parallel=true", "/engine/enable_expert_parallel", "got true; allowed: false; this version serves dense models only"},
    {"/engine/enable_expert_parallel=1", "/engine/enable_expert_parallel", "got the integer 1; allowed: true or false"},
    {"/engine/quantization=fp8", "/engine/quantization", "got the string \"fp8\"; allowed: null; this version serves 16-bit weights only"},
    {"/engine/quantization=\"awq\"", "/engine/quantization", "allowed: null"},
    {"/engine/dtype=float32", "/engine/dtype", "got the string \"float32\"; "},
    {"/engine/dtype=bfloat", "/engine/dtype", "did you mean 'bfloat16'?"},
    {"/engine/kv_cache_dtype=fp8", "/engine/kv_cache_dtype", "this version keeps keys and values in 16 bits"},
    {"/engine/kv_cache_dtype=fp8_e4m3", "/engine/kv_cache_dtype", "allowed: auto, bfloat16, float16"},
    {"/engine/kv_cache_dtype=int4", "/engine/kv_cache_dtype", "allowed: auto, bfloat16, float16"},
    {"/engine/kv_cache_dtype=3", "/engine/kv_cache_dtype", "got the integer 3"},
    {"/engine/max_num_seqs=0", "/engine/max_num_seqs", "got the integer 0; allowed: an integer >= 1"},
    {"/engine/max_num_seqs=64.5", "/engine/max_num_seqs", "got the number 64.5; allowed: an integer"},
    {"/engine/max_num_seqs=64.0", "/engine/max_num_seqs", "(write 64)"},
    {"/engine/max_num_seqs=many", "/engine/max_num_seqs", "got the string \"many\""},
    {"/engine/max_num_seqs=9000", "/engine/max_num_batched_tokens", "got 8192; at least max_num_seqs (9000)"},
    {"/engine/max_num_batched_tokens=0", "/engine/max_num_batched_tokens", "allowed: an integer >= 1"},
    {"/engine/max_num_batched_tokens=32", "/engine/max_num_batched_tokens", "got 32; at least max_num_seqs (64)"},
    {"/engine/enable_chunked_prefill=false;;/engine/max_num_batched_tokens=8192", "/engine/max_num_batched_tokens",
     "got 8192; at least max_model_len (131072) while enable_chunked_prefill is false"},
    {"/engine/max_model_len=0", "/engine/max_model_len", "allowed: an integer >= 1"},
    {"/engine/max_model_len=200000", "/engine/max_model_len", "at most 131072"},
    {"/engine/gpu_memory_utilization=0", "/engine/gpu_memory_utilization", "got the integer 0; allowed: a number > 0 and <= 1"},
    {"/engine/gpu_memory_utilization=1.1", "/engine/gpu_memory_utilization", "got the number 1.1"},
    {"/engine/gpu_memory_utilization=90", "/engine/gpu_memory_utilization", "got the integer 90"},
    {"/engine/gpu_memory_utilization=0.15", "/engine/tensor_parallel_size", "the weights do not fit"},
    {"/engine/block_size=0", "/engine/block_size", "got the integer 0"},
    {"/engine/block_size=24", "/engine/block_size", "got 24; allowed: 1, 8, 16, 32, 64, 128, 256 (tokens)"},
    {"/engine/num_gpu_blocks_override=0", "/engine/num_gpu_blocks_override", "allowed: an integer >= 1"},
    {"/engine/num_gpu_blocks_override=100", "/engine/max_model_len", "the KV pool holds 1600 tokens"},
    {"/engine/enforce_eager=yes", "/engine/enforce_eager", "got the string \"yes\"; allowed: true or false"},
    {"/engine/async_scheduling=1", "/engine/async_scheduling", "allowed: true or false"},
    {"/engine/enable_prefix_caching=\"on\"", "/engine/enable_prefix_caching", "allowed: true or false"},
    {"/engine/enable_chunked_prefill=2", "/engine/enable_chunked_prefill", "allowed: true or false"},
    {"/engine/max_num_seq=8", "/engine/max_num_seq", "did you mean 'max_num_seqs'?"},
    {"/engine/tensor_parallel=8", "/engine/tensor_parallel", "did you mean 'tensor_parallel_size'?"},
    {"/engine/workspace_mib=-1", "/engine/workspace_mib", "got the integer -1; allowed: a number >= 0 and <= 1048576 (MiB)"},
    {"/engine/workspace_mb=32", "/engine/workspace_mb", "did you mean 'workspace_mib'?"},
    {"/engine/attention_backend=fa4", "/engine/attention_backend", "did you mean 'fa3'? allowed: fa3, fa3_static, fa2, flashinfer"},
    {"/engine/attention_backend=flashinver", "/engine/attention_backend", "did you mean 'flashinfer'?"},
    {"/engine/attention_backend=true", "/engine/attention_backend", "got true; allowed: fa3"},
    {"/engine/attention_backnd=\"fa3\"", "/engine/attention_backnd", "did you mean 'attention_backend'?"},
    {"/engine/dynamic_workspace=1", "/engine/dynamic_workspace", "allowed: true or false"},
    {"/engine/per_rank_allocator=1", "/engine/per_rank_allocator", "allowed: true or false"},
    {"/engine/batch_invariant=\"yes\"", "/engine/batch_invariant", "allowed: true or false"},
    {"/engine/batch_invariance=true", "/engine/batch_invariance", "did you mean 'batch_invariant'?"},
    {"/engine/autotune=2", "/engine/autotune", "allowed: true or false"},
    {"/engine/symmetric_memory=0", "/engine/symmetric_memory", "allowed: true or false"},
    // Workload
    {"/workload=null", "/workload", "got nothing; required: a value"},
    {"/workload=4", "/workload", "got the integer 4; allowed: an object, or the path of a file that holds one"},
    {"/workload=[]", "/workload", "allowed: an object, or the path"},
    {"/workload={}", "/workload/arrivals", "got neither trace nor arrivals; exactly one of the two"},
    {"/workload/arrivals/kind=poison", "/workload/arrivals/kind", "did you mean 'poisson'?"},
    {"/workload/arrivals/rate_per_s=0", "/workload/arrivals/rate_per_s", "allowed: a number > 0"},
    {"/workload/arrivals/rate_per_s=-3", "/workload/arrivals/rate_per_s", "got the integer -3"},
    {"/workload/arrivals/concurrency=4", "/workload/arrivals/concurrency", "concurrency only with closed_loop"},
    {"/workload/duration_s=10", "/workload/duration_s", "got both num_requests and duration_s; exactly one of the two"},
    {"/workload/num_requests=0", "/workload/num_requests", "allowed: an integer >= 1"},
    {"/workload/output_tokens/value=0", "/workload/output_tokens/value", "got the integer 0"},
    {"/workload/input_tokens/kind=gaussian", "/workload/input_tokens/kind", "got the string \"gaussian\""},
    {"/workload/input_tokens/high=50", "/workload/input_tokens/high", "50"},
    {"/workload/colour=red", "/workload/colour", "got an unknown field"},
    {"/workload={\"trace\": {\"format\": \"csv\", \"path\": \"x\"}}", "/workload/trace/format", "got "},
    {"/workload={\"trace\": {\"format\": \"plain\", \"path\": \"nowhere.csv\"}}", "/workload/trace/path", "nowhere.csv"},
    {"/workload/tenants={}", "/workload/tenants/count", "got neither count nor weights; exactly one of the two"},
    {"/workload/tenants={\"count\": 2, \"weights\": [1]}", "/workload/tenants/weights", "got both count and weights"},
    {"/workload/tenants={\"count\": 0}", "/workload/tenants/count", "allowed: an integer >= 1 and <= 1e+05 (tenants)"},
    {"/workload/tenants={\"weights\": []}", "/workload/tenants/weights", "got 0 weights; allowed: 1 to 100000 weights"},
    {"/workload/tenants={\"weights\": [1, 0]}", "/workload/tenants/weights/1", "got the integer 0"},
    {"/workload/tenants={\"number\": 2}", "/workload/tenants/count", "got neither count nor weights"},
    {"/workload/tenants=2", "/workload/tenants", "got the integer 2; allowed: an object"},
    // Policies and sections
    {"/routing=round_robin", "/routing", "got the string \"round_robin\"; allowed: an object"},
    {"/routing={\"policy\": \"roundrobin\"}", "/routing/policy", "did you mean 'round_robin'?"},
    {"/routing={\"policy\": 1}", "/routing/policy", "got the integer 1"},
    {"/routing={\"polcy\": \"round_robin\"}", "/routing/polcy", "did you mean 'policy'?"},
    {"/admission={\"policy\": \"token_bucket\"}", "/admission/policy", "allowed: none; this version has no admission control"},
    {"/admission={\"policy\": null, \"rate\": 3}", "/admission/rate", "got an unknown field"},
    {"/admission=[]", "/admission", "got an empty array; allowed: an object"},
    {"/control={\"policy\": \"aimt\"}", "/control/policy", "did you mean 'aimd'? allowed: none, pang, aimd"},
    {"/control={\"policy\": \"aimd\", \"targt_ms\": 5}", "/control/targt_ms", "did you mean 'target_ms'?"},
    {"/control={\"target_ms\": 5}", "/control/target_ms", "got an unknown field; allowed: policy"},
    {"/control=1", "/control", "allowed: an object"},
    {"/shaping={\"policy\": \"latency\"}", "/shaping/policy", "got the string \"latency\"; did you mean 'latency_guard'?"},
    {"/shaping={\"policy\": true}", "/shaping/policy", "got true; allowed: none, latency_guard"},
    {"/shaping={\"policy\": \"latency_guard\"}", "/shaping/input_tokens_max", "required: at least one of the two"},
    {"/shaping=[]", "/shaping", "got an empty array; allowed: an object"},
    {"/security={\"isolation\": \"tenant\"}", "/security/isolation", "allowed: shared, strict, replica"},
    {"/security={\"attestation_s\": 3}", "/security/attestation_s", "allowed: only with confidential: true"},
    {"/security={\"isolation\": \"replica\"};;/workload/tenants={\"count\": 3}", "/security/isolation",
     "got \"replica\" with 3 tenants on 1 replica; allowed: a replica of its own for each tenant: raise /engine/data_parallel_size or lower /workload/tenants"},
    {"/security={\"isolation\": \"replica\"};;/workload/tenants={\"weights\": [1, 1, 1]};;/engine/data_parallel_size=2", "/security/isolation",
     "got \"replica\" with 3 tenants on 2 replicas"},
    {"/conditions=[{\"kind\": \"slow_rank\"}]", "/conditions/0/rank", "got nothing; required"},
    {"/conditions=[{\"kind\": \"slow_rnk\"}]", "/conditions/0/kind", "did you mean 'slow_rank'?"},
    {"/conditions=[{\"kind\": \"slow_rank\", \"rank\": 1, \"factor\": 2}]", "/conditions/0/rank", "got the integer 1; allowed: \"all\" or a rank of the replica that exists: 0"},
    {"/conditions=[{\"kind\": \"jitter\", \"replica\": 1}]", "/conditions/0/replica", "got the integer 1; allowed: \"all\" or a replica that exists: 0"},
    {"/conditions=[{\"kind\": \"jitter\"}, {\"kind\": \"stall\", \"rank\": 0, \"extra_mss\": 1, \"extra_ms\": 1}]", "/conditions/1/extra_mss", "did you mean 'extra_ms'?"},
    {"/conditions=[{\"kind\": \"checkpoint\", \"link\": \"a\"}, {\"kind\": \"replication\", \"link\": \"a\"}]", "/conditions/1/gb_per_s", "the same as /conditions/0, which shares the link \"a\""},
    {"/conditions=[{}]", "/conditions/0/kind", "got nothing; required: a name"},
    {"/conditions=[3]", "/conditions/0", "got the integer 3; allowed: an object"},
    {"/conditions={}", "/conditions", "got an empty object; allowed: an array"},
    {"/hypotheses={\"nvls\": true}", "/hypotheses/nvls", "got an unknown field; allowed: scalar_fp16_at_17, "},
    {"/hypotheses={\"scalar_fp16_at_16\": true}", "/hypotheses/scalar_fp16_at_16", "did you mean 'scalar_fp16_at_17'?"},
    {"/hypotheses={\"isr_threshold_512\": 512}", "/hypotheses/isr_threshold_512", "allowed: true, false, or an object of its parameters"},
    {"/hypotheses=1", "/hypotheses", "allowed: an object"},
    // What is followed
    {"/observe={\"plans\": false, \"drift\": true}", "/observe/drift", "got true; allowed: false while /observe/plans is false: drift follows from plans"},
    {"/observe={\"plan\": true}", "/observe/plan", "did you mean 'plans'? allowed: plans, regimes, drift"},
    {"/observe={\"regimes\": \"on\"}", "/observe/regimes", "got the string \"on\"; allowed: true or false"},
    {"/observe=true", "/observe", "got true; allowed: an object"},
    {"/regimes={\"evaporation_ratio\": 5}", "/regimes/evaporation_ratio", "got the integer 5; allowed: a number >= 0 and <= 1 (of the KV pool)"},
    {"/regimes={\"pressured_mb\": 5}", "/regimes/pressured_mb", "did you mean 'pressured_mib'?"},
    {"/regimes=0", "/regimes", "allowed: an object"},
    {"/drift={\"rho_per_nat\": 0}", "/drift/rho_per_nat", "got the integer 0; allowed: a number > 0 and <= 10 (per nat)"},
    {"/drift={\"changed_share\": 1.5}", "/drift/changed_share", "allowed: a number >= 0 and <= 1 (share of positions)"},
    {"/drift={\"delta_median_nats\": -1}", "/drift/delta_median_nats", "allowed: a number >= 0 and <= 10 (nats)"},
    {"/drift={\"delta_shape\": \"normal\"}", "/drift/delta_shape", "allowed: half_normal, exponential"},
    {"/drift={\"changed_shares\": 0.1}", "/drift/changed_shares", "did you mean 'changed_share'?"},
    {"/drift=[]", "/drift", "got an empty array; allowed: an object"},
    // GEMM tactics
    {"/tactics=7", "/tactics", "got the integer 7; allowed: a catalogue of GEMM tactics, or the path of one"},
    {"/tactics={}", "/tactics/schema_version", "got nothing; required: an integer"},
    {"/tactics={\"schema_version\": 2}", "/tactics/schema_version", "got the integer 2; allowed: an integer >= 1 and <= 1"},
    {"/tactics=nowhere.json", "/tactics", "got the string \"nowhere.json\" (no such file"},
    {"/tactics=\"\"", "/tactics", "got an empty string"},
    {"/tactics=../../configs", "/tactics", "a folder"},
    {"/fidelity=rank", "/fidelity", "allowed: step; this version does not simulate ranks one by one"},
    {"/fidelity=exact", "/fidelity", "got the string \"exact\""},
    {"/slo={\"ttft_p99_ms\": 0}", "/slo/ttft_p99_ms", "allowed: a number > 0 (ms)"},
    {"/slo={\"tpot_p99_ms\": -1}", "/slo/tpot_p99_ms", "got the integer -1"},
    {"/slo={\"ttft_p95_ms\": 5}", "/slo/ttft_p95_ms", "did you mean 'ttft_p99_ms'?"},
    {"/slo=500", "/slo", "allowed: an object"},
    {"/measure={\"warmup_s\": -1}", "/measure/warmup_s", "allowed: a number >= 0"},
    {"/measure={\"warm_up_s\": 1}", "/measure/warm_up_s", "did you mean 'warmup_s'?"},
    {"/measure={\"warmup_s\": \"10\"}", "/measure/warmup_s", "got the string \"10\""},
    {"/output={\"requests\": 1}", "/output/requests", "allowed: true or false"},
    {"/output={\"step\": true}", "/output/step", "did you mean 'steps'?"},
    {"/output={\"ledger\": \"all\"}", "/output/ledger", "allowed: true or false"},
    {"/output={\"records\": true}", "/output/records", "got true; allowed: none, sampled, full"},
    {"/output={\"records\": \"ful\"}", "/output/records", "did you mean 'full'?"},
    {"/output={\"record\": \"full\"}", "/output/record", "did you mean 'records'?"},
    {"/output=true", "/output", "got true; allowed: an object"},
};

class BadInput : public testing::TestWithParam<Case> {};

TEST_P(BadInput, IsRefusedWhereItStands) {
  const Case& c = GetParam();
  try {
    (void)read_scenario(test::good_scenario(), test::base_dir, split(c.setting));
    FAIL() << "accepted";
  } catch (const ConfigError& error) {
    EXPECT_EQ(error.pointer(), c.pointer);
    EXPECT_NE(("got " + error.got() + "; " + error.allowed()).find(c.message), std::string::npos) << error.what();
  }
}

INSTANTIATE_TEST_SUITE_P(Scenario, BadInput, testing::ValuesIn(cases));

TEST(Scenario, TheGoodOneIsAccepted) { EXPECT_NO_THROW((void)read_scenario(test::good_scenario(), test::base_dir)); }

// Isolation asks for no more than it needs: taking turns needs no second tenant, one replica each is enough.
TEST(Scenario, IsolationWithoutNeighbours) {
  for (const char* isolation : {"strict", "replica"}) {
    const std::string security = std::string("/security={\"isolation\": \"") + isolation + "\"}";
    EXPECT_NO_THROW((void)read_scenario(test::good_scenario(), test::base_dir, {security})) << isolation;
    EXPECT_NO_THROW((void)read_scenario(test::good_scenario(), test::base_dir,
                                        {security, "/workload/tenants={\"count\": 2}", "/engine/data_parallel_size=2"}));
  }
}

// A catalogue inline: what is wrong inside it is named from the scenario's root.
TEST(Scenario, ErrorsInsideInlineTactics) {
  const std::string path = std::string(BRINK_SOURCE_DIR) + "/configs/tactics/h100_cublaslt.json";
  const auto with = [&](const std::string& pointer, const std::string& value) {
    Json tactics = load_json(path);
    if (!pointer.empty()) set_at_pointer(tactics, pointer, parse_json(value));
    Json scenario = test::good_scenario();
    scenario.set("tactics", std::move(tactics));
    return scenario;
  };
  EXPECT_NO_THROW((void)read_scenario(with("", ""), test::base_dir));
  const Case bad[] = {
      {"/machine/sm_count=0", "/tactics/machine/sm_count", "got the integer 0"},
      {"/machine/clock=1", "/tactics/machine/clock", "did you mean 'clock_hz'?"},
      {"/families/0/tiles=\"wgma\"", "/tactics/families/0/tiles", "did you mean 'wgmma'?"},
      {"/families/0/splits=[2]", "/tactics/families/0/splits/0", "ascending from 1"},
      {"/families=[]", "/tactics/families", "no bf16 family"},
      {"/colour=1", "/tactics/colour", "got an unknown field"},
  };
  for (const Case& c : bad) {
    const std::string text = c.setting;
    const auto at = text.find('=');
    try {
      (void)read_scenario(with(text.substr(0, at), text.substr(at + 1)), test::base_dir);
      ADD_FAILURE() << text << " was accepted";
    } catch (const ConfigError& error) {
      EXPECT_EQ(error.pointer(), c.pointer);
      EXPECT_NE(("got " + error.got() + "; " + error.allowed()).find(c.message), std::string::npos) << error.what();
    }
  }
}

TEST(Scenario, ErrorsInsideAFileNameIt) {
  try {
    (void)load_scenario(test::base_dir + "/open_70b.json", {"/engine/max_num_seqs=0"});
    FAIL() << "accepted";
  } catch (const ConfigError& error) {
    EXPECT_EQ(error.file(), test::base_dir + "/open_70b.json");
    EXPECT_EQ(error.pointer(), "/engine/max_num_seqs");
  }
  EXPECT_THROW((void)load_scenario(test::base_dir + "/nowhere.json"), ConfigError);
}

}  // namespace
}  // namespace brink::scenario
