// A ring of the tenants that have work: the head has waited longest.
#include <cassert>
#include <cstddef>
#include <vector>

#include "sim/policy/i_tenant_turn.h"

namespace brink::policy {

namespace {

constexpr std::int32_t nobody = -1;

class RoundRobinTurn final : public ITenantTurn {
 public:
  RoundRobinTurn(std::int64_t quantum, std::int64_t age) : quantum_(quantum), age_(age) {}

  void join(std::int32_t tenant) override {
    assert(tenant >= 0);
    if (static_cast<std::size_t>(tenant) >= links_.size()) links_.resize(static_cast<std::size_t>(tenant) + 1);
    if (link(tenant).in) return;
    append(tenant);
    ++size_;
  }

  void leave(std::int32_t tenant) override {
    if (tenant < 0 || static_cast<std::size_t>(tenant) >= links_.size() || !link(tenant).in) return;
    remove(tenant);
    --size_;
    if (tenant == holder_) holder_ = nobody;
  }

  [[nodiscard]] std::int64_t size() const override { return size_; }

  std::int32_t next() override {
    if (size_ == 0) return nobody;
    ++steps_;
    if (holder_ == nobody || used_ >= quantum_ || someone_aged()) {
      holder_ = first_;
      used_ = 0;
    }
    ++used_;
    // The holder stands last: everybody else has waited longer.
    remove(holder_);
    append(holder_);
    return holder_;
  }

  void pass() override { holder_ = nobody; }

 private:
  struct Link {
    std::int32_t previous = nobody, next = nobody;
    std::int64_t since = 0;  // step number when it joined or last ran
    bool in = false;
  };

  Link& link(std::int32_t tenant) { return links_[static_cast<std::size_t>(tenant)]; }

  // The steps since then, the one now to be given included, would exceed the age.
  bool someone_aged() { return first_ != holder_ && steps_ - link(first_).since > age_; }

  void append(std::int32_t tenant) {
    link(tenant) = {last_, nobody, steps_, true};
    (last_ == nobody ? first_ : link(last_).next) = tenant;
    last_ = tenant;
  }

  void remove(std::int32_t tenant) {
    const Link gone = link(tenant);
    (gone.previous == nobody ? first_ : link(gone.previous).next) = gone.next;
    (gone.next == nobody ? last_ : link(gone.next).previous) = gone.previous;
    link(tenant).in = false;
  }

  std::int64_t quantum_, age_;
  std::vector<Link> links_;  // by tenant
  std::int32_t first_ = nobody, last_ = nobody, holder_ = nobody;
  std::int64_t size_ = 0, used_ = 0, steps_ = 0;
};

}  // namespace

std::unique_ptr<ITenantTurn> make_round_robin_turn(std::int64_t quantum_steps, std::int64_t age_steps) {
  return std::make_unique<RoundRobinTurn>(quantum_steps, age_steps);
}

}  // namespace brink::policy
