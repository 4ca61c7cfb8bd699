// How arenad comes into what an earlier one has left: the arenas of the database, what the service manager has kept, and the workers
// that still live and offer themselves (worker/orphan.h). What to do with each is adoption_plan.h's decision.
//
// Game code may call here as its worker may. Who calls says at once what it is, or is hung up on; of one process only the newest call counts,
// and one that calls without end is ended. An honest worker calls once, and again only when it was hung up on: then it loses nothing but a moment.
//
// Until it is settled no arena is started and no client is answered, so nothing can be there twice. Afterwards workers that come late are
// ended: their arenas have others.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ipc/socket.h"
#include "supervisor/acceptor.h"
#include "supervisor/adoption_plan.h"
#include "supervisor/child_process.h"
#include "supervisor/kept_names.h"
#include "supervisor/roster.h"

namespace arenad {

class Adoption {
 public:
  struct Scope {
    ChildScope children;
    ArenaServices services;
    Roster& roster;
    ServiceManager& manager;
  };
  explicit Adoption(Scope scope);
  void close();

  // What another program of this process has handed on: its arenas go on as they were. Before begin(), and there until it is settled.
  void take_on(HandedOn& handed) { handed_ = &handed; }
  [[nodiscard]] const Fd& listener() const { return acceptor_.listener(); }
  // Errors: the workers' socket cannot be made. `arenas`: how many will be taken up. `settled` is called once, when each has been.
  Result<void> begin(const std::string& socket_path, std::vector<KeptDescriptor> kept, size_t arenas,
                     std::function<void()> settled);
  // An arena of the database, with what the database has of it.
  void take_up(ArenaId arena, Durable durable);
  // Arenas that are not taken up yet.
  [[nodiscard]] size_t left() const { return unknown_ + awaited_.size(); }
  // Workers that have not offered themselves by now are not waited for any more.
  [[nodiscard]] bool is_late() const { return is_late_; }
  [[nodiscard]] size_t adopted() const { return adopted_; }
  [[nodiscard]] size_t recovered() const { return recovered_; }
  [[nodiscard]] size_t set_back() const { return set_back_; }

 private:
  struct KeptProcess {
    Fd pidfd;
    UvPoll poll;
    bool lives = false;
  };
  struct Left {                                   // by one arena
    std::map<uint64_t, IncarnationView> regions;  // by epoch
    std::map<uint64_t, std::string> unusable;     // regions that are none: why
    std::map<uint64_t, KeptProcess> processes;
    std::vector<RosterChannel> channels;
    std::vector<KeptName> names;
    bool was_heard = false;  // a client has read an output of it
  };
  struct Caller {
    Fd socket;
    UvPoll poll;
    Peer peer;
    uint64_t looks = 0;  // that have passed without a word of it
  };

  void add(const KeptName& name, Fd fd);
  [[nodiscard]] std::vector<KeptIncarnation> kept_of(ArenaId arena) const;
  void take_up(Arena& arena, Durable durable, Wait wait);
  void tell_unusable(const Arena& arena);
  void end_workers(const Arena& arena);
  void hand_over_without_region(Arena& arena, Left& left, const Durable& durable);
  Inheritance inherit(Arena& arena, Epoch epoch);
  void process_ended(ArenaId arena, Epoch epoch);
  void begin_to_accept();
  void nobody_came();
  void settle_if_done();
  void forget_leftovers();
  void accepted(Fd socket);
  bool calls_too_often(const Peer& peer, const Fd& socket);
  void hang_up_on_the_silent();
  void no_more(uint64_t caller);
  void hear(uint64_t caller);
  void take_offer(Link link, const Peer& peer, LinkMessage message);
  static void add_those_left_out(size_t offered, std::vector<RosterChannel>& kept, std::vector<RosterChannel>& channels);

  Scope scope_;
  Acceptor acceptor_;
  UvDeadline deadline_;
  uint64_t next_caller_ = 1;
  std::map<uint64_t, Caller> callers_;
  struct Calls {
    uint64_t count = 0;
    uint64_t first_ns = 0;  // boot_ns()
  };
  std::map<pid_t, Calls> calls_;  // in this minute
  UvTimer silence_;
  uint64_t looks_left_ = 0;  // of this minute
  std::map<ArenaId, Left> left_;
  std::map<ArenaId, Durable> awaited_;
  HandedOn* handed_ = nullptr;
  size_t unknown_ = 0;    // arenas that the database has not told of yet
  bool is_late_ = false;  // the deadline has passed
  std::function<void()> settled_;
  size_t adopted_ = 0;
  size_t recovered_ = 0;
  size_t set_back_ = 0;
};

}  // namespace arenad
