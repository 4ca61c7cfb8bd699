#include "supervisor/kept_arena.h"

#include "ipc/mutant.h"

namespace arenad {

void KeptArena::keep(const KeptName& name, const Fd& fd) {
  const std::string text = name.text();
  if (names_.insert(text).second) manager_.store(text, fd);
}

void KeptArena::forget(const std::string& name) {
  if (names_.erase(name) != 0) manager_.forget(name);
}

void KeptArena::keep_incarnation(Epoch epoch, const Fd& region, const Fd& process) {
  // The process first: a region alone is one whose worker has died.
  keep({.arena = arena_, .kind = KeptKind::process, .epoch = epoch}, process);
  const bool is_forgotten = ARENAD_MUTANT("death.region_not_kept") && epoch.value > 1;
  if (!is_forgotten) keep({.arena = arena_, .kind = KeptKind::region, .epoch = epoch}, region);
}

void KeptArena::keep_channel(const RosterChannel& channel) {
  keep({.arena = arena_, .kind = KeptKind::channel, .channel = channel.id, .slot = channel.slot, .player = channel.player},
       channel.region);
}

void KeptArena::forget_process(Epoch epoch) {
  forget(KeptName{.arena = arena_, .kind = KeptKind::process, .epoch = epoch}.text());
}

void KeptArena::forget_incarnation(Epoch epoch) {
  forget_process(epoch);
  forget(KeptName{.arena = arena_, .kind = KeptKind::region, .epoch = epoch}.text());
}

void KeptArena::forget_channel(ChannelId channel) {
  const std::string head = "arena." + arena_.text() + ".channel." + std::to_string(channel.value) + ".";
  const auto found = names_.lower_bound(head);
  if (found != names_.end() && found->starts_with(head)) forget(std::string(*found));
}

void KeptArena::forget_all() {
  while (!names_.empty()) forget(std::string(*names_.begin()));
}

}  // namespace arenad
