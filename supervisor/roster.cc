#include "supervisor/roster.h"

#include <algorithm>
#include <cctype>
#include <fnmatch.h>

namespace arenad {

bool valid_arena_name(std::string_view name) {
  if (name.empty() || name.size() > limits::kMaxArenaNameBytes || ArenaId::parse(name)) return false;
  return std::all_of(name.begin(), name.end(),
                     [](unsigned char c) { return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-'; });
}

Arena& Roster::add(std::unique_ptr<Arena> arena) {
  Arena& added = *arena;
  by_name_[added.record().name] = &added;
  arenas_[added.record().id] = std::move(arena);
  return added;
}

void Roster::remove(ArenaId id) {
  const auto found = arenas_.find(id);
  if (found == arenas_.end()) return;
  by_name_.erase(found->second->record().name);
  arenas_.erase(found);
}

void Roster::clear() {
  by_name_.clear();
  arenas_.clear();
}

Arena* Roster::find(ArenaId id) const {
  const auto found = arenas_.find(id);
  return found == arenas_.end() ? nullptr : found->second.get();
}

Arena* Roster::find(std::string_view text) const {
  if (const auto named = by_name_.find(std::string(text)); named != by_name_.end()) return named->second;
  if (const auto id = ArenaId::parse(text)) return find(*id);
  return nullptr;
}

std::vector<Arena*> Roster::select(std::string_view text) const {
  constexpr std::string_view kOfGame = "game:";
  if (Arena* exact = find(text)) return {exact};
  const bool by_game = text.starts_with(kOfGame);
  const std::string pattern(by_game ? text.substr(kOfGame.size()) : text);
  std::vector<Arena*> found;
  if (!by_game && pattern.find_first_of("*?[") == std::string::npos) return found;
  for (const auto& [id, arena] : arenas_) {
    const std::string& name = by_game ? arena->record().game : arena->record().name;
    if (::fnmatch(pattern.c_str(), name.c_str(), 0) == 0) found.push_back(arena.get());
  }
  return found;
}

std::string Roster::free_name(const std::string& game) {
  uint64_t& next = next_number_[game];
  std::string name;
  do {
    name = game + "-" + std::to_string(++next);
  } while (by_name_.count(name) != 0);
  return name;
}

}  // namespace arenad
