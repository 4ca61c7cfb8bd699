#include "worker/orphan.h"

#include <fcntl.h>
#include <vector>

#include "ipc/clock.h"
#include "ipc/crash_point.h"
#include "ipc/link.capnp.h"
#include "ipc/socket.h"

namespace arenad {
namespace {

// Often while the next arenad is likely to be starting, then seldom.
constexpr uint64_t kEagerNs = 10 * kSecond;
constexpr uint64_t kEagerTryNs = 10 * kMillisecond;
constexpr uint64_t kPatientTryNs = 250 * kMillisecond;

Result<void> send_offer(Link& link, ArenaRuntime& runtime, const Fd& output) {
  capnp::MallocMessageBuilder message;
  auto offer = message.initRoot<wire::FromWorker>().initOffer();
  offer.setArenaHigh(runtime.identity().arena.high);
  offer.setArenaLow(runtime.identity().arena.low);
  offer.setEpoch(runtime.identity().epoch.value);
  offer.setMaxPlayers(runtime.host().max_players());
  const auto& all = runtime.channels().all();
  std::vector<int> fds{runtime.incarnation().fd().get()};
  const size_t count = std::min(all.size(), kMaxLinkFds - fds.size() - 1);
  auto channels = offer.initChannels(static_cast<unsigned>(count));
  // The newest: those whose clients may still be there.
  auto next = all.rbegin();
  for (unsigned i = 0; i < count; ++i, ++next) {
    const WorkerChannel& channel = next->second;
    channels[i].setId(channel.id.value);
    channels[i].setSlot(channel.slot);
    channels[i].setPlayer(channel.player);
    channels[i].setGone(channel.gone_reason.has_value());
    channels[i].setGoneReason(channel.gone_reason.value_or(0));
    fds.push_back(channel.view.fd().get());
  }
  offer.setHasOutput(static_cast<bool>(output));
  if (output) fds.push_back(output.get());
  return link.send(message, fds);
}

}  // namespace

void Orphan::link_broke(uint64_t now_ns) {
  if (!alone_since_ns_) alone_since_ns_ = now_ns;
  // Whoever was hung up on calls again no sooner than it would have otherwise.
  if (state_ == State::watched) next_try_ns_ = now_ns;
  state_ = State::alone;
}

void Orphan::adopted() {
  state_ = State::watched;
  alone_since_ns_.reset();
}

std::optional<Link> Orphan::try_offer(uint64_t now_ns, ArenaRuntime& runtime, const Fd& output) {
  if (state_ != State::alone || now_ns < next_try_ns_) return std::nullopt;
  next_try_ns_ = now_ns + (now_ns - *alone_since_ns_ < kEagerNs ? kEagerTryNs : kPatientTryNs);
  auto socket = connect_unix(socket_path_, SocketKind::packets);
  if (!socket) return std::nullopt;
  ::fcntl(socket->get(), F_SETFL, ::fcntl(socket->get(), F_GETFL) & ~O_NONBLOCK);  // from now on as any link
  Link link(std::move(*socket));
  ARENAD_CRASH_POINT("orphan.offer.before");
  if (!send_offer(link, runtime, output)) return std::nullopt;
  state_ = State::offered;
  ARENAD_CRASH_POINT("orphan.offered");
  return link;
}

}  // namespace arenad
