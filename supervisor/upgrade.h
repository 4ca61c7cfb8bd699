// Replaces the program of arenad under running arenas, by execve(2) in the same process: the children stay its children, and descriptors keep
// their numbers. What is in memory goes over as a message (ipc/upgrade.capnp, handed_on.h).
//
//   idle      --begin--> asking     a process of the new program is given the state as it is now, and says whether it could take over.
//                                   Meanwhile everything goes on. If it refuses, dies or does not answer in time: idle
//   asking    --it can--> settling  until nothing is on the way that could not be handed on, requests wait; after kHold they are let
//                                   through for a moment, and it begins again. If that takes too long: idle
//   settling  --nothing is on the way--> the new program, which answers those who wait. If it cannot be executed: idle
//
// Whatever fails, this program goes on as if nothing had been. Once the new one is executed, its death is arenad's death like any other.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "supervisor/child_process.h"
#include "supervisor/handed_on.h"
#include "supervisor/uv_handles.h"

namespace arenad {

class Upgrade {
 public:
  // How this process was called, so that the next program is called in the same way.
  using Arguments = std::vector<std::string>;
  // What is asked of the rest of arenad.
  struct Host {
    std::function<void(wire::UpgradeState::Builder, FdsToKeep&)> write;
    std::function<std::vector<std::string>()> in_the_way;  // of handing on: each is a sentence without its end
    std::function<void(bool held)> hold;                   // requests
    std::function<void()> save;                            // what the database does not have as it is in memory
    std::function<std::vector<std::string>()> environment;
  };
  struct Order {
    std::string program;  // empty: where this one was executed from
    uint64_t timeout_ms = 0;
    bool only_ask = false;
  };
  struct Asked {
    std::string program;
    std::string version;
  };
  // The caller hears of it if this program goes on: an error, or what the new one has said if it was only asked.
  using Answer = std::function<void(Result<Asked>)>;

  Upgrade(const ChildScope& scope, Arguments arguments);
  void set_host(Host host) { host_ = std::move(host); }
  void begin(const Order& order, Answer answer);
  void close();
  // Where this program was executed from; another file may lie there by now.
  [[nodiscard]] const std::string& own_program() const { return own_program_; }

 private:
  enum class Step { idle, asking, settling };

  Result<void> ask();
  void take_answer(const LinkMessage& message);
  void settle();
  void look();
  void hold(bool held);
  void execute();
  Result<void> hand_over();
  void give_up(const Error& error);
  void retire_asked();

  ChildScope scope_;
  Arguments arguments_;
  std::string own_program_;
  Host host_;
  Step step_ = Step::idle;
  Order order_;
  Answer answer_;
  Fd program_;
  std::string path_;  // of program_
  std::unique_ptr<ChildProcess> asked_;
  uint64_t settling_since_ns_ = 0;
  bool closed_ = false;
  bool held_ = false;
  bool looked_ = false;         // while it is held
  uint64_t held_since_ns_ = 0;  // or let through since
  UvDeadline deadline_;
  UvTimer look_;
};

// What the new program does when it is asked: descriptor 3 is the link to who asks. Gives the exit code.
int answer_can_take_over(const std::function<Result<void>(wire::UpgradeState::Reader)>& check);

}  // namespace arenad
