// The configuration of arenad (supervisor/config.h).
#include "supervisor/config.h"

#include "fuzz/harness.h"

namespace arenad::fuzz {
namespace {

void run(std::string_view input) {
  const std::filesystem::path folder = "/etc/arenad";
  const LoadedConfig loaded = parse_config(input, "arenad.toml", folder);
  if (const auto* problems = std::get_if<std::vector<ConfigProblem>>(&loaded)) {
    ARENAD_ASSERT(!problems->empty());
    for (const ConfigProblem& problem : *problems) {
      const std::string text = problem.text();
      ARENAD_ASSERT(text.starts_with("arenad.toml") && !problem.message.empty());
      ARENAD_ASSERT(std::all_of(text.begin(), text.end(), [](unsigned char c) { return c >= ' ' && c != 0x7F; }));
    }
    return;
  }
  const auto& config = std::get<Config>(loaded);
  ARENAD_ASSERT(config.channels.max_bytes <= limits::kMaxChannelBytes &&
                config.channels.default_bytes <= config.channels.max_bytes);
  for (const auto& [name, game] : config.games) {
    ARENAD_ASSERT(!name.empty() && name.size() <= limits::kMaxArenaNameBytes && !game.module.empty());
  }
  const LoadedConfig again = parse_config(input, "arenad.toml", folder);
  ARENAD_ASSERT(std::get<Config>(again) == config);
}

std::vector<std::string> seeds() {
  return {"[daemon]\ndirectory = \"/var/lib/arenad\"\nlog_level = \"info\"\n[games.tanks]\nmodule = \"tanks.so\"\nspares = 3\n",
          "[channels]\nmax_bytes = 65536\ndefault_bytes = 16384\n[cage]\nenforce = \"log\"\ngroups = \"auto\"\n",
          "[access]\nread_users = [\"anna\", \"1000\"]\n[metrics]\nlisten = \"unix:metrics.sock\"\n",
          "[games.a]\nmodule=\"\"\"a\"\"\"\nreadable=['/x', \"y\\u00e4\"]\nnetwork=true\n",
          "x = 1979-05-27T07:32:00Z\ny = [1, 2.5, nan, {a=1}]\n[[z]]\n",
          "[restart]\nintensity = 0x5\nwindow_ms = 1_000\n"};
}

}  // namespace

extern const Harness config_harness;
const Harness config_harness{run,
                             seeds,
                             {"[daemon]\n",
                              "[games.",
                              "module",
                              "[access]\n",
                              "[metrics]\n",
                              "[cage]\n",
                              "[channels]\n",
                              "[snapshot]\n",
                              "interval_ms",
                              "listen",
                              "max_bytes",
                              "spares",
                              " = ",
                              "\"",
                              "\"\"\"",
                              "'''",
                              "true",
                              "nan",
                              "inf",
                              "0x",
                              "0b",
                              "\\u",
                              "\\U",
                              "[[",
                              "]]",
                              "{",
                              "}",
                              "#",
                              "1979-05-27",
                              "T07:32:00",
                              "+00:00",
                              "e1",
                              "9223372036854775808"},
                             1024};

}  // namespace arenad::fuzz
