#include "packaging/manual/config_page.h"

#include <cctype>

#include "packaging/manual/scdoc_text.h"
#include "supervisor/config_keys.h"

namespace arenad::manual {
namespace {

constexpr std::string_view kAbout =
    "A file in TOML (toml.io). Every key has a default, but module of [games.NAME]. Relative paths are relative to the folder "
    "of\n"
    "the file. What is wrong in it is told with file, line and key, and a file with anything wrong is refused as a whole.\n"
    "arenactl reload-config, or SIGHUP to arenad, takes over what has changed while arenas run; where a change does not count\n"
    "at once it is said below.\n"
    "\n"
    "Examples:\n"
    "  arenad --check-config\n"
    "  arenad --print-default-config > arenad.toml\n"
    "  arenactl reload-config --dry-run\n";

std::string sentence(std::string text) {
  text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  return text + ".";
}

std::string section_title(std::string_view section) {
  return section == kGamesSection ? "[games.NAME]" : "[" + std::string(section) + "]";
}

std::string key_definition(const ConfigKey& key, ConfigTarget defaults) {
  const bool has_default = key.section != kGamesSection || key.name != "module";
  std::string text = std::string(key.help) + " " + sentence(expected_value(key)) + std::string(when_changed(key.takes_effect));
  if (has_default) text += " Default: " + value_text(key, defaults) + ".";
  return definition(bold(key.name), text);
}

}  // namespace

std::string config_page(const std::string& see_also) {
  Config config;
  GameConfig game = game_defaults(config);
  std::string text = "arenad.toml(5) \"\" \"Arenad\"\n\n# NAME\n\narenad.toml - configuration of arenad\n\n";
  text += "# SYNOPSIS\n\n/etc/arenad/arenad.toml\n\n# DESCRIPTION\n\n" +
          formatted_help(kAbout, [](std::string_view title) { return bold(title) + "\n\n"; }) + heading(Level::section, "KEYS");
  std::string_view section;
  for (const ConfigKey& key : config_keys()) {
    if (key.section != section) text += heading(Level::subsection, section_title(key.section));
    section = key.section;
    text += key_definition(key, {config, game});
  }
  return text + heading(Level::section, "SEE ALSO") + see_also + "\n";
}

}  // namespace arenad::manual
