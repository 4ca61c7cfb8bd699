#include "supervisor/adoption.h"

#include <algorithm>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "arenad/module_abi.h"
#include "ipc/channel.h"
#include "ipc/crash_point.h"
#include "ipc/mutant.h"
#include "ipc/process.h"
#include "ipc/socket.h"
#include "supervisor/give_up.h"
#include "supervisor/log.h"
#include "supervisor/process_start.h"

namespace arenad {
namespace {

// Whoever comes then waits until one has spoken, or was hung up on.
constexpr size_t kMaxCallers = 10'000;
constexpr uint64_t kSilenceLookMs = 1000;
constexpr uint64_t kMostSilentLooks = 10;
// A worker that is hung up on calls again, every 10 ms at most. Nobody is hung up on so often.
constexpr uint64_t kMostCallsInAMinute = 1000;
constexpr uint64_t kLooksInAMinute = 60;
constexpr uint64_t kTickOfTheKernelNs = 10 * kMillisecond;

// Whoever hangs up at once is seen only after that. It has called if it has lived since its first call was seen and there were more calls than
// can have waited then.
bool is_caller_for_long(pid_t pid, uint64_t calls, uint64_t first_seen_ns) {
  if (calls <= kMostCallsInAMinute + SOMAXCONN) return false;
  const auto began_ns = process_start_ns(pid);
  return began_ns && *began_ns + kTickOfTheKernelNs < first_seen_ns;
}

bool has_hung_up(const Fd& socket) {
  pollfd state{socket.get(), 0, 0};
  return ::poll(&state, 1, 0) == 1;
}

// A frame has let it in, and it is not in the table: it has left again, also if it is still kept for those who may have to run that frame
// once more. Whoever is given its seat may not be in any table yet.
void mark_by_region(const IncarnationView& region, std::vector<RosterChannel>& channels) {
  const uint64_t newest_joined = region.status().newest_joined.load(std::memory_order_acquire);
  for (RosterChannel& channel : channels) {
    const uint64_t now_there = region.channels()[channel.slot].channel_id.load(std::memory_order_acquire);
    const bool has_left = now_there != channel.id.value && channel.id.value <= newest_joined;
    if (has_left && !channel.gone_reason) channel.gone_reason = ARENAD_LEFT;
  }
}

// On probation, a handed over incarnation is kept beside its successor of other code: that one's predecessor which has finished in order.
std::optional<IncarnationView> take_origin(std::map<uint64_t, IncarnationView>& regions, const IncarnationView& newest) {
  for (auto it = regions.rbegin(); it != regions.rend(); ++it) {
    IncarnationView& region = it->second;
    if (it->first >= newest.epoch().value || region.arena() != newest.arena()) continue;
    const bool handed_over = region.stage() == Stage::finished && region.code() != newest.code() && !region.code().is_null();
    if (handed_over) return std::move(region);
  }
  return std::nullopt;
}

}  // namespace

Adoption::Adoption(Scope scope)
    : scope_(scope),
      acceptor_(scope.children.loop, scope.children.facts),
      deadline_(scope.children.loop, [this] { scope_.children.facts.post([this] { nobody_came(); }); }),
      silence_(scope.children.loop, [this] { scope_.children.facts.post([this] { hang_up_on_the_silent(); }); }) {}

void Adoption::close() {
  acceptor_.close();
  deadline_.close();
  silence_.close();
  callers_.clear();
  left_.clear();
}

Result<void> Adoption::begin(const std::string& socket_path, std::vector<KeptDescriptor> kept, size_t arenas,
                             std::function<void()> settled) {
  const auto take = [this](Fd socket) { accepted(std::move(socket)); };
  if (handed_ != nullptr) {
    acceptor_.take_on(handed_->take(handed_->state().getWorkersListener()), socket_path, take);
  } else if (auto listening = acceptor_.listen(socket_path, SocketKind::packets, take); !listening) {
    return listening;
  }
  settled_ = std::move(settled);
  unknown_ = arenas;
  for (KeptDescriptor& one : kept) {
    if (const auto name = KeptName::parse(one.name)) add(*name, std::move(one.fd));
  }
  ARENAD_CRASH_POINT("arenad.adoption.begun");
  if (unknown_ == 0) begin_to_accept();
  // Also with nothing to take up, it is settled in a turn of the loop, not here.
  scope_.children.facts.post([this] { settle_if_done(); });
  return {};
}

// Their time begins when they are heard, however long the database took to tell of them.
void Adoption::begin_to_accept() {
  acceptor_.begin();
  deadline_.start(scope_.services.config.arenas.adoption_timeout_ms);
}

void Adoption::add(const KeptName& name, Fd fd) {
  Left& left = left_[name.arena];
  left.names.push_back(name);
  switch (name.kind) {
    case KeptKind::region: {
      auto region = IncarnationView::map(std::move(fd));
      if (region) left.regions.emplace(name.epoch.value, std::move(*region));
      if (!region && region.error().code == ErrorCode::exhausted) leave_it_to_the_next(region.error());
      if (!region) left.unusable.emplace(name.epoch.value, region.error().text());
      break;
    }
    case KeptKind::process: {
      KeptProcess& process = left.processes[name.epoch.value];
      process.pidfd = std::move(fd);
      process.lives = !has_ended(process.pidfd);
      if (!process.lives) break;
      process.poll = UvPoll(scope_.children.loop, process.pidfd.get(), [this, name](int) {
        scope_.children.facts.post([this, name] { process_ended(name.arena, name.epoch); });
      });
      process.poll.watch(UV_READABLE);
      break;
    }
    case KeptKind::channel: {
      auto view = ChannelView::map(std::move(fd));
      if (!view && view.error().code == ErrorCode::exhausted) leave_it_to_the_next(view.error());
      if (!view) break;
      left.was_heard |= view->header().outputs_read.load(std::memory_order_relaxed) != 0;
      auto copy = view->fd().duplicate();
      if (!copy) leave_it_to_the_next(copy.error());
      left.channels.push_back({name.channel, name.slot, name.player, std::move(*copy), std::nullopt});
      break;
    }
  }
}

std::vector<KeptIncarnation> Adoption::kept_of(ArenaId arena) const {
  std::vector<KeptIncarnation> kept;
  const auto found = left_.find(arena);
  if (found == left_.end()) return kept;
  const Left& left = found->second;
  for (const auto& [epoch, region] : left.regions) {
    const bool is_its = region.arena() == arena && region.epoch().value == epoch;
    kept.push_back({{epoch}, is_its ? region.stage() : Stage::blank, false});
  }
  for (const auto& [epoch, process] : left.processes) {
    auto same = std::find_if(kept.begin(), kept.end(), [e = epoch](const KeptIncarnation& k) { return k.epoch.value == e; });
    if (same == kept.end()) same = kept.insert(kept.end(), KeptIncarnation{{epoch}});
    same->process_lives = process.lives;
  }
  return kept;
}

void Adoption::take_up(ArenaId arena, Durable durable) {
  // Only who is known can be waited for.
  if (--unknown_ == 0) begin_to_accept();
  ARENAD_CRASH_POINT("arenad.adoption.known");
  Arena* there = scope_.roster.find(arena);
  const auto state = handed_ != nullptr ? handed_->find(arena) : std::nullopt;
  if (there != nullptr && state) {
    there->take_on(*state, *handed_, scope_.children, durable);
  } else if (there != nullptr) {
    take_up(*there, std::move(durable), is_late_ ? Wait::waited : Wait::may_wait);
  }
  settle_if_done();
}

void Adoption::take_up(Arena& arena, Durable durable, Wait wait) {
  const ArenaId id = arena.record().id;
  const std::vector<KeptIncarnation> kept = kept_of(id);
  tell_unusable(arena);
  // A manager that has nothing of an arena knows nothing of its worker: systemd forgets all when a unit is stopped, also if arenad had to be
  // killed for that, and takes no more than FileDescriptorStoreMax=.
  const Manager manager = scope_.manager.is_there() && !kept.empty() ? Manager::there : Manager::none;
  const ArenaDisposition written = arena.record().disposition;
  if (disposition_now(written, {arena.record().epoch}, kept) != written) arena.was_started_again();
  if (ARENAD_MUTANT("adoption.living_not_waited_for")) wait = Wait::waited;
  const TakeUp plan = plan_take_up(arena.record().disposition, kept, manager, wait);
  const bool any_lives = !ARENAD_MUTANT("adoption.living_not_waited_for") &&
                         std::any_of(kept.begin(), kept.end(), [](const KeptIncarnation& one) { return one.process_lives; });
  if (plan.how == TakeUp::How::await_offer || any_lives) {
    // An arena never gets a worker while another may live: its end brings the arena on.
    if (plan.how != TakeUp::How::await_offer) end_workers(arena);
    awaited_.emplace(id, std::move(durable));
    return;
  }
  switch (plan.how) {
    case TakeUp::How::await_offer:
      break;
    case TakeUp::How::from_region:
      ++recovered_;
      arena.recover_from(inherit(arena, plan.epoch), durable);
      break;
    case TakeUp::How::keep_region:
      arena.keep(inherit(arena, plan.epoch), durable);
      break;
    case TakeUp::How::from_checkpoint:
      if (const auto left = left_.find(id); left != left_.end()) hand_over_without_region(arena, left->second, durable);
      if (arena.take_up(durable) == Arena::Resumed::set_back) ++set_back_;
      break;
  }
  left_.erase(id);
}

// Clients can come before the first worker has. If nothing ever ran, they have lost nothing, and keep their places. Of an arena that is set
// back they have heard more than it knows, and attach again.
void Adoption::hand_over_without_region(Arena& arena, Left& left, const Durable& durable) {
  const bool never_began =
      arena.record().disposition == ArenaDisposition::running && !durable.checkpoint && durable.damaged == 0 && !left.was_heard;
  for (const KeptName& name : left.names) {
    if (never_began && name.kind == KeptKind::channel) {
      arena.is_kept(name);
    } else {
      scope_.manager.forget(name.text());
    }
  }
  if (never_began) arena.expect(std::move(left.channels));
}

// Left by an arenad of another version, or damaged. The arena may be set back for it: an operator should know why.
void Adoption::tell_unusable(const Arena& arena) {
  const auto left = left_.find(arena.record().id);
  if (left == left_.end()) return;
  for (const auto& [epoch, why] : std::exchange(left->second.unusable, {})) {
    log_error("arena={} epoch={} msg=\"the memory that was kept of its worker cannot be used: {}\"", arena.record().name, epoch,
              why);
  }
}

void Adoption::end_workers(const Arena& arena) {
  for (const auto& [epoch, process] : left_.at(arena.record().id).processes) {
    if (!process.lives) continue;
    send_signal(process.pidfd, SIGKILL);
    log_warning("arena={} epoch={} msg=\"a worker that has not offered itself in time, or should not be there, is ended\"",
                arena.record().name, epoch);
  }
}

Inheritance Adoption::inherit(Arena& arena, Epoch epoch) {
  Left& left = left_.at(arena.record().id);
  for (const KeptName& name : left.names) arena.is_kept(name);
  Inheritance inheritance{std::move(left.regions.at(epoch.value)), std::nullopt, std::move(left.channels)};
  inheritance.origin = take_origin(left.regions, inheritance.region);
  mark_by_region(inheritance.region, inheritance.channels);
  // One that the worker had not taken in yet is in no table.
  mark_those_that_left(inheritance.channels, ARENAD_LEFT);
  return inheritance;
}

void Adoption::process_ended(ArenaId id, Epoch epoch) {
  const auto left = left_.find(id);
  if (left == left_.end()) return;
  const auto process = left->second.processes.find(epoch.value);
  if (process == left->second.processes.end() || !process->second.lives) return;
  process->second.lives = false;
  process->second.poll.close();
  const auto awaited = awaited_.find(id);
  Arena* arena = scope_.roster.find(id);
  if (awaited == awaited_.end() || arena == nullptr) return;
  log_warning("arena={} epoch={} msg=\"its worker died while no arenad was there\"", arena->record().name, epoch.value);
  Durable durable = std::move(awaited->second);
  awaited_.erase(awaited);
  take_up(*arena, std::move(durable), is_late_ ? Wait::waited : Wait::may_wait);
  settle_if_done();
}

// Whoever has not come by now is stopped, or hangs.
void Adoption::nobody_came() {
  is_late_ = true;
  for (auto& [id, durable] : std::exchange(awaited_, {})) {
    if (Arena* arena = scope_.roster.find(id)) take_up(*arena, std::move(durable), Wait::waited);
  }
  settle_if_done();
}

void Adoption::settle_if_done() {
  if (unknown_ != 0 || !awaited_.empty() || !settled_) return;
  deadline_.stop();
  forget_leftovers();
  handed_ = nullptr;
  const auto settled = std::exchange(settled_, nullptr);
  ARENAD_CRASH_POINT("arenad.adoption.settled");
  settled();
}

// What belongs to no arena that runs, or has failed: an arena that was stopped, or one whose start nobody was ever told of.
void Adoption::forget_leftovers() {
  for (auto& [id, left] : left_) {
    for (const auto& [epoch, process] : left.processes) {
      if (process.lives) send_signal(process.pidfd, SIGKILL);
    }
    for (const KeptName& name : left.names) scope_.manager.forget(name.text());
  }
  left_.clear();
}

// ---- workers that offer themselves --------------------------------------------------------------------------------------

void Adoption::accepted(Fd socket) {
  auto peer = peer_of(socket);
  if (!peer || peer->uid != ::geteuid() || calls_too_often(*peer, socket)) return;  // closed again by its owner
  std::erase_if(callers_, [&](const auto& other) { return other.second.peer.pid == peer->pid; });
  const uint64_t id = next_caller_++;
  Caller& caller = callers_[id];
  caller.peer = *peer;
  caller.poll =
      UvPoll(scope_.children.loop, socket.get(), [this, id](int) { scope_.children.facts.post([this, id] { hear(id); }); });
  caller.socket = std::move(socket);
  caller.poll.watch(UV_READABLE);
  if (callers_.size() >= kMaxCallers) acceptor_.pause();
}

bool Adoption::calls_too_often(const Peer& peer, const Fd& socket) {
  if (looks_left_ == 0) {
    looks_left_ = kLooksInAMinute;
    silence_.start(kSilenceLookMs, kSilenceLookMs);
  }
  Calls& calls = calls_[peer.pid];
  if (calls.count++ == 0) calls.first_ns = boot_ns();
  if (calls.count <= kMostCallsInAMinute) return false;
  auto pidfd = open_pidfd(peer.pid);
  // It may have ended since, and another have its number.
  if (!pidfd || (has_hung_up(socket) && !is_caller_for_long(peer.pid, calls.count, calls.first_ns))) return true;
  log_warning("pid={} msg=\"a worker that calls again and again without saying who it is is ended\"", peer.pid);
  send_signal(*pidfd, SIGKILL);
  return true;
}

void Adoption::hang_up_on_the_silent() {
  std::vector<uint64_t> silent;
  for (auto& [id, caller] : callers_) {
    if (++caller.looks > kMostSilentLooks) silent.push_back(id);
  }
  for (const uint64_t id : silent) no_more(id);
  if (looks_left_ != 0 && --looks_left_ != 0) return;
  calls_.clear();
  if (callers_.empty()) {
    silence_.stop();
  } else {
    looks_left_ = kLooksInAMinute;
  }
}

void Adoption::no_more(uint64_t caller) {
  callers_.erase(caller);
  if (callers_.size() + 1 == kMaxCallers) acceptor_.begin();
}

void Adoption::hear(uint64_t id) {
  const auto found = callers_.find(id);
  if (found == callers_.end()) return;
  Link link(std::move(found->second.socket));
  LinkMessage message;
  const auto received = link.receive(message, Link::Wait::no);
  if (received == Link::Received::nothing) {
    found->second.socket = link.take();
    return;
  }
  found->second.poll.close();
  const Peer peer = found->second.peer;
  no_more(id);
  if (received != Link::Received::message) return;
  try {
    take_offer(std::move(link), peer, std::move(message));
  } catch (const kj::Exception&) {
    log_warning("pid={} msg=\"a process has sent something to the workers' socket that is not an offer\"", peer.pid);
  }
}

void Adoption::take_offer(Link link, const Peer& peer, LinkMessage message) {
  std::optional<MessageView> view;
  const auto root = message.root<wire::FromWorker>(view);
  if (!root.isOffer() || message.fds.empty()) return;
  ARENAD_CRASH_POINT("arenad.adoption.offer");
  const auto offer = root.getOffer();
  const ArenaId id{offer.getArenaHigh(), offer.getArenaLow()};
  auto pidfd = open_pidfd(peer.pid);
  // If its end of the link is still open, then the pid was its own when the descriptor was opened.
  if (!pidfd || has_hung_up(link.fd())) return;
  const auto awaited = awaited_.find(id);
  Arena* arena = scope_.roster.find(id);
  auto region = IncarnationView::map(std::move(message.fds[0]));
  // It offers itself again, as its link ends here. Nobody gives up for what a worker has sent.
  if (!region && region.error().code == ErrorCode::exhausted) return;
  const bool is_its = region && region->arena() == id && region->epoch().value == offer.getEpoch();
  const bool is_newest =
      arena != nullptr && arena->record().disposition == ArenaDisposition::running && offer.getEpoch() >= arena->record().epoch;
  if (awaited == awaited_.end() || !is_its || !is_newest) {
    log_warning("arena={} epoch={} pid={} msg=\"a worker that nobody waits for is ended\"",
                arena != nullptr ? arena->record().name : id.text(), offer.getEpoch(), peer.pid);
    send_signal(*pidfd, SIGKILL);
    return;
  }
  std::vector<RosterChannel> channels;
  const auto offered = offer.getChannels();
  for (unsigned i = 0; i < offered.size() && i + 1 < message.fds.size(); ++i) {
    const auto from = offered[i];
    if (from.getSlot() >= limits::kMaxSlots) continue;
    auto channel = ChannelView::map(std::move(message.fds[i + 1]));
    if (!channel && channel.error().code == ErrorCode::exhausted) return;
    if (!channel) continue;
    auto copy = channel->fd().duplicate();
    if (!copy) return;
    channels.push_back({{from.getId()},
                        from.getSlot(),
                        from.getPlayer(),
                        std::move(*copy),
                        from.getGone() ? std::optional<uint32_t>(from.getGoneReason()) : std::nullopt});
  }
  auto child = std::make_unique<ChildProcess>(scope_.children, std::move(link));
  if (offer.getHasOutput()) {
    if (auto output = OutputFile::map(std::move(message.fds.back()))) child->set_output(std::move(*output));
  }
  (void)child->watch(peer.pid, std::move(*pidfd));
  std::optional<IncarnationView> origin;
  const auto left = left_.find(id);
  if (left != left_.end()) {
    origin = take_origin(left->second.regions, *region);
    for (const KeptName& name : left->second.names) arena->is_kept(name);
    mark_by_region(*region, left->second.channels);
    add_those_left_out(offered.size(), left->second.channels, channels);
    left_.erase(left);
  }
  ++adopted_;
  arena->adopt(std::move(child), {std::move(*region), std::move(origin), std::move(channels)}, awaited->second);
  awaited_.erase(awaited);
  settle_if_done();
}

// An offer names as many channels as fit in a packet, the newest ones.
void Adoption::add_those_left_out(size_t offered, std::vector<RosterChannel>& kept, std::vector<RosterChannel>& channels) {
  if (offered + 2 < kMaxLinkFds) return;  // with the region and the output
  for (RosterChannel& channel : kept) {
    const bool is_there =
        std::any_of(channels.begin(), channels.end(), [&](const RosterChannel& other) { return other.id == channel.id; });
    if (!is_there) channels.push_back(std::move(channel));
  }
}

}  // namespace arenad
