// What verbs share that do one thing to each of several arenas and are answered with an item for each: trying it, not waiting for it,
// and asking whether really all are meant.
//
//   --dry-run   asks arenad only which arenas are selected, and says what would happen to each
//   --no-wait   asks for it and returns as soon as arenad has taken it up, with the state of each arena then
#pragma once

#include <functional>
#include <string>

#include "cli/arena_progress.h"
#include "cli/exit_code.h"
#include "cli/selection.h"
#include "cli/session.h"
#include "ipc/control.capnp.h"

namespace CLI {
class App;
}

namespace arenad::cli {

struct ActionOptions {
  bool dry_run = false;
  bool no_wait = false;
  bool yes = false;
};

void add_dry_run(CLI::App& verb, ActionOptions& options);
void add_no_wait(CLI::App& verb, ActionOptions& options);
// what: "really all are meant"
void add_yes(CLI::App& verb, ActionOptions& options, const std::string& what);

struct ArenaAction {
  std::string would;       // "would be stopped"
  std::string doing = {};  // "stopping", what is shown while it takes its time; empty: it never does
  std::function<void(wire::Request::Builder)> fill;
  std::string if_none = "there are no arenas";                   // said when all were meant, and none was concerned
  bool reaches_resting = false;                                  // all are also those that have ended, stopped or failed
  std::function<bool(wire::ArenaStatus::Reader)> concerns = {};  // of all arenas only these
  IsDone is_done = is_at_rest;                                   // with one of them
  uint64_t default_timeout_ms = kDefaultTimeoutMs;
};

// That all are meant is to be confirmed, unless it is only tried. what: "stop".
Result<void> confirm_if_all(const Session& session, const ArenaSelection& selection, const ActionOptions& options,
                            const std::string& what);

// Of a selection that is checked.
ExitCode act_on_arenas(const Session& session, const ArenaSelection& selection, const ActionOptions& options,
                       const ArenaAction& action);

void note_dry_run(const Session& session);

}  // namespace arenad::cli
