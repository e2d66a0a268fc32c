#include "sim/scenario/progress.h"

namespace brink::scenario {

void ProgressRecorder::on_request(const serving::RequestRecord& record) {
  ++finished_;
  next_.on_request(record);
}

void ProgressRecorder::on_step(const serving::StepRecord& record) {
  next_.on_step(record);
  if (++steps_ % steps_per_look == 0 && sink_ != nullptr) look(record.end);
}

void ProgressRecorder::look(Seconds now) {
  const Clock::time_point wall = Clock::now();
  const auto since = [wall](Clock::time_point from) { return Seconds(std::chrono::duration<double>(wall - from).count()); };
  if (since(reported_) < sink_->interval) return;
  reported_ = wall;
  sink_->report({now, finished_, total_, since(begin_)});
}

}  // namespace brink::scenario
