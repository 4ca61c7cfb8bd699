// A player of the ledger game: writes entries with the numbers 1, 2, 3 and so on, and keeps all that it hears.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "arenad/client.h"
#include "chaos/player.h"
#include "chaos/rig/ledger_model.h"

namespace arenad::test {

// As one client has heard it.
struct HeardOutput {
  uint64_t sequence = 0;
  uint64_t type = 0;
  std::string bytes;
  bool operator==(const HeardOutput&) const = default;
};

// What a player at this seat writes with the entry of this number.
uint64_t ledger_amount(uint64_t number, uint64_t seat);

class LedgerPlayer : public chaos::Player {
 public:
  LedgerPlayer(std::string socket, std::string name) : socket_(std::move(socket)), name_(std::move(name)) {}

  // One try.
  Result<void> attach(ArenaId arena);
  // The arena was put down; its next incarnation has other channels, and what this player said counts on.
  void leave() override;
  Result<void> come_back(ArenaId arena) override;
  [[nodiscard]] bool is_attached() const { return attachment_ != nullptr; }

  // The next entry. False: the channel takes nothing now.
  bool say() override;
  // Takes in what is there now.
  void listen() override;
  [[nodiscard]] uint64_t said() const override { return said_; }
  [[nodiscard]] uint64_t heard_back() const override { return model_.last(seat_); }
  [[nodiscard]] pid_t worker() const override { return worker_; }
  [[nodiscard]] uint64_t compared() const override { return model_.frames_compared(); }
  [[nodiscard]] uint64_t frame() const override { return model_.frame(); }
  [[nodiscard]] uint64_t rejected() const override { return rejected_; }
  // Of how many entries it has written and what they come to, and not of frames, or of what others write.
  [[nodiscard]] uint64_t digest() const override;
  [[nodiscard]] const LedgerPlayer* ledger() const override { return this; }
  [[nodiscard]] uint64_t times_rolled_back() const { return times_rolled_back_; }
  [[nodiscard]] const LedgerModel& model() const { return model_; }
  [[nodiscard]] const std::vector<HeardOutput>& heard() const { return heard_; }
  [[nodiscard]] Attachment* attachment() const { return attachment_.get(); }
  // Nothing follows; why.
  [[nodiscard]] std::string gone() const override { return gone_; }
  // Who has come back knows no incarnation before there is one.
  [[nodiscard]] uint64_t epoch() const override {
    return std::max(epoch_before_, attachment_ ? attachment_->epoch().value : 0);
  }
  // What must never happen; empty: nothing.
  [[nodiscard]] std::string complaint() const override { return complaint_.empty() ? model_.complaint() : complaint_; }

 private:
  void take(const Output& output);

  std::string socket_;
  std::string name_;
  std::unique_ptr<Client> client_;
  std::unique_ptr<Attachment> attachment_;
  LedgerModel model_;
  std::vector<HeardOutput> heard_;
  uint64_t said_ = 0;
  uint64_t times_rolled_back_ = 0;
  uint64_t seat_ = 0;
  uint64_t rejected_ = 0;
  pid_t worker_ = 0;
  uint64_t epoch_before_ = 0;  // when it left
  std::string gone_;
  std::string complaint_;
};

}  // namespace arenad::test
