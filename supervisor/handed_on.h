// The state that arenad hands on to the program that takes its place by execve(2) in the same process (ipc/upgrade.capnp): how it is
// written, and how it is read again.
//
// Descriptors stay open under their numbers. Whoever takes over takes each of them out once; what nobody has taken is closed.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <capnp/message.h>
#include <capnp/serialize.h>

#include "arenad/ids.h"
#include "arenad/result.h"
#include "ipc/fd.h"
#include "ipc/upgrade.capnp.h"

namespace arenad {

// Collects the descriptors that a state names.
class FdsToKeep {
 public:
  // The number to write down; -1 if there is none.
  int add(const Fd& fd);
  // Over execve(2), or not.
  void keep_over_exec(bool keep) const;

 private:
  std::vector<int> numbers_;
};

// What the environment says of the state that was handed on to this program: the memfd's number. Taken out of it.
std::optional<Fd> take_handed_on_fd();
// NAME=value for the next program.
std::string handed_on_variable(const Fd& state);

class HandedOn {
 public:
  // Errors: it is damaged, or this version does not understand it.
  static Result<HandedOn> read(const Fd& state);
  static Result<Fd> write(capnp::MessageBuilder& message);

  [[nodiscard]] wire::UpgradeState::Reader state() const { return reader_->getRoot<wire::UpgradeState>(); }
  [[nodiscard]] std::optional<wire::ArenaState::Reader> find(ArenaId arena) const;
  // The descriptor of this number, once. Invalid if there is none.
  Fd take(int number);
  // Only where the descriptors are, not in a program that only looks whether it could take over: from now on children do not get them;
  // and what nobody has taken is closed.
  void keep_from_children() const;
  void close_others();

 private:
  HandedOn() = default;
  kj::Array<capnp::word> words_;
  std::unique_ptr<capnp::FlatArrayMessageReader> reader_;
  std::map<ArenaId, uint> arenas_;
  std::set<int> untaken_;
};

// What every state begins with.
void begin_handed_on(wire::UpgradeState::Builder state);
// Whether this version can take over what the state describes. Errors: refused, with the cause.
Result<void> check_handed_on(wire::UpgradeState::Reader state);

ArenaId arena_id(wire::ArenaRef::Reader ref);
void write_arena_id(ArenaId id, wire::ArenaRef::Builder to);

}  // namespace arenad
