// arenactl as an operator would type it: a child whose output comes line by line, on both streams as a terminal would mix them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "chaos/child_process.h"

namespace arenad::chaos {

class OperatorCommand {
 public:
  // log: everything that it says is added there.
  static Result<OperatorCommand> start(const std::filesystem::path& arenactl, const std::filesystem::path& socket,
                                       const std::vector<std::string>& arguments, const std::filesystem::path& log);

  // What it has said since the last call, in whole lines; after its end also what is not a whole one.
  std::vector<std::string> new_lines();
  // Nothing while it runs.
  std::optional<Exit> ended() { return process_.wait(0); }

 private:
  OperatorCommand(ChildProcess process, std::filesystem::path log, uint64_t read_to)
      : process_(std::move(process)), log_(std::move(log)), read_to_(read_to) {}
  ChildProcess process_;
  std::filesystem::path log_;
  uint64_t read_to_;
};

}  // namespace arenad::chaos
