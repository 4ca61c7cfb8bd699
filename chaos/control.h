// What a run asks of arenad over its control socket, the way an operator would.
#pragma once

#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "arenad/ids.h"
#include "ipc/control_client.h"

namespace arenad::chaos {

struct StartedArena {
  ArenaId id;
  std::string name;
  std::vector<std::pair<std::string, std::string>> params;
};

// Who hosts an arena right now.
struct Host {
  pid_t pid = 0;  // 0: nobody
  Epoch epoch;
  bool operator==(const Host&) const = default;
};

// As arenad shows it.
struct RunningArena {
  std::string version;  // of its game
  Epoch epoch;
  bool is_running = false;
  bool on_probation = false;
};

class Control {
 public:
  // ErrorCode::unreachable if arenad does not listen there.
  static Result<Control> connect(const std::string& socket);

  // False when arenad is gone, also if there is another one by now.
  [[nodiscard]] bool is_connected() { return client_.poll(); }
  // That it answers, and which process it is.
  Result<pid_t> greet();
  // To whoever listens there now; an error if nobody does.
  Result<void> connect_again();
  Result<StartedArena> start(const std::string& name, std::vector<std::pair<std::string, std::string>> params);
  Result<Host> host_of(ArenaId arena);
  // Of each arena that it knows and that has not ended.
  Result<std::map<ArenaId, Host>> hosts();
  // Each arena that has not ended, by its name.
  Result<std::map<std::string, RunningArena>> running();
  // How many are attached to arenas, players and observers.
  Result<uint64_t> clients();
  // Ends arenas, with all of their state kept. An error names each that was not.
  Result<void> stop(std::span<const ArenaId> arenas);

 private:
  Control(ControlClient client, std::string socket) : client_(std::move(client)), socket_(std::move(socket)) {}
  ControlClient client_;
  std::string socket_;
};

}  // namespace arenad::chaos
