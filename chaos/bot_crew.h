// The bots of a run, seen from the run: it starts them, hears their reports, tells them to stop, and sees that they end.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "chaos/bot_link.h"
#include "chaos/bot_process.h"
#include "chaos/child_process.h"

namespace arenad::chaos {

class BotCrew {
 public:
  BotCrew(std::filesystem::path program, std::filesystem::path folder)
      : program_(std::move(program)), folder_(std::move(folder)) {}

  // options.log is chosen here.
  Result<void> start(size_t arena, BotOptions options);
  // Takes in what bots have reported.
  void look();
  void stop_sending();

  [[nodiscard]] bool all_reached(BotStage stage) const;
  // A bot that has ended before it was finished, and how; empty if there is none.
  [[nodiscard]] std::string casualty();
  // Waits for the end of all; the names of those that run on or ended badly.
  std::vector<std::string> wait_for_all(uint64_t deadline_ns);
  // Ends those that still run, without a word.
  void dismiss();

  struct Bot {
    size_t arena;
    std::string name;  // with its arena's
    std::filesystem::path log;
    BotReport report{};
  };
  [[nodiscard]] const std::vector<Bot>& bots() const { return bots_; }
  [[nodiscard]] std::filesystem::path complaints() const { return folder_ / "bots.log"; }

 private:
  struct Process {
    ChildProcess child;
    Fd link;
  };
  std::filesystem::path program_;
  std::filesystem::path folder_;
  std::vector<Bot> bots_;
  std::vector<Process> processes_;  // of the bot at the same place
};

}  // namespace arenad::chaos
