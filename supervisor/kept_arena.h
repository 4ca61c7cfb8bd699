// What the service manager keeps of one arena, so that neither arenad's death nor everybody's at once loses it: the region of the
// incarnation that is recovered from, the one that is starting, their workers' pidfds, and the channels of the clients.
#pragma once

#include <set>
#include <string>

#include "supervisor/channel_roster.h"
#include "supervisor/kept_names.h"
#include "supervisor/service_manager.h"

namespace arenad {

class KeptArena {
 public:
  KeptArena(ServiceManager& manager, ArenaId arena) : manager_(manager), arena_(arena) {}

  // Before the worker is told what it is: from then on it may run frames.
  void keep_incarnation(Epoch epoch, const Fd& region, const Fd& process);
  void keep_channel(const RosterChannel& channel);
  // Kept by an earlier arenad: known from now on, so that it can be forgotten.
  void is_kept(const KeptName& name) { names_.insert(name.text()); }

  [[nodiscard]] const std::set<std::string>& names() const { return names_; }

  void forget_process(Epoch epoch);
  void forget_incarnation(Epoch epoch);
  void forget_channel(ChannelId channel);
  void forget_all();

 private:
  void keep(const KeptName& name, const Fd& fd);
  void forget(const std::string& name);

  ServiceManager& manager_;
  ArenaId arena_;
  std::set<std::string> names_;
};

}  // namespace arenad
