// All arenas that arenad knows, by id and by name.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "supervisor/arena.h"

namespace arenad {

class Roster {
 public:
  Arena& add(std::unique_ptr<Arena> arena);
  void remove(ArenaId id);
  void clear();

  // By id or name.
  [[nodiscard]] Arena* find(std::string_view text) const;
  [[nodiscard]] Arena* find(ArenaId id) const;
  // By id, name, or glob over names (fnmatch), or all of a game: game:NAME, also with a glob; in the order of their ids.
  [[nodiscard]] std::vector<Arena*> select(std::string_view text) const;
  // "tanks-3": the game and the smallest number that is free.
  [[nodiscard]] std::string free_name(const std::string& game);
  [[nodiscard]] const std::map<ArenaId, std::unique_ptr<Arena>>& all() const { return arenas_; }

 private:
  std::map<ArenaId, std::unique_ptr<Arena>> arenas_;
  std::unordered_map<std::string, Arena*> by_name_;
  std::unordered_map<std::string, uint64_t> next_number_;  // by game
};

// Letters, digits, '.', '_', '-'; not empty, at most limits::kMaxArenaNameBytes, and not an id.
bool valid_arena_name(std::string_view name);

}  // namespace arenad
