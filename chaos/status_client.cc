#include "chaos/status_client.h"

#include "ipc/text.h"

namespace arenad::chaos {

std::optional<ToldStatus> StatusClient::ask(ArenaId arena) {
  auto answer = arenad_.ask([&](wire::Request::Builder request) {
    auto selection = request.initStatus();
    selection.initArenas(1).set(0, arena.text());
    selection.setFinished(true);
  });
  if (!answer) return std::nullopt;
  const auto arenas = answer->root().getReply().getStatus().getArenas();
  if (arenas.size() != 1) return std::nullopt;
  const auto from = arenas[0];
  return ToldStatus{text_of(from.getState()), from.getEpoch(), from.getFrame(), from.getDurableFrame(),
                    from.getRestartsTotal()};
}

}  // namespace arenad::chaos
