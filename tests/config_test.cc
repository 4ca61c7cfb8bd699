#include "supervisor/config.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "supervisor/config_keys.h"

namespace {

using arenad::Config;
using arenad::ConfigKey;
using arenad::ConfigProblem;
using arenad::LoadedConfig;
using arenad::NumberKey;
using arenad::Step;

namespace fs = std::filesystem;
using Texts = std::vector<std::string>;

LoadedConfig parse(std::string_view text) {
  return arenad::parse_config(text, "arenad.toml", "/srv/arenad");
}

Texts problems_of(const LoadedConfig& loaded) {
  Texts texts;
  if (const auto* problems = std::get_if<std::vector<ConfigProblem>>(&loaded)) {
    for (const auto& problem : *problems) texts.push_back(problem.text());
  }
  return texts;
}

Texts problems(std::string_view text) {
  return problems_of(parse(text));
}

Config config(std::string_view text) {
  const LoadedConfig loaded = parse(text);
  for (const auto& problem : problems_of(loaded)) FAIL_CHECK(problem);
  const auto* config = std::get_if<Config>(&loaded);
  return config == nullptr ? Config{} : *config;
}

// The default file with every key set to the default that it shows.
std::string uncommented(std::string_view text) {
  std::string result;
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at);
    std::string_view line = text.substr(at, end - at);
    if (line.size() > 1 && line[0] == '#' && line[1] != ' ') line.remove_prefix(1);
    result.append(line).append("\n");
    at = end + 1;
  }
  return result;
}

std::string assignment(const ConfigKey& key, std::string_view value) {
  const bool of_game = key.section == arenad::kGamesSection;
  std::string text = "[" + std::string(key.section) + (of_game ? ".tanks]\n" : "]\n");
  if (of_game && key.name != "module") text += "module = \"tanks.so\"\n";
  return text + std::string(key.name) + " = " + std::string(value) + "\n";
}

// Whether this one key takes the value; what it does not go together with is another matter.
bool takes(const ConfigKey& key, std::string_view value) {
  const Texts found = problems(assignment(key, value));
  return std::ranges::none_of(found, [&](const std::string& text) {
    return text.find(": expected " + arenad::expected_value(key) + ", got ") != std::string::npos;
  });
}

// A folder that is removed at the end of the test.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (fs::temp_directory_path() / "arenad-config-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() { fs::remove_all(path_); }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

void write(const fs::path& file, std::string_view text) {
  std::ofstream(file) << text;
}

}  // namespace

TEST_CASE("config: nothing set gives the defaults") {
  CHECK(config("") == Config{});
  CHECK(config("# only a comment\n") == Config{});
  CHECK(config("[daemon]\n[restart]\n[games]\n") == Config{});
  CHECK(Config{}.restart.policy() == arenad::RestartPolicy{});
  CHECK(Config{}.daemon.socket_path() == "/run/arenad/arenad.sock");
  CHECK(Config{}.daemon.database_path() == "/var/lib/arenad/arenad.db");
}

