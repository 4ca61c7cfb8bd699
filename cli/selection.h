// The arenas that a command is for: names, ids, globs and games, passed on to arenad as they are, or all.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "arenad/result.h"
#include "cli/console.h"
#include "ipc/control.capnp.h"

namespace CLI {
class App;
}

namespace arenad::cli {

struct ArenaSelection {
  std::vector<std::string> arenas;
  bool all = false;
};

inline constexpr std::string_view kOfGame = "game:";
inline constexpr const char* kWhichArenas = "Names, ids, globs over names such as 'duel-*', or game:NAME, all of a game";

// Adds ARENA... and --all to a verb.
void add_selection(CLI::App& verb, ArenaSelection& selection);

enum class Nothing { allowed, refused };
// ErrorCode::invalid if both arenas and --all are given, or neither and that is refused, or an empty name.
Result<void> check_selection(const ArenaSelection& selection, Nothing nothing);

// A glob or a game, which may match any number of arenas.
bool may_be_several(std::string_view arena);
// Whether every arena is meant, said with --all or with a glob of asterisks.
bool means_all(const ArenaSelection& selection);

void fill_selection(wire::Selection::Builder builder, const ArenaSelection& selection);

// Where a verb of the command's own may stand in the place of an arena: "; did you mean 'show'?" if the first arena looks like one,
// else nothing.
std::string perhaps_a_verb(const ArenaSelection& selection, std::span<const std::string> verbs);

enum class Consent { given, to_be_asked };
// For what cannot be taken back and concerns all, or many: that they are meant must be confirmed, by --yes or by the person at the
// terminal.
Result<void> confirm_all(const Console& console, Consent consent, const std::string& what);

}  // namespace arenad::cli
