// Matches of the ledger with two players each, who compare every frame that they hear with the model (ledger_model.h).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "chaos/rig/ledger_player.h"
#include "tests/real/daemon.h"

namespace arenad::test {

class PlayedMatches {
 public:
  explicit PlayedMatches(Daemon& daemon) : daemon_(daemon) {}

  void start(const std::string& name, const Params& params) {
    names_.push_back(name);
    const ArenaId id = *ArenaId::parse(daemon_.start_arena(name, params, "ledger"));
    for (const char* player : {"ann", "bob"}) {
      players_.push_back(std::make_unique<LedgerPlayer>(daemon_.socket(), player));
      REQUIRE(eventually([&] { return players_.back()->attach(id).ok(); }));
    }
  }
  [[nodiscard]] Daemon& daemon() const { return daemon_; }
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }

  void play() {
    for (auto& player : players_) {
      (void)player->say();
      player->listen();
    }
  }
  template <class Condition>
  bool play_until(Condition&& holds) {
    return eventually([&] {
      play();
      return holds();
    });
  }
  // Nothing was lost, repeated or different.
  void check() {
    for (auto& player : players_) {
      CHECK(eventually([&] {
        player->listen();
        return player->hears_all();
      }));
      CHECK(player->complaint() == "");
      CHECK(player->gone() == "");
    }
    for (const std::string& name : names_) CHECK(daemon_.arena(name).divergences == 0);
  }
  [[nodiscard]] uint64_t times_rolled_back() const {
    uint64_t times = 0;
    for (const auto& player : players_) times += player->times_rolled_back();
    return times;
  }

 private:
  Daemon& daemon_;
  std::vector<std::string> names_;
  std::vector<std::unique_ptr<LedgerPlayer>> players_;
};

}  // namespace arenad::test
