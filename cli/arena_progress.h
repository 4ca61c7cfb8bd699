// How far work on many arenas is, while its answer is waited for: "stopping: 12 of 40, 3s", a line at the terminal (Console::progress()).
//
// arenad answers when all of it is done. So that there is something to see it is asked meanwhile, over a connection of its own, how the
// arenas are. Where no terminal is, nothing is asked.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "cli/selection.h"
#include "cli/session.h"
#include "ipc/control.capnp.h"

namespace arenad::cli {

struct ArenaBefore {
  uint64_t epoch = 0;
  uint64_t frame = 0;
};

// Whether it is done with an arena, as it is now and was before.
using IsDone = std::function<bool(const ArenaBefore& before, wire::ArenaStatus::Reader now)>;
// It rests: stopped, ended, failed or lost.
bool is_at_rest(const ArenaBefore& before, wire::ArenaStatus::Reader now);
// It has come to another process.
bool has_moved(const ArenaBefore& before, wire::ArenaStatus::Reader now);
// What it was is in the database.
bool is_durable(const ArenaBefore& before, wire::ArenaStatus::Reader now);

class ArenaProgress {
 public:
  // doing: "stopping". Looks at the arenas as they are before anything is done to them.
  ArenaProgress(const Session& session, std::string doing, const ArenaSelection& selection, IsDone is_done);
  // Only time passes: there is nothing to be counted.
  ArenaProgress(const Session& session, std::string doing);

  // To be called now and then. What is done soon shows no line.
  void look();

 private:
  bool ask(bool finished, const std::function<void(wire::ArenaStatus::Reader)>& take) const;
  [[nodiscard]] std::string counted() const;

  const Session& session_;
  std::string doing_;
  ArenaSelection selection_;
  IsDone is_done_;
  uint64_t began_ns_;
  uint64_t asked_ns_ = 0;
  std::map<std::string, ArenaBefore> before_;  // by id
  std::string count_;                          // "12 of 40", as it was last
};

}  // namespace arenad::cli
