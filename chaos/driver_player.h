// A studio's driver (arenad/driver.h) as a player: a program that is told when to say something, and reports.
#pragma once

#include <filesystem>
#include <memory>

#include "chaos/child_process.h"
#include "chaos/player.h"
#include "ipc/driver_link.h"

namespace arenad::chaos {

class DriverPlayer : public Player {
 public:
  struct Options {
    std::filesystem::path program;
    std::filesystem::path log;
    std::string socket;
    std::string arena;
    std::string player;
    uint64_t seed = 0;
  };
  // It is in its arena when this returns.
  static Result<std::unique_ptr<DriverPlayer>> start(const Options& options);

  bool say() override;
  void listen() override;
  void leave() override;
  Result<void> come_back(ArenaId arena) override;
  [[nodiscard]] uint64_t said() const override { return asked_; }
  [[nodiscard]] uint64_t heard_back() const override { return report_.applied; }
  [[nodiscard]] uint64_t epoch() const override { return report_.epoch; }
  [[nodiscard]] pid_t worker() const override { return report_.worker; }
  [[nodiscard]] uint64_t compared() const override { return report_.heard; }
  [[nodiscard]] uint64_t rejected() const override { return report_.rejected; }
  [[nodiscard]] uint64_t digest() const override { return report_.digest; }
  [[nodiscard]] std::string complaint() const override { return report_.complaint; }
  [[nodiscard]] std::string gone() const override { return gone_.empty() ? report_.gone : gone_; }

 private:
  DriverPlayer(ChildProcess process, Fd link, std::filesystem::path log)
      : process_(std::move(process)), link_(std::move(link)), log_(std::move(log)) {}
  ChildProcess process_;
  Fd link_;
  std::filesystem::path log_;
  uint64_t asked_ = 0;
  DriverReport report_;
  std::string gone_;
};

}  // namespace arenad::chaos
