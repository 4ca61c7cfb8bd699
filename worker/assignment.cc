#include "worker/assignment.h"

namespace arenad {
namespace {

Result<Snapshot> read_checkpoint(Fd region) {
  auto view = RegionView::map(std::move(region), kPageBytes);
  if (!view) return view.error();
  // The region is padded to pages; the snapshot says how long it is.
  const auto* bytes = reinterpret_cast<const char*>(view->data());
  SnapshotHeader header;
  std::memcpy(&header, bytes, sizeof header);
  if (header.total_bytes > view->bytes()) return make_error(ErrorCode::corrupt, "a checkpoint is cut off");
  return Snapshot::parse(std::string_view(bytes, header.total_bytes));
}

}  // namespace

Result<AssignedChannel> take_channel(wire::Channel::Reader message, Fd region) {
  auto view = ChannelView::map(std::move(region));
  if (!view) return view.error();
  AssignedChannel channel;
  channel.id = {message.getId()};
  channel.slot = message.getSlot();
  channel.player = message.getPlayer();
  if (message.getGone()) channel.gone_reason = message.getGoneReason();
  channel.view = std::move(*view);
  if (channel.slot >= limits::kMaxSlots) return make_error(ErrorCode::invalid, "a channel's slot is out of bounds");
  return channel;
}

Result<Assignment> take_assignment(wire::Assign::Reader message, std::vector<Fd> fds) {
  const bool is_taken_back = message.getWay() == wire::Way::TAKE_BACK;
  const size_t expected = 1 + (message.getHasPredecessor() ? 1 : 0) + (is_taken_back ? 1 : 0) +
                          (message.getHasCheckpoint() ? 1 : 0) + message.getChannels().size();
  if (fds.size() != expected) return make_error(ErrorCode::invalid, "an assignment came without all of its regions");
  size_t next = 0;
  Assignment a;
  a.identity = {{message.getArenaHigh(), message.getArenaLow()}, {message.getEpoch()}, message.getName()};
  a.code = {message.getCodeHigh(), message.getCodeLow()};
  a.restarts = message.getRestarts();
  a.fresh = message.getReason() == wire::Reason::FRESH;
  for (const auto param : message.getParams()) a.params.emplace_back(param.getKey(), param.getValue());
  a.snapshot_interval_ns = uint64_t{message.getSnapshotIntervalMs()} * 1'000'000;
  a.max_event_bytes = message.getMaxEventBytes();
  a.adoption_socket = message.getAdoptionSocket();
  a.orphan_timeout_ns = uint64_t{message.getOrphanTimeoutMs()} * 1'000'000;
  if (message.getSlowFrameMs() != 0) a.slow_frame_ns = uint64_t{message.getSlowFrameMs()} * 1'000'000;
  for (const auto one : message.getQuarantined()) {
    a.sources.quarantined.push_back({{{one.getChannel()}, one.getSequence()}, one.getEntry()});
  }
  if (message.getOnDivergence() == wire::OnDivergence::STOP) a.sources.on_divergence = RecoverySources::OnDivergence::stop;
  auto board = BoardView::map(std::move(fds[next++]));
  if (!board) return board.error();
  a.board = std::move(*board);
  a.sources.durable = {a.board.durable_frame()};
  if (message.getHasPredecessor()) {
    auto view = IncarnationView::map(std::move(fds[next++]));
    // Game code may have written anywhere in it.
    if (!view && view.error().code != ErrorCode::corrupt) return view.error();
    a.sources.is_destroyed = !view.ok();
    if (view) a.sources.predecessor = std::move(*view);
  }
  a.sources.is_handover = message.getWay() == wire::Way::HANDOVER;
  if (is_taken_back) {
    auto view = IncarnationView::map(std::move(fds[next++]));
    if (!view) return view.error();
    a.sources.origin = std::move(*view);
  }
  if (message.getHasCheckpoint()) {
    auto checkpoint = read_checkpoint(std::move(fds[next++]));
    if (checkpoint) a.sources.checkpoint = std::move(*checkpoint);
    if (!checkpoint && !a.sources.predecessor) return checkpoint.error();
  }
  for (const auto channel : message.getChannels()) {
    auto taken = take_channel(channel, std::move(fds[next++]));
    if (!taken) return taken.error();
    a.channels.push_back(std::move(*taken));
  }
  return a;
}

}  // namespace arenad
