// Who has asked arenad to change something, and what became of it (arenactl history). A command is written down when it is asked, as
// `open`, and again when it is answered; a command that stays `open` is under way, or arenad has died over it. The store thread writes, and
// no command waits for that.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "ipc/socket.h"
#include "ipc/upgrade.capnp.h"
#include "state/store_thread.h"
#include "supervisor/control_server.h"
#include "supervisor/record_numbers.h"

namespace arenad {

class AuditTrail {
 public:
  AuditTrail(StoreThread& store, RecordNumbers& numbers) : store_(store), numbers_(numbers) {}

  // A request that changes something; every other is left out. May throw kj::Exception, as reading a message does.
  void asked(RequestId from, const Peer& caller, wire::Request::Reader request);
  // A request, of whatever kind, for which the caller lacks a right. Of the same user and verb one is written down a second, so that nobody
  // can crowd out what others have done. The same exceptions.
  void denied(const Peer& caller, wire::Request::Reader request, const std::string& why, uint64_t now_ns);
  // Also of what was never asked().
  void answered(RequestId to, wire::Reply::Reader reply);

  // What is open goes over an upgrade of arenad: the next program answers it.
  void hand_on(wire::ControlState::Builder to) const;
  void take_on(wire::ControlState::Reader from);

 private:
  void save(const CommandRecord& command);

  StoreThread& store_;
  RecordNumbers& numbers_;
  std::map<std::pair<uint64_t, uint64_t>, CommandRecord> open_;  // by connection and request
  std::map<std::pair<uid_t, std::string>, uint64_t> denied_ns_;  // when it was written down, by user and verb
};

// "done", or what kind of failure; of several arenas the first.
std::string outcome_of_reply(wire::Reply::Reader reply);

// As arenactl is told of it.
void describe_command(const CommandRecord& command, wire::HistoryEntry::Builder to);

}  // namespace arenad
