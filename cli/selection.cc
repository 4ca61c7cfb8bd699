#include "cli/selection.h"

#include <algorithm>

#include <CLI/App.hpp>

#include "cli/suggestion.h"

namespace arenad::cli {
namespace {

bool is_glob_of_all(std::string_view arena) {
  if (arena.starts_with(kOfGame)) arena.remove_prefix(kOfGame.size());
  return !arena.empty() && arena.find_first_not_of('*') == std::string_view::npos;
}

}  // namespace

void add_selection(CLI::App& verb, ArenaSelection& selection) {
  verb.add_option("ARENA", selection.arenas, kWhichArenas)->option_text(" ");
  verb.add_flag("--all", selection.all, "Every arena");
}

Result<void> check_selection(const ArenaSelection& selection, Nothing nothing) {
  if (selection.all && !selection.arenas.empty()) {
    return make_error(ErrorCode::invalid, "either name arenas or give --all, not both");
  }
  if (std::ranges::find(selection.arenas, "") != selection.arenas.end()) {
    return make_error(ErrorCode::invalid, "an arena's name is empty");
  }
  if (nothing == Nothing::refused && !selection.all && selection.arenas.empty()) {
    return make_error(ErrorCode::invalid, "name one or more arenas, or give --all");
  }
  return {};
}

bool may_be_several(std::string_view arena) {
  return arena.starts_with(kOfGame) || arena.find_first_of("*?[") != std::string_view::npos;
}

bool means_all(const ArenaSelection& selection) {
  return selection.all || std::ranges::any_of(selection.arenas, is_glob_of_all);
}

void fill_selection(wire::Selection::Builder builder, const ArenaSelection& selection) {
  builder.setAll(selection.all);
  auto arenas = builder.initArenas(static_cast<unsigned>(selection.arenas.size()));
  for (unsigned i = 0; i < arenas.size(); ++i) arenas.set(i, selection.arenas[i]);
}

std::string perhaps_a_verb(const ArenaSelection& selection, std::span<const std::string> verbs) {
  return selection.arenas.empty() ? "" : did_you_mean(selection.arenas[0], verbs);
}

Result<void> confirm_all(const Console& console, Consent consent, const std::string& what) {
  if (consent == Consent::given) return {};
  if (!console.can_ask()) {
    return make_error(ErrorCode::invalid, "to " + what + ", give --yes too, as there is no terminal to ask at");
  }
  if (!console.confirm("Really " + what + "?")) return make_error(ErrorCode::failed, "nothing was done");
  return {};
}

}  // namespace arenad::cli
