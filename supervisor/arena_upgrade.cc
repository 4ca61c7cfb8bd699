// How an arena goes over to another program of arenad in the same process: what is written of it, and how it is taken up again. Its worker
// never hears of it, but for a new board: the memory that arenad writes cannot be mapped for writing a second time.
#include "ipc/clock.h"
#include "ipc/crash_point.h"
#include "supervisor/arena.h"
#include "supervisor/give_up.h"
#include "supervisor/log.h"

namespace arenad {
namespace {

void write_lifecycle(const ArenaLifecycle& lifecycle, wire::LifecycleState::Builder to) {
  const ArenaLifecycle::Memory memory = lifecycle.memory();
  to.setState(static_cast<uint16_t>(memory.state));
  to.setBegunWith(static_cast<uint16_t>(memory.begun_with));
  to.setStopWanted(memory.stop_wanted);
  to.setWorker(static_cast<uint16_t>(memory.worker));
  to.setDelayPending(memory.delay_pending);
  to.setHasLived(memory.has_lived);
  to.setTriedAgain(memory.tried_again);
  to.setCrashes(memory.crashes);
  const RestartBudget::Memory budget = lifecycle.budget().memory();
  to.setBudget(static_cast<uint16_t>(budget.state));
  to.setRunningSinceNs(budget.running_since_ns);
  to.setCrashesInRow(budget.crashes_in_row);
  auto charged = to.initChargedNs(static_cast<uint>(budget.charged_ns.size()));
  for (uint i = 0; i < charged.size(); ++i) charged.set(i, budget.charged_ns[i]);
}

ArenaLifecycle read_lifecycle(wire::LifecycleState::Reader from, const RestartPolicy& policy) {
  RestartBudget::Memory budget;
  budget.state = static_cast<RestartBudget::State>(from.getBudget());
  budget.running_since_ns = from.getRunningSinceNs();
  budget.crashes_in_row = from.getCrashesInRow();
  for (const uint64_t charged : from.getChargedNs()) budget.charged_ns.push_back(charged);
  ArenaLifecycle::Memory memory;
  memory.state = static_cast<ArenaState>(from.getState());
  memory.begun_with = static_cast<BeginWith>(from.getBegunWith());
  memory.stop_wanted = from.getStopWanted();
  memory.worker = static_cast<ArenaLifecycle::Worker>(from.getWorker());
  memory.delay_pending = from.getDelayPending();
  memory.has_lived = from.getHasLived();
  memory.tried_again = from.getTriedAgain();
  memory.crashes = from.getCrashes();
  return {memory, RestartBudget(policy, std::move(budget))};
}

std::vector<RosterChannel> take_channels(capnp::List<wire::ChannelState>::Reader from, HandedOn& handed) {
  std::vector<RosterChannel> channels;
  for (const auto one : from) {
    Fd region = handed.take(one.getRegion());
    if (!region) continue;
    channels.push_back({{one.getId()},
                        one.getSlot(),
                        one.getPlayer(),
                        std::move(region),
                        one.getGone() ? std::optional<uint32_t>(one.getGoneReason()) : std::nullopt});
  }
  return channels;
}

std::optional<IncarnationView> take_region(int number, HandedOn& handed) {
  Fd fd = handed.take(number);
  if (!fd) return std::nullopt;
  auto region = IncarnationView::map(std::move(fd));
  // Its worker lives, and what it has is nowhere else: another arenad may have the memory for it.
  if (!region && region.error().code == ErrorCode::exhausted) leave_it_to_the_next(region.error());
  return region ? std::optional(std::move(*region)) : std::nullopt;
}

uint64_t ms_until(uint64_t ns) {
  const uint64_t now = monotonic_ns();
  return ns > now ? (ns - now) / kMillisecond + 1 : 1;
}

}  // namespace

std::optional<std::string> Arena::not_steady() const {
  const auto is = [&](const std::string& what) { return "arena " + record_.name + " is " + what; };
  if (handover_ && handover_->progress.step() != Handover::Step::probation) return is("changing its code");
  switch (state()) {
    case ArenaState::starting:
    case ArenaState::recovering:
      return is(to_string(state()));
    case ArenaState::running:
    case ArenaState::restarting:
    case ArenaState::stopping:
      // Whoever does not stop in order is given a new worker first, or is killed.
      if (!worker_ || starting_ || !worker_->is_steady() || !ended_by_arenad_.empty()) return is(to_string(state()));
      break;
    case ArenaState::backing_off:
    case ArenaState::stopped:
    case ArenaState::ended:
    case ArenaState::failed:
    case ArenaState::lost:
      if (worker_) return is(to_string(state()));
      break;
  }
  if (worker_ && announced_end_) return is("ending");
  if (!retries_.empty()) return is("trying an event from quarantine again");
  if (!signals_.empty()) return is("being told something");
  if (!is_saved()) return is("not in the database yet");
  return std::nullopt;
}

void Arena::hand_on(wire::ArenaState::Builder to, FdsToKeep& fds) const {
  write_arena_id(record_.id, to.initArena());
  to.setName(record_.name);
  to.setGame(record_.game);
  write_lifecycle(lifecycle_, to.initLifecycle());
  if (worker_) worker_->hand_on(to.initWorker(), fds);
  if (lived_) to.setRegion(fds.add(lived_->fd()));
  if (handover_ && handover_->origin) {
    auto probation = to.initProbation();
    probation.setOrigin(fds.add(handover_->origin->fd()));
    probation.setNs(handover_->progress.probation().ns);
    probation.setFrames(handover_->progress.probation().frames);
    probation.setLiveNs(handover_->progress.live_ns());
  }
  auto channels = to.initChannels(static_cast<uint>(channels_.all().size()));
  uint next = 0;
  for (const auto& [id, channel] : channels_.all()) {
    auto one = channels[next++];
    one.setId(id);
    one.setSlot(channel.slot);
    one.setPlayer(channel.player);
    one.setRegion(fds.add(channel.region));
    one.setGone(channel.gone_reason.has_value());
    one.setGoneReason(channel.gone_reason.value_or(0));
  }
  auto kept = to.initKept(static_cast<uint>(kept_.names().size()));
  next = 0;
  for (const std::string& name : kept_.names()) kept.set(next++, name);
  auto attachments = to.initAttachments(static_cast<uint>(attachments_.size()));
  for (uint i = 0; i < attachments.size(); ++i) {
    attachments[i].setConnection(attachments_[i].connection);
    attachments[i].setAttachment(attachments_[i].attachment);
    attachments[i].setChannel(attachments_[i].channel.value);
  }
  to.setDraining(draining_);
  to.setDrainUntilNs(drain_until_ns_);
  to.setDelayUntilNs(delay_until_ns_);
  to.setRecoveries(recoveries_);
  to.setLastExit(last_exit_);
  to.setLastCrash(last_crash_);
  to.setDiedNs(died_ns_);
  to.setSlowSeen(slow_seen_);
  if (const auto& suspect = poison_.suspect()) {
    to.initSuspect().setChannel(suspect->channel.value);
    to.getSuspect().setSequence(suspect->sequence);
  }
}

void Arena::take_on(wire::ArenaState::Reader from, HandedOn& handed, const ChildScope& children, const Durable& durable) {
  for (const auto text : from.getKept()) {
    if (const auto name = KeptName::parse(std::string_view(text.begin(), text.size()))) is_kept(*name);
  }
  lifecycle_ = read_lifecycle(from.getLifecycle(), services_.config.restart.policy());
  std::vector<RosterChannel> channels = take_channels(from.getChannels(), handed);
  if (auto region = take_region(from.getRegion(), handed)) {
    const auto probation = from.getProbation();
    inherit({std::move(*region), take_region(probation.getOrigin(), handed), std::move(channels)}, durable);
    if (handover_) {
      handover_->progress =
          Handover({probation.getNs(), probation.getFrames()}, probation.getLiveNs(), handover_->progress.from());
    }
  } else {
    restore_quarantine(durable.quarantined);
    skip_channel_ids();
    checkpoints_damaged_ = !durable.checkpoint && durable.damaged != 0;
    checkpoints_unread_ = durable.unread.has_value();
    expect(std::move(channels));
    if (durable.checkpoint) (void)take_over_checkpoint(*durable.checkpoint);
  }
  for (const auto one : from.getAttachments()) {
    attachments_.push_back({one.getConnection(), one.getAttachment(), {one.getChannel()}});
    services_.clients.board(one.getConnection(), one.getAttachment(), board_.fd());
  }
  draining_ = from.getDraining();
  drain_until_ns_ = from.getDrainUntilNs();
  recoveries_ = from.getRecoveries();
  last_exit_ = from.getLastExit();
  last_crash_ = from.getLastCrash();
  died_ns_ = from.getDiedNs();
  const auto suspect = from.getSuspect();
  if (suspect.getChannel() != 0) poison_.restore({{suspect.getChannel()}, suspect.getSequence()});
  take_on_worker(from, handed, children);
  ARENAD_CRASH_POINT("arenad.upgrade.arena");
}

void Arena::take_on_worker(wire::ArenaState::Reader from, HandedOn& handed, const ChildScope& children) {
  const ArenaLifecycle::Memory memory = lifecycle_.memory();
  if (memory.delay_pending) {
    delay_until_ns_ = from.getDelayUntilNs();
    delay_.start(ms_until(delay_until_ns_));
  }
  if (drain_until_ns_ != 0 && is_active()) drain_deadline_.start(ms_until(drain_until_ns_));
  if (memory.worker == ArenaLifecycle::Worker::none) return;
  if (memory.state != ArenaState::running) deadline_.start(services_.config.arenas.stop_timeout_ms);
  worker_ = ChildProcess::take_on(children, from.getWorker(), handed);
  if (!lived_) {
    // Without its region nothing can be known of the worker: it ends here.
    log_error("arena={} msg=\"its memory was lost when arenad was upgraded: it is set back to its last checkpoint\"",
              record_.name);
    worker_.reset();
    return carry_out(lifecycle_.begin(BeginWith::checkpoint));
  }
  if (!worker_) {
    log_error("arena={} msg=\"its worker was lost when arenad was upgraded\"", record_.name);
    return worker_ended(Exit{});
  }
  begin_watching();
  slow_seen_ = from.getSlowSeen();
  slow_asked_ = true;  // perhaps: by the arenad before
  listen_to_worker();
  give_group(*lived_);
  const int board = board_.fd().get();
  tell_worker([](wire::ToWorker::Builder message) { message.setAdopt(); }, {&board, 1});
}

}  // namespace arenad
