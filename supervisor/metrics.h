// arenad's metrics: counts, collects when somebody asks, has the text made beside the loop, and serves it.
//
//   idle --a scrape--> collected, the text is being made --it is there--> served to all who have come until then, kept for a moment, idle
//
// Only one text is made at a time, and whoever comes within kFreshNs of it gets the same: so however many ask, and however often, the loop
// is held up a few times a second, each time for a few microseconds for each arena.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "supervisor/adoption.h"
#include "supervisor/control_server.h"
#include "supervisor/metrics_facts.h"
#include "supervisor/metrics_server.h"
#include "supervisor/rollouts.h"
#include "supervisor/roster.h"

namespace arenad {

class Metrics {
 public:
  static constexpr uint64_t kFreshNs = 250'000'000;

  // What is looked at. supervisor.cc owns it all.
  struct Scope {
    uv_loop_t* loop;
    FactQueue& facts;
    const Config& config;
    MetricsLedger& ledger;
    const Roster& roster;
    const std::map<std::string, std::unique_ptr<GameVersions>>& games;
    const Rollouts& rollouts;
    const StoreThread& store;
    const Adoption& adoption;
    const ControlServer& control;
    uint64_t started_ns;  // monotonic
  };
  explicit Metrics(Scope scope);
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // Goes by the configuration: where to listen, and who may read. group: of the socket. What cannot be is logged, and stays as it was.
  void configure(gid_t group);
  // A text that is being made is not served any more. The loop does not end before it is made.
  void close();

  RequestCounter& requests() { return requests_; }
  // Called each Arena::kWatchIntervalMs, as far as the loop comes to it.
  void loop_looked(uint64_t now_ns);

 private:
  struct Rendering;

  void wanted();
  [[nodiscard]] MetricsFacts collect();
  void collect_games(MetricsFacts& facts) const;
  void collect_arenas(MetricsFacts& facts);
  void collect_daemon(MetricsFacts& facts) const;
  void rendered(Rendering& done);

  Scope scope_;
  MetricsServer server_;
  RequestCounter requests_;
  std::string listening_;  // as the configuration has it
  double started_unix_s_;
  uint64_t looked_ns_ = 0;
  Durations loop_delay_;
  Durations collecting_;
  Durations rendering_;
  MetricsServer::Text text_;
  uint64_t text_ns_ = 0;  // when it was collected
  CpuTimes cpu_;          // not while a text is being made: then that has it
  // Held by a text that is being made: it may come back after this object is gone.
  std::shared_ptr<Metrics*> self_ = std::make_shared<Metrics*>(this);
  bool is_rendering_ = false;
};

}  // namespace arenad
