// The documented configuration file: what the table of keys says, in words.
#include <cctype>
#include <string>

#include "supervisor/config_keys.h"

namespace arenad {
namespace {

constexpr size_t kTextWidth = 100;

constexpr std::string_view kHead =
    "# Configuration of arenad. Every key stands here with its default; to change one, remove the "
    "'#' before it. Relative paths are relative to the folder of this file. arenactl reload-config, or "
    "SIGHUP, takes over what has changed while arenas run.";
constexpr std::string_view kGamesHead =
    "# A section for each game, by the name that arenactl calls it: letters, digits, - and _. Only "
    "the module must be given.";
constexpr std::string_view kExampleGame = "#[games.tanks]\n";
constexpr std::string_view kExampleModule = "games/tanks.so";

// A comment, broken at spaces into lines that begin with '# '.
std::string wrapped(std::string_view comment) {
  std::string text;
  // Each further line begins with two characters of its own.
  for (size_t width = kTextWidth; comment.size() > width; width = kTextWidth - 2) {
    const size_t end = comment.rfind(' ', width);
    text.append(comment.substr(0, end)).append("\n");
    comment.remove_prefix(end + 1);
    text.append("# ");
    width = kTextWidth - 2;
  }
  return text.append(comment).append("\n");
}

std::string section_head(std::string_view section) {
  if (section != kGamesSection) return "\n[" + std::string(section) + "]\n";
  return "\n" + wrapped(kGamesHead) + std::string(kExampleGame);
}

std::string described(const ConfigKey& key, ConfigTarget defaults) {
  std::string expected = expected_value(key);
  expected[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(expected[0])));
  std::string text = wrapped("# " + std::string(key.help));
  text += wrapped("# " + expected + "." + std::string(when_changed(key.takes_effect)));
  return text + "#" + std::string(key.name) + " = " + value_text(key, defaults) + "\n";
}

}  // namespace

std::string default_config_text() {
  Config config;
  GameConfig game = game_defaults(config);
  game.module = kExampleModule;
  std::string text = wrapped(kHead);
  std::string_view section;
  for (const ConfigKey& key : config_keys()) {
    if (key.section != section) text += section_head(key.section);
    section = key.section;
    text += described(key, {config, game});
  }
  return text;
}

}  // namespace arenad
