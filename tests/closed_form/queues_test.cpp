// Classical queues through the real world, gateway, replica, seats and blocks; only the step
// cost and the requests are injected. A case passes if |error| <= max(4 SE, 0.5 %), and 4 SE
// itself is at most 2 %. SE by 50 batch means (law_checker.h): a right simulator fails a case
// with probability 2.1e-4 at most; with the seeds fixed the outcome is one of them for good.
#include <cmath>
#include <cstdio>
#include <functional>
#include <vector>

#include <gtest/gtest.h>

#include "models/base/random.h"
#include "tests/support/forked.h"
#include "tests/support/law_checker.h"
#include "tests/support/rig.h"

namespace brink::testing {
namespace {

serving::EngineConfig engine(std::int64_t seats) {
  serving::EngineConfig e;
  e.max_num_seqs = seats;
  e.max_num_batched_tokens = 8192;
  e.max_model_len = 1 << 20;
  e.block_size = 16;
  e.kv_blocks = 1 << 24;
  e.async_scheduling = false;
  return e;
}

/// Poisson arrivals; `output` gives the answer length of a request.
std::unique_ptr<workload::IRequestSource> poisson(double rate, std::uint64_t count, std::uint64_t seed,
                                                  std::function<std::int64_t(std::uint64_t)> output) {
  return std::make_unique<FunctionSource>(
      [=, at = 0.0, stream = RandomStream(seed, "arrivals")](std::uint64_t i) mutable -> std::optional<workload::Request> {
        if (i == count) return std::nullopt;
        at += stream.exponential({i}) / rate;
        return workload::Request{RequestId{i}, Seconds(at), 1, output(i)};
      });
}

std::int64_t one_token(std::uint64_t) { return 1; }

struct Measured {
  double sojourn, se, busy_fraction;
};

using Control = std::function<double(const serving::RequestRecord&)>;

Measured measure(const Rig& rig, const std::function<std::unique_ptr<workload::IRequestSource>()>& source,
                 std::uint64_t count, const Control& control) {
  const auto v = in_child([&] {
    LawChecker laws(rig.engine, count);
    laws.control = control;
    run_world(rig, source(), laws);
    laws.finish();
    laws.utilisation_law();
    if (laws.ends() != count) throw std::logic_error("requests are missing");
    return std::vector<double>{laws.sojourn.mean(), laws.sojourn.standard_error(), laws.busy_time() / laws.end_time()};
  });
  return {v[0], v[1], v[2]};
}

/// Controls: the service a request got on its one seat (mean 1), the length of its answer.
double service_control(const serving::RequestRecord& r) { return (r.finish - r.scheduled).value() - 1.0; }
Control length_control(double mean) {
  return [mean](const serving::RequestRecord& r) { return static_cast<double>(r.output_tokens) / mean - 1.0; };
}

void expect_mean(const char* what, double mean, double se, double expected) {
  std::printf("[          ] %s: %.6g, expected %.6g (%+.2f %%, 4 SE %.2f %%)\n", what, mean, expected,
              100.0 * (mean / expected - 1.0), 400.0 * se / expected);
  EXPECT_LE(4.0 * se / expected, 0.02) << what << ": the run is too short to say anything";
  EXPECT_LE(std::abs(mean - expected), std::max(4.0 * se, 0.005 * expected)) << what;
}

/// One seat, one token: a request is one step, whose length `service` draws (mean 1).
Measured single_server(double rho, std::uint64_t count, const std::function<double(std::uint64_t)>& service) {
  Rig rig;
  rig.engine = engine(1);
  rig.cost = [&](std::size_t) { return [&](const cost::StepShape& s) { return gpu_time(Seconds(service(s.step))); }; };
  return measure(rig, [=] { return poisson(rho, count, 11, one_token); }, count, service_control);
}

struct Load {
  double rho;
  std::uint64_t count;
};
// The relative variance of a queue's mean grows like 1/(1 - rho)^2 (Whitt 1989, Management
// Science 35(11)): the counts hold 4 SE below 2 %.
const Load loads[] = {{0.3, 200'000}, {0.5, 400'000}, {0.7, 1'400'000}};

TEST(closed_form, m_m_1) {
  const RandomStream stream(5, "service");
  for (const auto& [rho, count] : loads) {
    const Measured m = single_server(rho, count, [&](std::uint64_t step) { return stream.exponential({0, step}); });
    expect_mean("M/M/1 sojourn", m.sojourn, m.se, 1.0 / (1.0 - rho));
    EXPECT_NEAR(m.busy_fraction, rho, 0.01 * rho);
  }
}

TEST(closed_form, m_d_1) {
  for (const auto& [rho, count] : loads) {
    const Measured m = single_server(rho, count / 2, [](std::uint64_t) { return 1.0; });
    expect_mean("M/D/1 sojourn", m.sojourn, m.se, 1.0 + rho / (2.0 * (1.0 - rho)));
  }
}

// Pollaczek-Khinchine with a service of squared coefficient of variation 2.25.
TEST(closed_form, m_g_1) {
  const double shape = 1.0 / 2.25;
  const RandomStream stream(5, "service");
  const double rho = 0.5;
  const Measured m = single_server(rho, 700'000, [&](std::uint64_t step) { return stream.gamma_mean_one(shape, {0, step}); });
  expect_mean("M/G/1 sojourn", m.sojourn, m.se, 1.0 + rho * (1.0 + 2.25) / (2.0 * (1.0 - rho)));
}

/// Mean time in an M/M/c queue with service rate 1 (Erlang C).
double erlang_c_sojourn(double offered, int servers) {
  double blocking = 1.0;  // Erlang B by its recursion
  for (int k = 1; k <= servers; ++k) blocking = offered * blocking / (k + offered * blocking);
  const double rho = offered / servers;
  const double wait = blocking / (1.0 - rho + rho * blocking);
  return 1.0 + wait / (servers - offered);
}

/// The queue a replica with c seats, steps of length d and geometric answers (success p a step)
/// really is: arrivals join at the ends of steps, an idle engine starts at once. Its
/// number-in-system at step starts is a Markov chain, solved here by iteration; the mean sojourn
/// follows from the renewal-reward theorem and Little's law. As d -> 0 it is M/M/c.
double stepped_sojourn(double rate, double step, double p, int seats) {
  const int limit = 400;
  std::vector<double> arrivals(limit + 1);
  arrivals[0] = std::exp(-rate * step);
  for (int k = 1; k <= limit; ++k) arrivals[static_cast<std::size_t>(k)] = arrivals[static_cast<std::size_t>(k - 1)] * rate * step / k;
  std::vector<std::vector<double>> leaves(static_cast<std::size_t>(seats) + 1);  // binomials
  for (int n = 0; n <= seats; ++n) {
    auto& row = leaves[static_cast<std::size_t>(n)];
    double choose = 1.0;
    for (int k = 0; k <= n; ++k) {
      row.push_back(choose * std::pow(p, k) * std::pow(1.0 - p, n - k));
      choose = choose * (n - k) / (k + 1);
    }
  }
  std::vector<double> pi(limit + 1, 0.0), next;
  pi[1] = 1.0;
  double idle = 0.0, change = 1.0;
  while (change > 1e-13) {
    next.assign(limit + 1, 0.0);
    for (std::size_t n = 1; n <= limit; ++n) {
      if (pi[n] < 1e-18) continue;
      const auto& row = leaves[std::min<std::size_t>(n, static_cast<std::size_t>(seats))];
      for (std::size_t d = 0; d < row.size(); ++d) {
        const double weight = pi[n] * row[d];
        for (std::size_t a = 0; a <= limit && n - d + a <= limit && arrivals[a] > 1e-18; ++a) {
          next[n - d + a] += weight * arrivals[a];
        }
      }
    }
    idle = next[0];
    next[1] += next[0];
    next[0] = 0.0;
    change = 0.0;
    for (std::size_t n = 0; n <= limit; ++n) change += std::abs(next[n] - pi[n]);
    pi.swap(next);
  }
  double population = 0.0, mass = 0.0;
  for (std::size_t n = 1; n <= limit; ++n) {
    population += pi[n] * (static_cast<double>(n) * step + rate * step * step / 2.0);
    mass += pi[n] * step;
  }
  return population / (mass + idle / rate) / rate;
}

TEST(closed_form, m_m_c) {
  const double mean_length = 24.0, step = 1.0 / mean_length;
  const RandomStream stream(5, "length");
  for (const auto& [rho, seats, count] : {std::tuple{0.3, 4, 60'000}, {0.5, 4, 90'000}, {0.7, 4, 250'000}, {0.7, 16, 100'000}}) {
    Rig rig;
    rig.engine = engine(seats);
    rig.cost = [&](std::size_t) { return [=](const cost::StepShape&) { return gpu_time(Seconds(step)); }; };
    const double rate = rho * seats;
    const auto n = static_cast<std::uint64_t>(count);
    const Measured m = measure(
        rig,
        [&] {
          return poisson(rate, n, 11, [&](std::uint64_t i) {
            return 1 + static_cast<std::int64_t>(std::log(stream.uniform({i})) / std::log(1.0 - 1.0 / mean_length));
          });
        },
        n, length_control(mean_length));
    expect_mean("M/M/c in steps, sojourn", m.sojourn, m.se, stepped_sojourn(rate, step, 1.0 / mean_length, seats));
    // What the steps cost against Erlang C is less than a step and a half; it vanishes with them.
    const double erlang = erlang_c_sojourn(rate, seats);
    EXPECT_LT(std::abs(m.sojourn - erlang), 1.5 * step + 4.0 * m.se);
    EXPECT_NEAR(stepped_sojourn(rate, 1e-3, 1e-3, seats), erlang, 2e-3 * erlang);
  }
}

// Every running sequence gets a token a step and a step takes the longer the more there are:
// processor sharing. The mean sojourn of a job is its size/(1 - rho) whatever the distribution
// of the sizes (Kleinrock 1976, section 4.4); fixed and geometric lengths must agree with it.
TEST(closed_form, m_g_1_processor_sharing) {
  const double rho = 0.4, mean_length = 50.0, quantum = 1.0 / mean_length;
  const std::uint64_t count = 200'000;
  const RandomStream stream(5, "length");
  for (const bool fixed : {true, false}) {
    Rig rig;
    rig.engine = engine(1000);
    rig.cost = [&](std::size_t) {
      return [=](const cost::StepShape& s) {
        const auto members = static_cast<double>(s.decode_sequences) + static_cast<double>(s.chunks.size());
        return gpu_time(Seconds(quantum * members));
      };
    };
    const Measured m = measure(
        rig,
        [&] {
          return poisson(rho, count, 11, [&, fixed](std::uint64_t i) {
            return fixed ? static_cast<std::int64_t>(mean_length)
                         : 1 + static_cast<std::int64_t>(std::log(stream.uniform({i})) / std::log(1.0 - 1.0 / mean_length));
          });
        },
        count, length_control(mean_length));
    // An arrival waits for the step under way: rho times the mean residual step, of order quantum.
    const double expected = 1.0 / (1.0 - rho);
    std::printf("[          ] M/G/1-PS %s: %.5g, expected %.5g\n", fixed ? "fixed" : "geometric", m.sojourn, expected);
    EXPECT_LE(4.0 * m.se / expected, 0.02);
    EXPECT_LE(std::abs(m.sojourn - expected), std::max(4.0 * m.se, 0.005 * expected) + 2.0 * quantum);
  }
}

// A closed network of N clients, an exponential server and a thinking station (the front end's
// fixed latency; a delay station's distribution does not matter): exact mean value analysis.
TEST(closed_form, closed_network_against_mva) {
  const double think = 3.0;
  const std::uint64_t count = 100'000;
  const RandomStream stream(5, "service");
  double queue = 0.0;
  for (int clients = 1; clients <= 8; ++clients) {
    const double residence = 1.0 + queue;  // MVA (Reiser & Lavenberg 1980)
    const double throughput = clients / (think + residence);
    queue = throughput * residence;
    if (clients % 2 != 0 && clients != 1) continue;
    Rig rig;
    rig.engine = engine(1);
    rig.front_end.request_latency = Seconds(think);
    rig.max_in_flight = clients;
    rig.cost = [&](std::size_t) { return [&](const cost::StepShape& s) { return gpu_time(Seconds(stream.exponential({0, s.step}))); }; };
    const Measured m = measure(
        rig,
        [&] {
          return std::make_unique<FunctionSource>([=](std::uint64_t i) -> std::optional<workload::Request> {
            if (i == count) return std::nullopt;
            return workload::Request{RequestId{i}, Seconds(0.0), 1, 1};
          });
        },
        count, service_control);
    expect_mean("closed network, response time", m.sojourn, m.se, think + residence);
    // Asymptotic bounds, never violated: X <= min(1/D, N/(Z + D)), here with the run's own D.
    const double measured_throughput = static_cast<double>(clients) / m.sojourn;
    EXPECT_LE(measured_throughput, std::min(1.0, clients / (think + 1.0)) * 1.01);
  }
}

}  // namespace
}  // namespace brink::testing
