#include "chaos/status_client.h"

#include "ipc/clock.h"
#include "ipc/text.h"

namespace arenad::chaos {
namespace {

// A stopped arenad takes connections and says nothing.
constexpr uint64_t kPatienceMs = 200;
constexpr uint64_t kSilenceNs = 2 * kSecond;

}  // namespace

std::optional<ToldStatus> StatusClient::ask(ArenaId arena) {
  if (monotonic_ns() < silent_until_ns_) return std::nullopt;
  if (!control_) {
    auto connected = ControlClient::connect(socket_);
    if (!connected) return std::nullopt;
    control_.emplace(std::move(*connected));
  }
  auto answer = control_->call(
      [&](wire::Request::Builder request) {
        auto selection = request.initStatus();
        selection.initArenas(1).set(0, arena.text());
        selection.setFinished(true);
      },
      {}, kPatienceMs);
  if (!answer) {
    if (answer.error().code == ErrorCode::timeout) silent_until_ns_ = monotonic_ns() + kSilenceNs;
    control_.reset();
    return std::nullopt;
  }
  const auto arenas = answer->root().getReply().getStatus().getArenas();
  if (arenas.size() != 1) return std::nullopt;
  const auto from = arenas[0];
  return ToldStatus{text_of(from.getState()), from.getEpoch(), from.getFrame(), from.getDurableFrame(),
                    from.getRestartsTotal()};
}

}  // namespace arenad::chaos
