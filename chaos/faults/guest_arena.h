// An arena of a fault's own, which nobody plays: what would spoil a match is done to this one. Only for a fault that is `alone`:
// no other may take its worker for a match's, or change its code.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "chaos/fault.h"
#include "chaos/stage.h"

namespace arenad::chaos {

// What is missing where another game is played: nobody knows how that one goes on without players. Empty: the ledger is.
std::string without_ledger(const Stage& stage);

class GuestArena {
 public:
  // Its state is in the database when this returns; players play on meanwhile, here and below.
  static Result<std::unique_ptr<GuestArena>> start(Stage& stage, const sweep::Rig::Params& params);
  GuestArena(const GuestArena&) = delete;
  GuestArena& operator=(const GuestArena&) = delete;
  // Stops it, if it has not been.
  ~GuestArena() { (void)stop(); }

  // What arenad says of it, when that is so.
  Result<sweep::ArenaStatus> wait_for(const std::string& what, const std::function<bool(const sweep::ArenaStatus&)>& is_so);
  // An error: arenad does not stop it.
  Result<void> stop();
  [[nodiscard]] ArenaId id() const { return id_; }
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  GuestArena(Stage& stage, ArenaId id, std::string name) : stage_(stage), id_(id), name_(std::move(name)) {}
  Stage& stage_;
  ArenaId id_;
  std::string name_;
  bool is_over_ = false;
};

}  // namespace arenad::chaos
