// What may follow on a command line that is not finished, for the shells: asked of the parser's own tree of verbs and options, so
// that it never knows others than arenactl does. What only arenad knows, such as the names of arenas, is named here and asked for in
// complete.cc.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace arenad::cli {

struct Candidate {
  std::string text;
  std::string description;  // one line, or empty
  bool operator==(const Candidate&) const = default;
};

// What stands at a place where no fixed word does.
enum class Subject { none, arenas, games, crashes, quarantined, files };

struct Completion {
  std::vector<Candidate> words;
  Subject subject = Subject::none;  // or any of these
  std::string before;               // what candidates of the subject begin with: the option, of --option=VALUE
  std::string begun;                // what they go on from
};

// words: those in front of the one that is being typed, without the program's name.
Completion completion_of(const CLI::App& command_line, std::span<const std::string> words, const std::string& typed);

}  // namespace arenad::cli
