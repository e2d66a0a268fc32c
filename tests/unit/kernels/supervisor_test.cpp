#include "kernels/runner/supervisor.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/support/temp_path.h"

namespace brink::kernels {
namespace {

/// What a run left behind: the failures told to the parent, and one line a point in a file, as
/// workers are processes of their own.
class KernelSupervisor : public testing::Test {
 protected:
  std::vector<std::string> done() const {
    std::vector<std::string> lines;
    std::ifstream in(path_);
    for (std::string l; std::getline(in, l);) lines.push_back(l);
    return lines;
  }
  bool is_done(const std::string& key) const {
    for (const std::string& l : done()) {
      if (l == key) return true;
    }
    return false;
  }
  void mark(const std::string& key) const { std::ofstream(path_, std::ios::app) << key << "\n"; }

  /// A worker of four points that does `at_c` in the third.
  Worker worker(std::function<int()> at_c) const {
    return [this, at_c](int fd, double) {
      for (const char* key : {"a", "b", "c", "d"}) {
        if (is_done(key)) continue;
        send_heartbeat(fd, heartbeat_begin("g", key));
        if (std::string(key) == "c") {
          if (const int status = at_c(); status != 0) return status;
        }
        mark(key);
        send_heartbeat(fd, heartbeat_end());
      }
      return 0;
    };
  }
  ReportFailed report() {
    return [this](const std::string& group, const std::string& key, const std::string& why) {
      failures_.push_back(group + "/" + key + ": " + why);
      mark(key);  // as the ledger does: a failed point is done
    };
  }

  test::TempPath file_{"points_of_a_test"};
  const std::string& path_ = file_.str();
  std::vector<std::string> failures_;
};

TEST_F(KernelSupervisor, AWorkerThatSucceedsRunsOnce) {
  EXPECT_EQ(supervise({}, worker([] { return 0; }), report()), 0);
  EXPECT_EQ(done(), (std::vector<std::string>{"a", "b", "c", "d"}));
  EXPECT_TRUE(failures_.empty());
}

TEST_F(KernelSupervisor, ACrashCostsOnePoint) {
  EXPECT_EQ(supervise({}, worker([] { return raise(SIGKILL); }), report()), exit_points_failed);
  EXPECT_EQ(done(), (std::vector<std::string>{"a", "b", "c", "d"}));
  ASSERT_EQ(failures_.size(), 1U);
  EXPECT_EQ(failures_[0], "g/c: the process died: Killed");
}

TEST_F(KernelSupervisor, AFailedDeviceStartsAgain) {
  EXPECT_EQ(supervise({}, worker([] { return exit_device_failed; }), report()), exit_points_failed);
  ASSERT_EQ(failures_.size(), 1U);
  EXPECT_EQ(failures_[0], "g/c: the process left with status 3");
}

TEST_F(KernelSupervisor, AnyOtherStatusEndsTheRun) {
  EXPECT_EQ(supervise({}, worker([] { return 2; }), report()), 2);
  EXPECT_EQ(done(), (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(failures_.empty());
}

TEST_F(KernelSupervisor, AHangIsStopped) {
  SupervisorLimits limits;
  limits.silence_s = 0.3;
  EXPECT_EQ(supervise(limits, worker([] { return pause(); }), report()), exit_points_failed);
  ASSERT_EQ(failures_.size(), 1U);
  EXPECT_EQ(failures_[0], "g/c: the process was stopped: no sign of life");
  EXPECT_EQ(done().back(), "d");
}

TEST_F(KernelSupervisor, ThePastBudgetEndsARunThatHangs) {
  SupervisorLimits limits;
  limits.budget_s = 0.1;
  limits.grace_s = 0.2;
  EXPECT_EQ(supervise(limits, worker([] { return pause(); }), report()), 1);
  ASSERT_EQ(failures_.size(), 1U);
  EXPECT_EQ(failures_[0], "g/c: the process was stopped: it ran past the end of the budget");
}

TEST_F(KernelSupervisor, AGroupThatBreaksBetweenPointsLosesItsPreparation) {
  const Worker breaks_between = [this](int fd, double) -> int {
    if (is_done(preparation_key)) return 0;  // as main does: the group is left out
    send_heartbeat(fd, heartbeat_begin("g", "a"));
    mark("a");
    send_heartbeat(fd, heartbeat_end());
    send_heartbeat(fd, heartbeat_begin("g", preparation_key));
    return raise(SIGKILL);
  };
  EXPECT_EQ(supervise({}, breaks_between, report()), exit_points_failed);
  ASSERT_EQ(failures_.size(), 1U);
  EXPECT_EQ(failures_[0], "g/preparation: the process died: Killed");
}

TEST_F(KernelSupervisor, GivesUpOnAWorkerThatNeverGetsGoing) {
  int starts = 0;
  const Worker broken = [](int, double) -> int { return raise(SIGKILL); };
  EXPECT_EQ(supervise({}, broken, [&](const std::string&, const std::string&, const std::string&) { ++starts; }), 1);
  EXPECT_EQ(starts, 0);  // it was in no point
}

TEST_F(KernelSupervisor, AWorkerGetsWhatIsLeftOfTheBudget) {
  SupervisorLimits limits;
  limits.budget_s = 50;
  const Worker slow_then_crash = [this](int fd, double budget_s) {
    mark(budget_s > 49.9 ? "first" : budget_s > 49 ? "later" : "wrong");
    if (is_done("later")) return 0;
    send_heartbeat(fd, heartbeat_begin("g", "x"));
    usleep(200'000);
    return raise(SIGKILL);
  };
  EXPECT_EQ(supervise(limits, slow_then_crash, [](auto&&...) {}), exit_points_failed);
  EXPECT_EQ(done(), (std::vector<std::string>{"first", "later"}));
}

}  // namespace
}  // namespace brink::kernels
