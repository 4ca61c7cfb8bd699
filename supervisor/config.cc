// Reads a configuration in three passes: is it TOML, is every key known and every value one that
// the key may have, do the values go together. Each pass finds all that it can.
#include "supervisor/config.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <sstream>
#include <sys/un.h>

#include <toml++/toml.h>

#include "arenad/result.h"
#include "supervisor/config_keys.h"
#include "supervisor/metrics_address.h"

namespace arenad {
namespace {

constexpr size_t kMaxFileBytes = 1024 * 1024;
constexpr size_t kMaxShownBytes = 120;
constexpr size_t kMaxSocketPathBytes = sizeof(sockaddr_un::sun_path) - 1;

using Problems = std::vector<ConfigProblem>;

std::string without_controls(std::string_view text) {
  std::string result(text);
  std::ranges::replace_if(
      result, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, '?');
  return result;
}

// As it can stand in a message: on one line, and not without end.
std::string one_line(std::string_view text) {
  return without_controls(text.substr(0, kMaxShownBytes)) + (text.size() > kMaxShownBytes ? "..." : "");
}

std::string excerpt(std::string_view text) {
  return '"' + one_line(text) + '"';
}

// What stands where something else was expected.
std::string described(const toml::node& node) {
  if (node.is_table()) return "a section";
  if (node.is_array()) return "a list";
  if (const auto* text = node.as_string()) return excerpt(text->get());
  std::ostringstream out;
  node.visit([&](const auto& value) { out << value; });
  return out.str();
}

bool is_game_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  return !name.empty() && name.size() <= limits::kMaxArenaNameBytes && std::ranges::all_of(name, allowed);
}

// Of users and groups. Whether there is such a one is not looked at here.
bool is_account_name(std::string_view name) {
  const auto allowed = [](char c) { return c > ' ' && c != '\x7f' && c != ':' && c != '"' && c != '\\'; };
  return !name.empty() && name.size() <= 256 && std::ranges::all_of(name, allowed);
}

// Whether there is such a group is seen when arenad begins.
bool is_control_group(std::string_view text) {
  if (text == "auto" || text == "off" || text == "/") return true;
  const auto allowed = [](char c) { return c >= ' ' && c != '\x7f' && c != '"' && c != '\\'; };
  const std::string whole = std::filesystem::path(text).lexically_normal().string();
  return text.starts_with('/') && !text.ends_with('/') && whole == text && text.size() <= 1024 &&
         std::ranges::all_of(text, allowed);
}

bool in_range(const NumberKey& key, int64_t given) {
  if (given < 0) return false;
  const auto value = static_cast<uint64_t>(given);
  if (value == 0 && key.step == Step::zero_or_power_of_two) return true;
  return value >= key.low && value <= key.high && (key.step == Step::any || (value & (value - 1)) == 0);
}

class ConfigReader {
 public:
  ConfigReader(std::string_view file, const std::filesystem::path& folder) : file_(file), folder_(folder) {}

  LoadedConfig read(const toml::table& root) {
    // Games are read last: what they do not set comes from the other sections.
    const toml::node* games = nullptr;
    for (const auto& [key, node] : root) {
      if (key.str() == kGamesSection) {
        games = &node;
      } else {
        read_section(key, node);
      }
    }
    if (games != nullptr) read_games(*games);
    check_together();
    if (problems_.empty()) return std::move(config_);
    std::ranges::stable_sort(problems_, {}, &ConfigProblem::line);
    return std::move(problems_);
  }

 private:
  void add_problem(uint32_t line, std::string_view key, std::string message) {
    problems_.push_back({file_, line, 0, one_line(key), std::move(message)});
  }

  void read_section(const toml::key& section, const toml::node& node) {
    const std::string name(section.str());
    const uint32_t line = section.source().begin.line;
    if (const auto* table = node.as_table(); table != nullptr && is_config_section(name)) {
      for (const auto& [key, value] : *table) read_key(name, name, key, value, no_game_);
    } else if (is_config_section(name)) {
      add_problem(line, name, "expected a section, got " + described(node));
    } else if (node.is_table()) {
      add_problem(line, name, "unknown section; the nearest known one is " + std::string(nearest_config_section(name)));
    } else {
      add_unknown_key(line, name, nearest_config_key({}, name), {});
    }
  }

  void read_games(const toml::node& node) {
    const auto* games = node.as_table();
    if (games == nullptr) {
      add_problem(node.source().begin.line, std::string(kGamesSection),
                  "expected a section for each game, got " + described(node));
      return;
    }
    for (const auto& [name, game] : *games) read_game(name, game);
  }

