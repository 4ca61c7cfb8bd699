// The files of a game that runs, with a test, to begin one's own with: made from templates (cli/templates/) that are part of the program. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "arenad/result.h"

namespace arenad::cli {

enum class GameLanguage { cpp, python };
const char* to_string(GameLanguage language);

// Errors: invalid, with what a game may be called: it becomes a file, a namespace, a package and a target.
Result<void> check_game_name(std::string_view name);

// The game's class: my_duel is MyDuelGame. It is called like nothing else in its file.
std::string class_name_of(std::string_view name);

struct NewFile {
  std::string path;  // within the game's folder; may lie in a folder there
  std::string text;
};
// file_id: 64 random bits, of which the highest becomes 1: the schema's id.
std::vector<NewFile> new_game_files(GameLanguage language, const std::string& name, uint64_t file_id);

}  // namespace arenad::cli
