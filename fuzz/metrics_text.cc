// Metrics as text (supervisor/metrics_text.h), with names in them that callers have chosen, read back in code of its own: no name may become a
// series or break a line.
#include "supervisor/metrics_text.h"

#include "fuzz/harness.h"

namespace arenad::fuzz {
namespace {

// One sample: NAME{LABEL="VALUE",...} NUMBER. Values of labels have \\, \" and \n escaped.
void check_sample(std::string_view line) {
  size_t at = 0;
  while (at < line.size() && (std::isalnum(static_cast<unsigned char>(line[at])) != 0 || line[at] == '_')) ++at;
  ARENAD_ASSERT(at != 0 && at < line.size());
  if (line[at] == '{') {
    bool is_quoted = false;
    for (++at; at < line.size() && (is_quoted || line[at] != '}'); ++at) {
      if (is_quoted && line[at] == '\\') {
        ++at;
        ARENAD_ASSERT(at < line.size() && (line[at] == '\\' || line[at] == '"' || line[at] == 'n'));
      } else if (line[at] == '"') {
        is_quoted = !is_quoted;
      }
    }
    ARENAD_ASSERT(at < line.size());
    ++at;
  }
  ARENAD_ASSERT(at + 1 < line.size() && line[at] == ' ' && line.find(' ', at + 1) == std::string_view::npos);
}

size_t check(std::string_view text) {
  size_t samples = 0;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    ARENAD_ASSERT(end != std::string_view::npos);
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (line.starts_with('#')) {
      ARENAD_ASSERT(line.starts_with("# HELP arenad_") || line.starts_with("# TYPE arenad_") ||
                    line.starts_with("# HELP process_") || line.starts_with("# TYPE process_"));
      continue;
    }
    check_sample(line);
    ++samples;
  }
  return samples;
}

void run(std::string_view input) {
  Source source(input);
  const std::string game(source.sized());
  MetricsFacts facts;
  facts.version = source.sized();
  facts.games[game].totals.signatures[std::string(source.sized())] = 1;
  facts.requests[{"status", "ok"}] = 1;
  ArenaMetrics arena;
  arena.game = game;
  arena.name = source.rest();
  facts.arenas.push_back(arena);
  const size_t samples = check(metrics_text(facts, {}));
  // As many as with other names.
  static const size_t expected = [&] {
    MetricsFacts plain;
    plain.games["tanks"].totals.signatures["SIGSEGV"] = 1;
    plain.requests[{"status", "ok"}] = 1;
    ArenaMetrics duel;
    duel.game = "tanks";
    duel.name = "duel";
    plain.arenas.push_back(duel);
    return check(metrics_text(plain, {}));
  }();
  ARENAD_ASSERT(samples == expected);
}

std::vector<std::string> seeds() {
  return {Input().sized("tanks").sized("1.2").sized("SIGSEGV tanks.so+0x4f20").bytes("duel").text(),
          Input().sized("a\"} 1\nb{c=\"").sized("\\").sized("\n").bytes("\xff\"\\n").text()};
}

}  // namespace

extern const Harness metrics_text_harness;
const Harness metrics_text_harness{run, seeds, {"\"", "\\", "\n", "} 1\n", "{", ","}, 128};

}  // namespace arenad::fuzz
