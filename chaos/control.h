// What a run asks of arenad over its control socket, the way an operator would.
#pragma once

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

class Control {
 public:
  // ErrorCode::unreachable if arenad does not listen there.
  static Result<Control> connect(const std::string& socket);

  // False when arenad is gone, also if there is another one by now.
  [[nodiscard]] bool is_connected() { return client_.poll(); }
  // That it answers.
  Result<void> greet();
  Result<StartedArena> start(const std::string& name, std::vector<std::pair<std::string, std::string>> params);
  Result<Host> host_of(ArenaId arena);
  // Ends arenas, with all of their state kept. An error names each that was not.
  Result<void> stop(std::span<const ArenaId> arenas);

 private:
  explicit Control(ControlClient client) : client_(std::move(client)) {}
  ControlClient client_;
};

}  // namespace arenad::chaos
