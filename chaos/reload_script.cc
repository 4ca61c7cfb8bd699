#include "chaos/reload_script.h"

#include <fmt/format.h>

namespace arenad::chaos {
namespace {

// arenactl's (cli/exit_code.h).
constexpr int kFailed = 1;
constexpr int kRefused = 6;

constexpr const char* kGame = "tanks";

// Short, so that it can be watched. A good version is believed soon; a bad one gets time for the hundred frames after which one of them
// dies.
const std::vector<std::string> kSpread = {"--canary", "1", "--batch", "50%", "--probation", "2s", "--probation-frames", "30"};
const std::vector<std::string> kLongProbation = {"--probation", "8s", "--probation-frames", "120"};

struct BadVersion {
  const char* module;  // after "tanks_bad_"
  const char* title;
  const char* says;
  int exit_code;
  Concerns concerns;
};

constexpr BadVersion kBadVersions[] = {
    {"does_not_load", "does not load", "undefined symbol", kRefused, Concerns::none},
    {"abi", "was made for another Arenad", "ABI version", kRefused, Concerns::none},
    {"constructor", "crashes while it is loaded", "crashed while it was loaded", kRefused, Concerns::none},
    {"state", "has changed the type of a field of its state", "State.gunHeat", kRefused, Concerns::none},
    {"refuses", "throws when it is to take the state over", "there is no such battle", kFailed, Concerns::one},
    {"first_frame", "dies in its first frame", "signal=SEGV", kFailed, Concerns::one},
    {"later", "dies after 100 frames", "signal=SEGV", kFailed, Concerns::one},
    {"hangs", "hangs in a frame", "did not move", kFailed, Concerns::one},
};

std::vector<std::string> arguments(std::vector<std::string> first, const std::vector<std::string>& options) {
  first.insert(first.end(), options.begin(), options.end());
  return first;
}

}  // namespace

Result<std::vector<ReloadStep>> reload_script(Programs& programs, const std::vector<std::string>& folders) {
  if (auto found = find_arenactl(programs, folders); !found) return found.error();
  auto second = find_module(programs, "tanks_2.so", folders);
  if (!second) return second.error();
  programs.versions = {{kFirstVersion, programs.game}, {kSecondVersion, *second}};

  std::vector<ReloadStep> steps;
  steps.push_back({.title = "a good version: guns that are fired again and again grow hot",
                   .arguments = arguments({"reload", kGame, second->string()}, kSpread),
                   .version = kSecondVersion});
  for (const BadVersion& bad : kBadVersions) {
    auto module = find_module(programs, fmt::format("tanks_bad_{}.so", bad.module), folders);
    if (!module) return module.error();
    steps.push_back({.title = fmt::format("a bad version: it {}", bad.title),
                     .arguments = arguments({"reload", kGame, module->string()}, kLongProbation),
                     .exit_code = bad.exit_code,
                     .says = bad.says,
                     .concerns = bad.concerns,
                     .version = kSecondVersion});
  }
  steps.push_back({.title = "the way back: the first version again",
                   .arguments = arguments({"rollback", kGame}, kSpread),
                   .version = kFirstVersion});
  return steps;
}

std::string command_line(const ReloadStep& step) {
  std::string line = "arenactl";
  for (const std::string& argument : step.arguments) {
    line += ' ' + (argument.starts_with('/') ? std::filesystem::path(argument).filename().string() : argument);
  }
  return line;
}

}  // namespace arenad::chaos
