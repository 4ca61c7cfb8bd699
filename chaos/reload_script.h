// What is shown of changes of code: the commands that an operator types, and what each must come to. Pure data.
//
//   a good version   goes over all arenas: the canary, then batch after batch
//   bad ones         each kind once: those that are refused before anything happens, and those that one arena tries and gives back
//   the way back     the version of the beginning, over all arenas
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "arenad/result.h"
#include "chaos/programs.h"

namespace arenad::chaos {

// Which arenas get another incarnation by it.
enum class Concerns { none, one, all };

struct ReloadStep {
  std::string title;
  std::vector<std::string> arguments;  // of arenactl
  int exit_code = 0;
  std::string says;  // must be somewhere in what arenactl says; empty: anything
  Concerns concerns = Concerns::all;
  std::string version;  // of the game, which all arenas run afterwards
};

constexpr const char* kFirstVersion = "1.0";
constexpr const char* kSecondVersion = "2.0";

// Finds the modules, and enters in programs which versions stay.
Result<std::vector<ReloadStep>> reload_script(Programs& programs, const std::vector<std::string>& folders);

// As it would be typed: modules without their folders.
std::string command_line(const ReloadStep& step);

}  // namespace arenad::chaos
