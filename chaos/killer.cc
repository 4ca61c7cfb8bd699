#include "chaos/killer.h"

#include <algorithm>
#include <csignal>
#include <fmt/format.h>
#include <unistd.h>

#include "chaos/process_tree.h"
#include "ipc/clock.h"
#include "ipc/process.h"

namespace arenad::chaos {
namespace {

constexpr uint64_t kLongestAimNs = 25 * kMillisecond;
constexpr uint64_t kSuccessorNs = 5 * kSecond;
constexpr unsigned kAskAgainUs = 200;
constexpr size_t kMostTargets = 6;  // of which one is near a tick half of the time

bool is_live(const ArenaObserver& arena) {
  const WorkerStatus* status = arena.status();
  return status != nullptr && !arena.departure() &&
         status->stage.load(std::memory_order_acquire) == static_cast<uint32_t>(Stage::live);
}

}  // namespace

Killer::Killer(Control& control, Arenas arenas, const KillPlan& plan, uint64_t seed, KeepUp keep_up)
    : control_(control),
      arenas_(arenas),
      plan_(plan),
      random_(seed, "killer"),
      intervals_(seed, "intervals"),
      keep_up_(std::move(keep_up)),
      held_(arenas.size()),
      kills_of_(arenas.size()) {}

void Killer::begin(uint64_t now_ns) {
  next_ns_ = now_ns + interval_ns();
}

// Equal ones would be a multiple of the tick, and hit each arena in the same part of it again and again.
uint64_t Killer::interval_ns() {
  return plan_.every_ns / 2 + intervals_.below(plan_.every_ns + 1);
}

Result<void> Killer::turn(uint64_t now_ns) {
  note_recoveries();
  if (done() || now_ns < next_ns_) return {};
  bool any_up = false;
  for (size_t i = 0; i < arenas_.size() && !any_up; ++i) any_up = is_up(i);
  if (!any_up) return {};
  // Kills that could not be made in time are not made up for all at once.
  next_ns_ = std::max(next_ns_ + interval_ns(), now_ns);
  return kill();
}

void Killer::note_recoveries() {
  for (size_t i = first_open_; i < kills_.size(); ++i) {
    Kill& kill = kills_[i];
    if (kill.to_frame_ns) continue;
    const std::vector<Life>& lives = arenas_[kill.arena]->lives();
    const auto back = std::find_if(lives.begin(), lives.end(), [&](const Life& life) {
      return life.epoch > kill.epoch && life.first_frame_published_ns > kill.at_ns && !was_bystander(life);
    });
    if (back == lives.end()) continue;
    kill.to_frame_ns = back->first_frame_published_ns - kill.at_ns;
    kill.to_live_ns = back->live_since_unix_ns - std::min(kill.at_unix_ns, back->live_since_unix_ns);
  }
  while (first_open_ < kills_.size() && kills_[first_open_].to_frame_ns) ++first_open_;
}

bool Killer::is_up(size_t arena) const {
  if (!is_live(*arenas_[arena])) return false;
  return std::none_of(kills_.begin() + static_cast<std::ptrdiff_t>(first_open_), kills_.end(),
                      [&](const Kill& kill) { return kill.arena == arena && !kill.to_frame_ns; });
}

bool Killer::all_are_up() const {
  for (size_t i = 0; i < arenas_.size(); ++i) {
    if (!arenas_[i]->departure() && !is_up(i)) return false;
  }
  return true;
}

uint64_t Killer::fewest_kills() const {
  return kills_of_.empty() ? 0 : *std::min_element(kills_of_.begin(), kills_of_.end());
}

std::string Killer::overdue(uint64_t now_ns, uint64_t longest_ns) const {
  for (size_t i = first_open_; i < kills_.size(); ++i) {
    const Kill& kill = kills_[i];
    if (kill.to_frame_ns || arenas_[kill.arena]->departure() || now_ns - kill.at_ns <= longest_ns) continue;
    return fmt::format("{} was killed in epoch {} and is not back after {} s", arenas_[kill.arena]->arena().name,
                       kill.epoch.value, longest_ns / kSecond);
  }
  return "";
}

const Fd* Killer::worker_of(size_t arena) {
  const ArenaObserver& observer = *arenas_[arena];
  Held& held = held_[arena];
  if (held.epoch != observer.epoch()) held = {observer.epoch(), open_named(observer.pid(), observer.arena().name)};
  return held.worker ? &*held.worker : nullptr;
}

void Killer::take_aim() {
  for (size_t i = 0; i < arenas_.size(); ++i) (void)worker_of(i);
}

std::vector<Target> Killer::some_targets() {
  std::vector<Target> targets;
  for (size_t i = 0; i < arenas_.size(); ++i) {
    if (is_up(i) && worker_of(i) != nullptr) targets.push_back({i, arenas_[i]->status()});
  }
  for (size_t i = 0; i < targets.size() && i < kMostTargets; ++i) {
    std::swap(targets[i], targets[i + random_.below(targets.size() - i)]);
  }
  if (targets.size() > kMostTargets) targets.resize(kMostTargets);
  return targets;
}

void Killer::strike(size_t arena, const Fd& worker, Epoch epoch, Aim aim) {
  // As little as can be between the moment and the signal.
  const uint64_t at_ns = monotonic_ns();
  send_signal(worker, SIGKILL);
  const uint64_t at_unix_ns = unix_ns() - (monotonic_ns() - at_ns);
  kills_.push_back({.arena = arena, .epoch = epoch, .aim = aim, .at_ns = at_ns, .at_unix_ns = at_unix_ns});
  ++kills_of_[arena];
}

bool Killer::strike(size_t arena) {
  if (!is_up(arena)) return false;
  const Fd* worker = worker_of(arena);
  if (worker != nullptr) strike(arena, *worker, held_[arena].epoch, Aim::any_moment);
  return worker != nullptr;
}

void Killer::strike_bystander(pid_t pid, const Fd& process) {
  send_signal(process, SIGKILL);
  bystanders_.push_back({pid, unix_ns()});
}

// A pid may come again later.
bool Killer::was_bystander(const Life& life) const {
  return std::any_of(bystanders_.begin(), bystanders_.end(), [&](const Bystander& killed) {
    return killed.pid == life.pid && life.live_since_unix_ns <= killed.at_unix_ns;
  });
}

bool Killer::has_killed(size_t arena, const Life& life) const {
  return was_bystander(life) || std::any_of(kills_.begin(), kills_.end(),
                                            [&](const Kill& kill) { return kill.arena == arena && kill.epoch == life.epoch; });
}

Result<void> Killer::kill() {
  const Aim aim = choose_aim(plan_.aim_at, random_);
  const auto arena = await_moment(aim, random_, monotonic_ns() + kLongestAimNs, [this] {
    keep_up_();
    note_recoveries();
    return some_targets();
  });
  if (!arena) return {};
  const Held& held = held_[*arena];
  const Epoch epoch = held.epoch;
  strike(*arena, *held.worker, epoch, aim);
  return aim == Aim::next_life && !done() ? kill_successor(*arena, epoch) : Result<void>();
}

Result<std::optional<Fd>> Killer::successor_of(size_t arena, Host& host) {
  const ArenaId id = arenas_[arena]->arena().id;
  auto before = control_.host_of(id);
  if (!before) return before.error();
  if (before->pid == 0) return std::optional<Fd>();
  auto pidfd = open_pidfd(before->pid);
  if (!pidfd) return std::optional<Fd>();
  // If it is still the host, then the pid was not free in between, and the descriptor is of that process.
  auto after = control_.host_of(id);
  if (!after) return after.error();
  if (*after != *before || has_ended(*pidfd)) return std::optional<Fd>();
  host = *before;
  return std::optional<Fd>(std::move(*pidfd));
}

Result<void> Killer::kill_successor(size_t arena, Epoch killed) {
  // Nothing tells when the next worker is there, so it is asked for again and again.
  for (const uint64_t deadline_ns = monotonic_ns() + kSuccessorNs; monotonic_ns() < deadline_ns;) {
    Host host;
    auto worker = successor_of(arena, host);
    if (!worker) return worker.error();
    if (!*worker || host.epoch <= killed) {
      ::usleep(kAskAgainUs);
      continue;
    }
    kills_.back().repeated = true;
    strike(arena, **worker, host.epoch, Aim::next_life);
    return {};
  }
  return make_error(ErrorCode::timeout, arenas_[arena]->arena().name + " has no new worker");
}

}  // namespace arenad::chaos
