// What arenad tells its service manager again and again (sd_notify(3)): that it makes progress (WATCHDOG), what it does (STATUS), and that
// beginning or stopping takes longer (EXTEND_TIMEOUT_USEC). Pure: it gets facts, and gives the message that is due.
//
//   stage    | STATUS                                        | more time
//   ---------+-----------------------------------------------+--------------------------------------------------
//   adopting | Adopting: 3 of 12 arenas are taken up         | while arenad's own limit has not passed, and each
//   stopping | Stopping: 3 of 12 arenas are saved            |   time that less is left than ever before
//   serving  | 12 arenas: 10 running, 1 recovering, 1 failed | -: nothing has a limit
//
// It is asked by whoever has just looked after every arena. A timer or a thread of its own would go on feeding the watchdog while arenad
// does nothing else any more. What waits for a disk feeds it: the disk holds up no arena, and another arenad would have the same one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace arenad {

struct ServiceFacts {
  enum class Stage { adopting, serving, stopping };
  Stage stage = Stage::adopting;
  size_t arenas = 0;
  // Not taken up yet while adopting; not saved yet while stopping.
  size_t left = 0;
  bool is_within_limit = false;  // arenad has set itself a limit for that, and it has not passed
  // While serving.
  size_t running = 0;
  size_t draining = 0;
  size_t recovering = 0;
  size_t failed = 0;
  bool database_fails = false;
};

std::string status_text(const ServiceFacts& facts);

class ServiceReport {
 public:
  static constexpr uint64_t kExtensionUs = 10'000'000;
  static constexpr uint64_t kLastWriteUs = 60'000'000;

  // 0: there is no watchdog.
  explicit ServiceReport(uint64_t watchdog_ns) : feed_every_ns_(watchdog_ns / 2) {}  // as sd_watchdog_enabled(3) advises
  // Empty: nothing is due. A new stage is told at once, everything else at most once a second.
  std::string next(const ServiceFacts& facts, uint64_t now_ns);

 private:
  [[nodiscard]] bool needs_time(const ServiceFacts& facts);

  uint64_t feed_every_ns_;
  std::optional<uint64_t> fed_ns_;
  std::optional<uint64_t> told_ns_;
  ServiceFacts::Stage stage_ = ServiceFacts::Stage::adopting;
  std::string told_;
  std::optional<uint64_t> extended_ns_;
  std::optional<size_t> least_left_;  // of this stage
  bool has_moved_ = false;            // since time was asked for
};

}  // namespace arenad
