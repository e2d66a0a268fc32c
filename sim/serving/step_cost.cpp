#include "sim/serving/step_cost.h"

#include <algorithm>
#include <cmath>

#include "models/plan/cuda_graphs.h"
#include "sim/serving/reference_plan.h"

namespace brink::serving {

using transformer::Operator;
using transformer::OperatorKind;
using transformer::Rows;

namespace {

// Decode attention between knots is linear in the context: at 8 knots an octave the chord is
// within 0.1 % of a curve that is itself almost linear.
constexpr int knots_per_octave = 8;

std::vector<double> context_knots(std::int64_t longest) {
  std::vector<double> knots;
  for (int i = 0;; ++i) {
    const double context = std::exp2(static_cast<double>(i) / knots_per_octave);
    knots.push_back(context);
    if (context >= static_cast<double>(longest)) return knots;
  }
}

}  // namespace

BadgeTimes& BadgeTimes::operator+=(const BadgeTimes& other) {
  for (std::size_t i = 0; i < times_.size(); ++i) times_[i] += other.times_[i];
  return *this;
}

cost::Badge BadgeTimes::badge() const {
  const Seconds enough = (times_[0] + times_[1] + times_[2] + times_[3]) * 0.95;
  Seconds known;
  for (std::size_t i = 0; i + 1 < times_.size(); ++i) {
    known += times_[i];
    if (known >= enough) return static_cast<cost::Badge>(i);
  }
  return cost::Badge::hypothetical;
}

StepCost::StepCost(const cost::KernelProfile& profile, const cost::InSitu& in_situ, const cost::HostCost& host,
                   std::shared_ptr<plan::Planner> planner, const StepCostSettings& settings)
    : profile_(profile), in_situ_(in_situ), host_(host), settings_(settings), planner_(std::move(planner)),
      graph_max_(settings.enforce_eager ? 0 : plan::cuda_graph_max(settings.max_num_seqs)),
      knots_(context_knots(settings.max_model_len)), decode_(static_cast<std::size_t>(settings.max_num_seqs) + 1) {
  const transformer::OperatorGraph& graph = planner_->graph();
  const Operator& attention = *graph.find("attention");
  heads_ = {attention.q_heads, attention.kv_heads, attention.head_dim};
  layers_ = attention.repeat;
  vocab_ = settings.vocab;
  for (const Operator& op : graph.operators) {
    if (op.kind == OperatorKind::all_reduce || op.kind == OperatorKind::all_gather) collectives_ += op.repeat;
  }
  plans_attention_ = planner_->settings().attention.batch_invariant ||
                     planner_->settings().attention.backend != plan::AttentionBackend::fa3_dynamic;
  const Seconds launch = settings.enforce_eager ? in_situ_.eager_launch : in_situ_.compiled_launch;
  launch_bound_ = launch * static_cast<double>(graph.kernel_count());
  prefill_floor_ = profile_.prefill_attention(cost::PrefillWork::chunk(1), heads_, settings_.kv_type);
}

// `choice`: what the plan says of the operator; null where there is one way to do it.
void StepCost::add(Work& work, const Operator& op, const plan::Choice* choice, std::int64_t count) const {
  const auto repeat = static_cast<double>(op.repeat);
  const Bytes bytes = op.bytes_per_row * static_cast<double>(count);
  cost::Estimate estimate;
  switch (op.kind) {
    case OperatorKind::gemm: {
      estimate = profile_.gemm(count, op.n, op.k, cost::GemmType::bf16);
      const Flops flops(2.0 * static_cast<double>(count) * static_cast<double>(op.n) * static_cast<double>(op.k));
      estimate.time = std::max(estimate.time, flops / in_situ_.sustained_flops);
      work.clock_bound += flops / in_situ_.sustained_flops * static_cast<double>(op.repeat);
      break;
    }
    case OperatorKind::elementwise: estimate = profile_.elementwise(bytes, op.kernels); break;
    case OperatorKind::all_reduce: {
      const plan::AllReducePlan plan = planner_->all_reduce(bytes);
      const bool custom = plan.table == plan::AllReduceTable::custom;
      const auto backend = custom ? cost::CollectiveBackend::custom_graph : cost::CollectiveBackend::nccl;
      estimate = profile_.all_reduce(backend, settings_.tensor_parallel_size, bytes);
      break;
    }
    case OperatorKind::all_gather:
      estimate = profile_.collective(cost::CollectiveBackend::nccl, cost::CollectiveOp::all_gather,
                                     settings_.tensor_parallel_size, bytes);
      break;
    case OperatorKind::attention: return;  // depends on contexts: see attention()
  }
  if (choice != nullptr && choice->relative_time != 1.0) {
    estimate.time *= choice->relative_time;
    estimate.badge = cost::worse(estimate.badge, cost::Badge::extrapolated);
  }
  const bool communicates = op.kind == OperatorKind::all_reduce || op.kind == OperatorKind::all_gather;
  (communicates ? work.comm : work.compute) += estimate.time * repeat;
  // Elementwise kernels have no table: their law is a roofline over the measured copy
  // bandwidth, and whole serving runs confirm the sum.
  const bool elementwise = op.kind == OperatorKind::elementwise;
  work.by_badge.add(estimate.time * repeat, elementwise ? cost::Badge::interpolated : estimate.badge);
}

StepCost::Work StepCost::evaluate(Rows rows, std::int64_t count, const plan::PlanState& state) const {
  Work work;
  work.compute = Seconds(0.0);
  work.plan = &planner_->part(rows, count, state);
  const auto& operators = planner_->graph().operators;
  std::size_t next = 0;  // choice
  for (std::size_t i = 0; i < operators.size(); ++i) {
    const bool planned = next < work.plan->operators.size() && work.plan->operators[next] == i;
    const plan::Choice* choice = planned ? &work.plan->choices[next++] : nullptr;
    // Sampling is the engine's own code: HostCost::sampler_per_logit knows it.
    if (operators[i].rows == rows && operators[i].name != "sampling") add(work, operators[i], choice, count);
  }
  return work;
}

StepCost::Tables& StepCost::tables(Bytes workspace, std::int64_t live_rows) {
  const std::int64_t live = planner_->settings().live_rows_matter ? live_rows : 0;
  for (Tables& t : tables_) {
    if (t.workspace == workspace && t.live_rows == live) return t;
  }
  Tables t;
  t.workspace = workspace;
  t.live_rows = live;
  t.tokens.resize(static_cast<std::size_t>(std::max(graph_max_, settings_.max_num_batched_tokens)) + 1);
  t.sampled.resize(static_cast<std::size_t>(settings_.max_num_seqs) + 1);
  tables_.push_back(std::move(t));
  return tables_.back();
}

const StepCost::Work& StepCost::token_work(Tables& tables, std::int64_t padded, const plan::PlanState& state) {
  Work& work = tables.tokens[static_cast<std::size_t>(padded)];
  if (work.compute < Seconds(0.0)) work = evaluate(Rows::tokens, padded, state);
  return work;
}

const StepCost::Work& StepCost::sampled_work(Tables& tables, std::int64_t rows, const plan::PlanState& state) {
  Work& work = tables.sampled[static_cast<std::size_t>(rows)];
  if (work.compute < Seconds(0.0)) {
    work = evaluate(Rows::sampled, rows, state);
    work.compute += host_.sampler_per_logit * (static_cast<double>(rows) * static_cast<double>(vocab_));
  }
  return work;
}

const cost::Estimate& StepCost::decode_knot(std::int64_t sequences, std::size_t knot) {
  auto& row = decode_[static_cast<std::size_t>(sequences)];
  if (row.empty()) row.assign(knots_.size(), cost::Estimate{Seconds(-1.0), cost::Badge::measured});
  cost::Estimate& estimate = row[knot];
  if (estimate.time < Seconds(0.0)) {
    const Tokens context(knots_[knot] * static_cast<double>(sequences));
    estimate = profile_.decode_attention({sequences, context}, heads_, settings_.kv_type);
  }
  return estimate;
}

cost::Estimate StepCost::decode_attention(std::int64_t sequences, std::int64_t context) {
  const double each = static_cast<double>(context) / static_cast<double>(sequences);
  if (!(knots_[last_knot_] <= each && (last_knot_ + 1 == knots_.size() || each < knots_[last_knot_ + 1]))) {
    const auto above = std::upper_bound(knots_.begin(), knots_.end(), each);
    last_knot_ = static_cast<std::size_t>(std::max<std::ptrdiff_t>(above - knots_.begin() - 1, 0));
  }
  const std::size_t low = std::min(last_knot_, knots_.size() - 2);
  const cost::Estimate& a = decode_knot(sequences, low);
  const cost::Estimate& b = decode_knot(sequences, low + 1);
  const double share = (each - knots_[low]) / (knots_[low + 1] - knots_[low]);
  return {a.time + (b.time - a.time) * share, cost::worse(a.badge, b.badge)};
}

// The tables are of KV that is read from HBM in blocks apart from each other.
double StepCost::memory_factor(const cost::StepShape& shape, Seconds layer) const {
  const Bytes kv = settings_.kv_token * static_cast<double>(shape.decode_context);
  gpu::AttentionTraffic traffic;
  traffic.weights = settings_.weights;
  traffic.kv = kv;
  traffic.layers = layers_;
  traffic.sequences = shape.decode_sequences;
  traffic.shared_kv = settings_.kv_token * static_cast<double>(shape.shared_tokens);
  traffic.sharers = shape.sharers;
  traffic.span = settings_.kv_pool;
  traffic.block = settings_.kv_block_part;
  traffic.scatter = shape.scatter;
  return gpu::attention_memory_factor(traffic, settings_.memory, layer);
}

// One launch serves decoding sequences and prefill chunks together (FlashAttention's
// variable-length kernel): the fixed part counts once.
cost::Estimate StepCost::attention(const cost::StepShape& shape) {
  cost::Estimate total;
  prefill_layer_ = Seconds(0.0);
  if (shape.decode_sequences > 0) {
    total = decode_attention(shape.decode_sequences, shape.decode_context);
    if (plans_attention_) total.time *= plan_.attention.choice.relative_time;
    total.time *= memory_factor(shape, total.time);
  }
  if (!shape.chunks.empty()) {
    cost::PrefillWork work;
    for (const cost::PrefillChunk& c : shape.chunks) work += cost::PrefillWork::chunk(c.tokens, c.context);
    cost::Estimate prefill = profile_.prefill_attention(work, heads_, settings_.kv_type);
    if (shape.decode_sequences > 0) prefill.time = std::max(prefill.time - prefill_floor_.time, Seconds(0.0));
    total += prefill;
    prefill_layer_ = prefill.time;
  }
  total.time = std::max(total.time - in_situ_.attention_overlap, Seconds(0.0)) * in_situ_.attention_factor;
  return total;
}

void StepCost::plan_attention(const cost::StepShape& shape, bool captured) {
  plan_.decodes = shape.decode_sequences > 0;
  if (!plan_.decodes) return;
  plan::AttentionBatch batch;
  batch.sequences = shape.decode_sequences;
  batch.context = shape.decode_context;
  batch.blocks = shape.decode_blocks;
  batch.longest = shape.decode_longest;
  // Prefill beside it leaves the full graph: attention then runs eagerly between pieces of it.
  batch.full_graph = captured && shape.chunks.empty();
  for (const cost::PrefillChunk& c : shape.chunks) {
    ++batch.prefill.sequences;
    batch.prefill.work += plan::attention_work(c.tokens, c.context + c.tokens, planner_->settings().attention_hardware);
    batch.prefill.longest_query = std::max(batch.prefill.longest_query, c.tokens);
  }
  plan_.attention = planner_->attention(batch);
}

void StepCost::name_plan(cost::StepTime& time, const Work& tokens, const Work& sampled, bool samples) {
  plan_.tokens = tokens.plan;
  plan_.sampled = samples ? sampled.plan : nullptr;
  plan_.signature = token_signature(*tokens.plan, *sampled.plan);
  plan_.repeatable = tokens.plan->repeatable && sampled.plan->repeatable &&
                     (!plan_.decodes || plan_.attention.choice.repeatable);
  plan_.padded_tokens = time.padded_tokens;
  time.plan = &plan_;
}

cost::StepTime StepCost::step(const cost::StepShape& shape) {
  std::int64_t tokens = shape.decode_sequences;
  std::int64_t rows = shape.decode_sequences;
  for (const cost::PrefillChunk& c : shape.chunks) {
    tokens += c.tokens;
    rows += c.last ? 1 : 0;
  }
  const bool in_graph = tokens <= graph_max_;
  const std::int64_t padded = in_graph ? *plan::padded_tokens(tokens, graph_max_) : tokens;

  Tables& known = tables(shape.workspace, tokens);
  const Work& per_token = token_work(known, padded, {shape.workspace, in_graph, tokens});
  const Work& sampled = sampled_work(known, std::max<std::int64_t>(rows, 1), {shape.workspace, false, rows});
  if (settings_.follow_plans || plans_attention_) plan_attention(shape, in_graph);
  const cost::Estimate attention_layer = attention(shape);
  cost::StepTime time;
  time.padded_tokens = padded;
  time.collectives = collectives_;
  time.compute = per_token.compute + attention_layer.time * static_cast<double>(layers_);
  time.comm = per_token.comm;
  BadgeTimes by_badge = per_token.by_badge;
  by_badge.add(attention_layer.time * static_cast<double>(layers_), attention_layer.badge);
  time.clock_bound = per_token.clock_bound + prefill_layer_ * static_cast<double>(layers_);
  if (rows > 0) {
    time.clock_bound += sampled.clock_bound;
    time.compute += sampled.compute;
    time.comm += sampled.comm;
    by_badge += sampled.by_badge;
  }
  time.badge = cost::worse(by_badge.badge(), host_.badge);
  // The constants of a step were fitted to engines with graphs.
  if (settings_.enforce_eager) time.badge = cost::worse(time.badge, cost::Badge::extrapolated);
  if (!in_graph && launch_bound_ > time.compute + time.comm) {
    time.compute = launch_bound_ - time.comm;
    time.badge = cost::Badge::hypothetical;
  }
  time.gap = host_.step_gap;
  time.host_before = host_.schedule;
  plan_.captured = in_graph;
  if (settings_.follow_plans) name_plan(time, per_token, sampled, rows > 0);
  return time;
}

}  // namespace brink::serving