TEST_CASE("config: every value is read") {
  const Config read = config(R"(
[daemon]
directory = "/d"
runtime_directory = "/r"
socket = "s.sock"
worker = "/w"
log_level = "debug"
log_format = "logfmt"
[metrics]
listen = "[::1]:9464"
max_arenas_with_series = 7
[checkpoint]
interval_ms = 2000
[snapshot]
interval_ms = 250
[arenas]
max_arenas = 10
shared_memory_mib = 512
ready_timeout_ms = 3000
stop_timeout_ms = 4000
keep_finished = 5
[restart]
intensity = 6
window_ms = 7000
first_delay_ms = 8
max_delay_ms = 9
healthy_ms = 10
[hang]
soft_limit_ms = 11
hard_limit_ms = 12
[spares]
per_game = 3
[channels]
max_event_bytes = 4096
default_bytes = 16384
max_bytes = 32768
[games.tanks]
module = "/m/tanks.so"
spares = 0
snapshot_interval_ms = 100
output_ring_bytes = 524288
frame_log_bytes = 131072
soft_limit_ms = 13
hard_limit_ms = 14
on_divergence = "stop"
[games.duel-2_x]
module = "/m/duel.so"
)");
  CHECK(read.daemon == arenad::DaemonConfig{"/d", "/r", "s.sock", "/w", arenad::LogLevel::debug, arenad::LogFormat::logfmt});
  CHECK(read.metrics == arenad::MetricsConfig{"[::1]:9464", 7});
  CHECK(read.checkpoint.interval_ms == 2000);
  CHECK(read.snapshot.interval_ms == 250);
  CHECK(read.arenas == arenad::ArenasConfig{10, 512, 3000, 4000, 5});
  CHECK(read.restart == arenad::RestartConfig{6, 7000, 8, 9, 10});
  CHECK(read.restart.policy() == arenad::RestartPolicy{6, 7'000'000'000, 8'000'000, 9'000'000, 10'000'000});
  CHECK(read.hang == arenad::HangConfig{11, 12});
  CHECK(read.spares.per_game == 3);
  CHECK(read.channels == arenad::ChannelsConfig{4096, 16384, 32768});
  REQUIRE(read.games.size() == 2);
  CHECK(read.games.at("tanks") ==
        arenad::GameConfig{"/m/tanks.so", 0, 100, 13, 14, arenad::OnDivergence::stop, 524288, 131072});
  CHECK(read.games.at("duel-2_x") == arenad::GameConfig{"/m/duel.so", 3, 250, 11, 12, arenad::OnDivergence::go_on, 0, 262144});
}

TEST_CASE("config: a game takes what it does not set from sections that stand after it") {
  const Config read = config("[games.a]\nmodule = \"a.so\"\n[spares]\nper_game = 7\n");
  CHECK(read.games.at("a").spares == 7);
}

TEST_CASE("config: paths") {
  SUBCASE("are relative to the file's folder") {
    const Config read = config(R"(
daemon = { directory = "state", worker = "../bin/arena-worker" }
games.tanks.module = "./games/tanks.so"
)");
    CHECK(read.daemon.directory == "/srv/arenad/state");
    CHECK(read.daemon.worker == "/srv/bin/arena-worker");
    CHECK(read.games.at("tanks").module == "/srv/arenad/games/tanks.so");
  }
  SUBCASE("but the socket's to the runtime directory") {
    CHECK(config("daemon = { runtime_directory = \"/r\", socket = \"a/s\" }").daemon.socket_path() == "/r/a/s");
    CHECK(config("daemon = { socket = \"/x/s\" }").daemon.socket_path() == "/x/s");
  }
  SUBCASE("only the worker's may be empty") {
    CHECK(config("daemon.worker = \"\"").daemon.worker.empty());
    CHECK(problems("daemon.socket = \"\"") == Texts{"arenad.toml:1: daemon.socket: expected a path in quotes, got \"\""});
  }
  SUBCASE("have no zero byte") {
    CHECK(problems("daemon.worker = \"/a\\u0000b\"") ==
          Texts{"arenad.toml:1: daemon.worker: expected a path in quotes, or \"\", got \"/a?b\""});
  }
}

TEST_CASE("config: where control groups of workers are made") {
  const ConfigKey& key = *arenad::find_config_key("cage", "groups");
  CHECK(config("").cage.groups == "auto");
  CHECK(config("[cage]\ngroups = \"/my/arenas\"\n").cage.groups == "/my/arenas");
  for (const std::string_view value : {"\"auto\"", "\"off\"", "\"/\"", "\"/a b\"", "\"/a/..b\""}) {
    CAPTURE(value);
    CHECK(takes(key, value));
  }
  for (const std::string_view value : {"\"\"", "\"on\"", "\"arenas\"", "\"/a/\"", "\"//a\"", "\"/a/../b\"", "\"/a\\n\""}) {
    CAPTURE(value);
    CHECK_FALSE(takes(key, value));
  }
}

TEST_CASE("config: the default file is complete") {
  const std::string text = arenad::default_config_text();
  CHECK(config(text) == Config{});

  Config expected;
  expected.games["tanks"] = arenad::game_defaults(expected);
  expected.games["tanks"].module = "/srv/arenad/games/tanks.so";
  CHECK(config(uncommented(text)) == expected);

  for (const ConfigKey& key : arenad::config_keys()) {
    CHECK(text.find("\n#" + std::string(key.name) + " = ") != std::string::npos);
  }
  for (size_t at = 0, end = 0; (end = text.find('\n', at)) != std::string::npos; at = end + 1) {
    CHECK(end - at <= 100);
  }
}

TEST_CASE("config: every default is a value that its key takes") {
  Config defaults;
  arenad::GameConfig game = arenad::game_defaults(defaults);
  game.module = "tanks.so";
  for (const ConfigKey& key : arenad::config_keys()) {
    CAPTURE(key.name);
    CHECK(takes(key, arenad::value_text(key, {defaults, game})));
  }
}

TEST_CASE("config: every number at its limits") {
  for (const ConfigKey& key : arenad::config_keys()) {
    const auto* number = std::get_if<NumberKey>(&key.kind);
    if (number == nullptr) continue;
    CAPTURE(key.section);
    CAPTURE(key.name);
    CHECK(takes(key, std::to_string(number->low)));
    CHECK(takes(key, std::to_string(number->high)));
    CHECK_FALSE(takes(key, std::to_string(number->high + 1)));
    CHECK_FALSE(takes(key, std::to_string(number->high * 2 + 2)));
    CHECK_FALSE(takes(key, "-1"));
    CHECK_FALSE(takes(key, std::to_string(INT64_MIN)));
    CHECK_FALSE(takes(key, std::to_string(INT64_MAX)));
    if (number->low > 1) CHECK_FALSE(takes(key, std::to_string(number->low - 1)));
    if (number->low > 0) CHECK(takes(key, "0") == (number->step == Step::zero_or_power_of_two));
    if (number->step != Step::any) CHECK_FALSE(takes(key, std::to_string(number->low + 1)));
    if (number->step != Step::any) CHECK(takes(key, std::to_string(number->low * 2)));
  }
}

TEST_CASE("config: every key refuses every other type") {
  for (const ConfigKey& key : arenad::config_keys()) {
    CAPTURE(key.section);
    CAPTURE(key.name);
    const bool is_paths = std::holds_alternative<arenad::PathsKey>(key.kind);
    const bool is_names = std::holds_alternative<arenad::NamesKey>(key.kind);
    for (const std::string_view value : {"1.5", "inf", "1979-05-27", "12:00:00", "1979-05-27T00:32:00Z", "[1]", "[\"\"]",
                                         "[\"two\\nlines\"]", "{}", "{ a = 1 }"}) {
      CAPTURE(value);
      CHECK_FALSE(takes(key, value));
    }
    for (const std::string_view list : {"[]", "[\"two\"]", "[\"two\", \"1\"]"}) {
      CHECK(takes(key, list) == (is_names || is_paths));
    }
    CHECK(takes(key, "[\"two words\"]") == is_paths);
    CHECK(takes(key, "true") == std::holds_alternative<arenad::FlagKey>(key.kind));
    if (!std::holds_alternative<NumberKey>(key.kind)) CHECK_FALSE(takes(key, "1"));
    const bool is_text = std::holds_alternative<arenad::PathKey>(key.kind) || std::holds_alternative<arenad::NameKey>(key.kind);
    CHECK(takes(key, "\"two\"") == is_text);
  }
}

TEST_CASE("config: problems say where, what is expected and what is there") {
  SUBCASE("number") {
    CHECK(problems("\n[games.tanks]\nmodule = \"a\"\nspares = \"two\"\n") ==
          Texts{"arenad.toml:4: games.tanks.spares: expected a whole number from 0 to 64, got "
                "\"two\""});
  }
  SUBCASE("power of two") {
    CHECK(problems("channels.max_bytes = 1000000\n") ==
          Texts{"arenad.toml:1: channels.max_bytes: expected a power of two from 16384 to "
                "16777216, got 1000000"});
  }
  SUBCASE("choice") {
    CHECK(problems("daemon.log_format = \"json\"\n") ==
          Texts{"arenad.toml:1: daemon.log_format: expected \"auto\", \"plain\" or \"logfmt\", got "
                "\"json\""});
    CHECK(problems("daemon.log_level = \"Info\"\n").size() == 1);
  }
  SUBCASE("a long text is cut, and a message stays one line") {
    const Texts found = problems("spares.per_game = \"a\\n\\u001b" + std::string(500, 'x') + "\"");
    REQUIRE(found.size() == 1);
    CHECK(found[0].size() < 250);
    CHECK(found[0].find("got \"a??xxx") != std::string::npos);
    CHECK(found[0].ends_with("x...\""));
    CHECK(problems("[spares]\n\"a\\nb\" = 1")[0].starts_with("arenad.toml:2: spares.a?b: "));
  }
  SUBCASE("a section that is none") {
    CHECK(problems("restart = 5") == Texts{"arenad.toml:1: restart: expected a section, got 5"});
    CHECK(problems("[[restart]]\nintensity = 1") == Texts{"arenad.toml:1: restart: expected a section, got a list"});
    CHECK(problems("games = 5") == Texts{"arenad.toml:1: games: expected a section for each game, got 5"});
    CHECK(problems("games.x = 5") == Texts{"arenad.toml:1: games.x: expected a section with the game's module, got 5"});
  }
}

TEST_CASE("config: unknown keys name the nearest known one") {
  const auto nearest = [](std::string_view text) {
    const Texts found = problems(text);
    REQUIRE(found.size() == 1);
    const size_t at = found[0].find("the nearest known one is ");
    REQUIRE(at != std::string::npos);
    return found[0].substr(at + 25);
  };
  CHECK(problems("[daemon]\n\ndirectroy = \"/d\"\n") ==
        Texts{"arenad.toml:3: daemon.directroy: unknown key; the nearest known one is "
              "daemon.directory"});
  CHECK(nearest("restart.intensty = 1") == "restart.intensity");
  CHECK(nearest("arenas.max = 1") == "arenas.max_arenas");
  CHECK(nearest("restart.interval_ms = 1") == "checkpoint.interval_ms");
  CHECK(nearest("snapshot.intervall_ms = 1") == "snapshot.interval_ms");
  CHECK(nearest("max_arenas = 1") == "arenas.max_arenas");
  CHECK(nearest("module = \"a\"") == "games.NAME.module");
  CHECK(nearest("[games.x]\nmodule = \"a\"\nspare = 1") == "games.x.spares");
  CHECK(nearest("[daemon.directory_]\na = 1") == "daemon.directory");
  CHECK(nearest("[deamon]\ndirectory = \"/d\"") == "daemon");
  CHECK(nearest("[game.tanks]\nmodule = \"a\"") == "games");
  CHECK(nearest("\"\" = 1") != "");
}

TEST_CASE("config: games") {
  SUBCASE("a module is a must") {
    CHECK(problems("[games.tanks]\nspares = 1") ==
          Texts{"arenad.toml:1: games.tanks.module: expected a path in quotes, got nothing"});
  }
  SUBCASE("names at their limits") {
    const auto count = [](const std::string& name) { return problems("[games.\"" + name + "\"]\nmodule = \"a\"").size(); };
    CHECK(count("a") == 0);
    CHECK(count(std::string(64, 'a')) == 0);
    CHECK(count(std::string(65, 'a')) == 1);
    CHECK(count("") == 1);
    CHECK(count("a b") == 1);
    CHECK(count("a/b") == 1);
    CHECK(count("a.b") == 1);
    CHECK(count("\xC3\xA9") == 1);
    CHECK(problems("[games.\"a b\"]\nmodule = \"a\"") ==
          Texts{"arenad.toml:1: games: expected a game's name of 1 to 64 letters, digits, - and _, "
                "got \"a b\""});
  }
}

TEST_CASE("config: values that do not go together") {
  SUBCASE("delays") {
    CHECK(problems("[restart]\nfirst_delay_ms = 6000\n") ==
          Texts{"arenad.toml:2: restart.first_delay_ms: expected at most restart.max_delay_ms, "
                "5000, got 6000"});
    CHECK(problems("[restart]\nmax_delay_ms = 49\n") ==
          Texts{"arenad.toml:2: restart.first_delay_ms: expected at most restart.max_delay_ms, 49, "
                "got 50"});
    CHECK(problems("[restart]\nmax_delay_ms = 50\n").empty());
  }
  SUBCASE("channels") {
    CHECK(problems("[channels]\ndefault_bytes = 131072\n").empty());
    CHECK(problems("[channels]\ndefault_bytes = 65536\n") ==
          Texts{"arenad.toml:2: channels.max_event_bytes: expected at most half of "
                "channels.default_bytes, 32768, got 65536"});
    CHECK(problems("[channels]\nmax_bytes = 262144\n").empty());
    CHECK(problems("[channels]\nmax_bytes = 131072\n") ==
          Texts{"arenad.toml:2: channels.default_bytes: expected at most channels.max_bytes, "
                "131072, got 262144"});
  }
  SUBCASE("the socket's path") {
    const auto socket = [](size_t bytes) {
      return problems("daemon = { runtime_directory = \"/r\", socket = \"" + std::string(bytes - 3, 's') + "\" }");
    };
    CHECK(socket(107).empty());
    CHECK(socket(108) == Texts{"arenad.toml:1: daemon.socket: expected a path of at most 107 bytes together with "
                               "daemon.runtime_directory, got 108"});
  }
  SUBCASE("not told while one of them is wrong by itself") {
    CHECK(problems("[restart]\nfirst_delay_ms = 6000\nmax_delay_ms = -1\n").size() == 1);
  }
}

TEST_CASE("config: all problems at once, in the order of the file") {
  const Texts found = problems(R"(top = 1
[restart]
intensity = -1
max_delay_ms = 1
[games.b]
[daemon]
loglevel = "info"
)");
  REQUIRE(found.size() == 5);
  for (size_t i = 0; i < found.size(); ++i) {
    const uint32_t line[] = {1, 3, 4, 5, 7};
    CHECK(found[i].starts_with("arenad.toml:" + std::to_string(line[i]) + ": "));
  }
}

TEST_CASE("config: what is not TOML is told with line and column") {
  const auto one = [](std::string_view text, std::string_view start) {
    const Texts found = problems(text);
    REQUIRE(found.size() == 1);
    CHECK(found[0].starts_with(start));
  };
  one("\n[daemon", "arenad.toml:2:8: not valid TOML: ");
  one("a = ", "arenad.toml:1:5: not valid TOML: ");
  one("a = n\n", "arenad.toml:1:6: not valid TOML: Error while parsing floating-point: expected 'nan', saw 'n?'");
  one("a = t\x1b[2J", "arenad.toml:1:6: not valid TOML: Error while parsing boolean: expected 'true', saw 't?'");
  one("[daemon]\nsocket = \"a\"\nsocket = \"b\"\n", "arenad.toml:3:10: not valid TOML: ");
  one("[daemon]\n[daemon]\n", "arenad.toml:2:1: not valid TOML: ");
  one("[games.a]\n[games.a]\n", "arenad.toml:2:1: not valid TOML: ");
  one("spares.per_game = 99999999999999999999", "arenad.toml:1:");
  one("a = \"\xFF\"", "arenad.toml:1:");
  one(std::string_view("a\0b", 3), "arenad.toml:1:");
  one("a = " + std::string(10'000, '['), "arenad.toml:1:");
}

TEST_CASE("config: files") {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "arenad.toml";
  const auto message = [](const fs::path& path) {
    const Texts found = problems_of(arenad::load_config(path));
    REQUIRE(found.size() == 1);
    REQUIRE(found[0].starts_with(path.string() + ": "));
    return found[0].substr(path.string().size() + 2);
  };
  SUBCASE("missing") {
    CHECK(message(file) == "cannot be opened: No such file or directory");
  }
  SUBCASE("a folder") {
    CHECK(message(folder.path()) == "cannot be read: Is a directory");
  }
  SUBCASE("a link to itself, which even root cannot read") {
    fs::create_symlink(file, file);
    CHECK(message(file) == "cannot be opened: Too many levels of symbolic links");
  }
  SUBCASE("empty") {
    write(file, "");
    const LoadedConfig loaded = arenad::load_config(file);
    REQUIRE(std::holds_alternative<Config>(loaded));
    CHECK(std::get<Config>(loaded) == Config{});
  }
  SUBCASE("as large as a configuration may be, and a byte larger") {
    write(file, std::string(1024 * 1024, '\n'));
    CHECK(problems_of(arenad::load_config(file)).empty());
    write(file, std::string(1024 * 1024 + 1, '\n'));
    CHECK(message(file) == "larger than any configuration, 1048576 bytes at most");
  }
  SUBCASE("paths are relative to its folder") {
    write(file, "[games.tanks]\nmodule = \"tanks.so\"\n");
    const LoadedConfig loaded = arenad::load_config(file);
    REQUIRE(std::holds_alternative<Config>(loaded));
    CHECK(std::get<Config>(loaded).games.at("tanks").module == folder.path() / "tanks.so");
  }
  SUBCASE("also if it is named relative to the working folder") {
    write(file, "[games.tanks]\nmodule = \"tanks.so\"\n");
    const LoadedConfig loaded = arenad::load_config(fs::relative(file));
    REQUIRE(std::holds_alternative<Config>(loaded));
    const fs::path module = std::get<Config>(loaded).games.at("tanks").module;
    CHECK(module.is_absolute());
    CHECK(fs::weakly_canonical(module) == fs::weakly_canonical(folder.path() / "tanks.so"));
  }
}