  void read_game(const toml::key& name, const toml::node& node) {
    const uint32_t line = name.source().begin.line;
    const std::string path = std::string(kGamesSection) + "." + std::string(name.str());
    const auto* table = node.as_table();
    if (table == nullptr) {
      add_problem(line, path, "expected a section with the game's module, got " + described(node));
      return;
    }
    if (!is_game_name(name.str())) {
      add_problem(line, std::string(kGamesSection),
                  "expected a game's name of 1 to " + std::to_string(limits::kMaxArenaNameBytes) +
                      " letters, digits, - and _, got " + excerpt(name.str()));
    }
    GameConfig game = game_defaults(config_);
    for (const auto& [key, value] : *table) read_key(kGamesSection, path, key, value, game);
    if (!table->contains("module")) {
      const ConfigKey* module = find_config_key(kGamesSection, "module");
      add_problem(line, path + ".module", "expected " + expected_value(*module) + ", got nothing");
    }
    config_.games.emplace(name.str(), std::move(game));
  }

  // path: the section with the game's name, as the operator sees it.
  void read_key(std::string_view section, const std::string& path, const toml::key& name, const toml::node& node,
                GameConfig& game) {
    const uint32_t line = name.source().begin.line;
    std::string full = path + "." + std::string(name.str());
    const ConfigKey* key = find_config_key(section, name.str());
    if (key == nullptr) {
      add_unknown_key(line, full, nearest_config_key(section, name.str()), path);
      return;
    }
    const bool stored = std::visit([&](const auto& kind) { return store(kind, node, ConfigTarget{config_, game}); }, key->kind);
    if (!stored) {
      add_problem(line, full, "expected " + expected_value(*key) + ", got " + described(node));
    }
    lines_.emplace(std::move(full), line);
  }

  void add_unknown_key(uint32_t line, std::string_view key, const ConfigKey& nearest, std::string_view path) {
    std::string section(nearest.section);
    if (section == kGamesSection) {
      section = path.starts_with(kGamesSection) ? path : std::string_view("games.NAME");
    }
    add_problem(line, key, "unknown key; the nearest known one is " + section + "." + std::string(nearest.name));
  }

  // Stores what the key may be; false, and nothing stored, for anything else.
  static bool store(const NumberKey& key, const toml::node& node, ConfigTarget target) {
    const auto* number = node.as_integer();
    if (number == nullptr || !in_range(key, number->get())) return false;
    key.field(target) = static_cast<uint64_t>(number->get());
    return true;
  }

  static bool store(const ChoiceKey& key, const toml::node& node, ConfigTarget target) {
    const auto* text = node.as_string();
    if (text == nullptr) return false;
    const auto found = std::ranges::find(key.names, text->get());
    if (found == key.names.end()) return false;
    key.set(target, static_cast<size_t>(found - key.names.begin()));
    return true;
  }

  bool store(const PathKey& key, const toml::node& node, ConfigTarget target) const {
    const auto* text = node.as_string();
    if (text == nullptr || text->get().find('\0') != std::string::npos) return false;
    if (text->get().empty()) {
      if (key.empty == EmptyPath::refused) return false;
      key.field(target).clear();
      return true;
    }
    const std::filesystem::path given(text->get());
    key.field(target) = (key.relative_to == RelativeTo::file ? folder_ / given : given).lexically_normal();
    return true;
  }

  static bool store(const NameKey& key, const toml::node& node, ConfigTarget target) {
    const auto* text = node.as_string();
    if (text == nullptr || (!text->get().empty() && !is_account_name(text->get()))) return false;
    key.field(target) = text->get();
    return true;
  }

  static bool store(const MetricsAddressKey& key, const toml::node& node, ConfigTarget target) {
    const auto* text = node.as_string();
    if (text == nullptr || !parse_metrics_address(text->get())) return false;
    key.field(target) = text->get();
    return true;
  }

  static bool store(const ControlGroupKey& key, const toml::node& node, ConfigTarget target) {
    const auto* text = node.as_string();
    if (text == nullptr || !is_control_group(text->get())) return false;
    key.field(target) = text->get();
    return true;
  }

  static bool store(const NamesKey& key, const toml::node& node, ConfigTarget target) {
    const auto* list = node.as_array();
    if (list == nullptr) return false;
    std::vector<std::string> names;
    for (const toml::node& element : *list) {
      const auto* text = element.as_string();
      if (text == nullptr || !is_account_name(text->get())) return false;
      names.push_back(text->get());
    }
    key.field(target) = std::move(names);
    return true;
  }

  // Each stands on a line of its own where it goes to (ipc/cage_options.h).
  bool store(const PathsKey& key, const toml::node& node, ConfigTarget target) const {
    const auto* list = node.as_array();
    if (list == nullptr) return false;
    std::vector<std::string> paths;
    for (const toml::node& element : *list) {
      const auto* text = element.as_string();
      const auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' '; };
      if (text == nullptr || text->get().empty() || std::ranges::any_of(text->get(), is_control)) return false;
      paths.push_back((folder_ / text->get()).lexically_normal().native());
    }
    key.field(target) = std::move(paths);
    return true;
  }

  static bool store(const FlagKey& key, const toml::node& node, ConfigTarget target) {
    const auto* flag = node.as_boolean();
    if (flag == nullptr) return false;
    key.field(target) = flag->get();
    return true;
  }

  void check_together() {
    const auto& [max_event_bytes, default_bytes, max_bytes] = config_.channels;
    if (default_bytes > max_bytes) {
      add_conflict(
          "channels.default_bytes", "channels.max_bytes",
          "expected at most channels.max_bytes, " + std::to_string(max_bytes) + ", got " + std::to_string(default_bytes));
    }
    if (max_event_bytes > default_bytes / 2) {
      add_conflict("channels.max_event_bytes", "channels.default_bytes",
                   "expected at most half of channels.default_bytes, " + std::to_string(default_bytes / 2) + ", got " +
                       std::to_string(max_event_bytes));
    }
    if (config_.restart.first_delay_ms > config_.restart.max_delay_ms) {
      add_conflict("restart.first_delay_ms", "restart.max_delay_ms",
                   "expected at most restart.max_delay_ms, " + std::to_string(config_.restart.max_delay_ms) + ", got " +
                       std::to_string(config_.restart.first_delay_ms));
    }
    const size_t socket_bytes = config_.daemon.socket_path().native().size();
    if (socket_bytes > kMaxSocketPathBytes) {
      add_conflict("daemon.socket", "daemon.runtime_directory",
                   "expected a path of at most " + std::to_string(kMaxSocketPathBytes) +
                       " bytes together with daemon.runtime_directory, got " + std::to_string(socket_bytes));
    }
    check_metrics_socket();
  }

  void check_metrics_socket() {
    const auto address = parse_metrics_address(config_.metrics.listen);
    const auto* socket = address ? std::get_if<UnixMetrics>(&*address) : nullptr;
    if (socket == nullptr) return;
    const auto path = config_.daemon.runtime_directory / socket->path;
    for (const auto& other : {config_.daemon.socket_path(), config_.daemon.workers_socket_path()}) {
      if (path.lexically_normal() == other.lexically_normal()) {
        add_conflict("metrics.listen", "daemon.socket", "expected a socket of its own, got " + other.string());
      }
    }
    const size_t bytes = path.native().size();
    if (bytes > kMaxSocketPathBytes) {
      add_conflict("metrics.listen", "daemon.socket",
                   "expected a path of at most " + std::to_string(kMaxSocketPathBytes) +
                       " bytes together with daemon.runtime_directory, got " + std::to_string(bytes));
    }
  }

  // Two values that are allowed, but not together. Says nothing while one of them has a problem of
  // its own: what is compared then is its default.
  void add_conflict(const std::string& key, const std::string& other, std::string message) {
    const bool told = std::ranges::any_of(
        problems_, [&](const ConfigProblem& problem) { return problem.key == key || problem.key == other; });
    if (told) return;
    const auto line = lines_.contains(key) ? lines_.find(key) : lines_.find(other);
    add_problem(line == lines_.end() ? 0 : line->second, key, std::move(message));
  }

  std::string file_;
  std::filesystem::path folder_;
  Config config_;
  GameConfig no_game_;  // of keys outside of any game
  Problems problems_;
  std::map<std::string, uint32_t> lines_;  // of the keys that the file sets
};

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

Result<std::string> file_text(const std::filesystem::path& path) {
  const std::unique_ptr<std::FILE, FileCloser> file(std::fopen(path.c_str(), "re"));
  if (file == nullptr) return errno_error("cannot be opened");
  std::string text(kMaxFileBytes + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (std::ferror(file.get()) != 0) return errno_error("cannot be read");
  if (text.size() > kMaxFileBytes) {
    return make_error(ErrorCode::invalid, "larger than any configuration, " + std::to_string(kMaxFileBytes) + " bytes at most");
  }
  return text;
}

Problems problem_of_file(std::string_view file, std::string message) {
  return {{std::string(file), 0, 0, {}, std::move(message)}};
}

}  // namespace

RestartPolicy RestartConfig::policy() const {
  constexpr uint64_t kMillisecondNs = 1'000'000;
  return {static_cast<uint32_t>(intensity), window_ms * kMillisecondNs, first_delay_ms * kMillisecondNs,
          max_delay_ms * kMillisecondNs, healthy_ms * kMillisecondNs};
}

std::string ConfigProblem::text() const {
  std::string text = file;
  if (line != 0) text += ":" + std::to_string(line);
  if (column != 0) text += ":" + std::to_string(column);
  if (!key.empty()) text += ": " + key;
  return text + ": " + message;
}

LoadedConfig load_config(const std::filesystem::path& file) {
  auto text = file_text(file);
  if (!text) return problem_of_file(file.native(), text.error().text());
  std::error_code error;
  const auto absolute = std::filesystem::absolute(file, error);
  if (error) return problem_of_file(file.native(), "has no folder: " + error.message());
  return parse_config(*text, file.native(), absolute.parent_path());
}

LoadedConfig parse_config(std::string_view text, std::string_view file, const std::filesystem::path& folder) {
  try {
    return ConfigReader(file, folder).read(toml::parse(text, file));
  } catch (const toml::parse_error& error) {
    const auto& begin = error.source().begin;
    return Problems{
        {std::string(file), begin.line, begin.column, {}, "not valid TOML: " + without_controls(error.description())}};
  } catch (const std::exception& error) {
    return problem_of_file(file, std::string("cannot be parsed: ") + error.what());
  }
}

}  // namespace arenad
