// The pure parts of arenactl: what it makes of replies and of words, without a socket.
#include <array>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

#include <capnp/message.h>
#include <capnp/schema.h>
#include <doctest/doctest.h>

#include "cli/arena_fields.h"
#include "cli/arena_page.h"
#include "cli/arena_state.h"
#include "cli/exit_code.h"
#include "cli/hex_dump.h"
#include "cli/json.h"
#include "cli/quantity.h"
#include "cli/recording_file.h"
#include "cli/render.h"
#include "cli/selection.h"
#include "cli/suggestion.h"
#include "cli/table.h"
#include "ipc/printable.h"
#include "tests/cli_sample_status.h"

namespace {

using namespace arenad::cli;
using arenad::ErrorCode;
using arenad::Fd;
using arenad::printable;
using arenad::printable_lines;
using arenad::cli_test::fill_arena;
using arenad::cli_test::fill_daemon;
using arenad::cli_test::kNowUnixMs;
using nlohmann::json;

namespace fs = std::filesystem;
namespace wire = arenad::wire;
using Texts = std::vector<std::string>;

class SampleStatus {
 public:
  explicit SampleStatus(std::initializer_list<std::pair<const char*, const char*>> arenas) {
    fill_daemon(status_.initDaemon());
    auto list = status_.initArenas(static_cast<unsigned>(arenas.size()));
    unsigned index = 0;
    for (const auto& [name, state] : arenas) fill_arena(list[index++], name, state);
  }
  [[nodiscard]] wire::Status::Builder builder() { return status_; }
  [[nodiscard]] wire::Status::Reader reader() { return status_.asReader(); }
  [[nodiscard]] std::string table(StatusTable form) {
    form.now_unix_ms = kNowUnixMs;
    return render_status_table(reader().getArenas(), form);
  }
  [[nodiscard]] std::string page(Colour colour = Colour::none) {
    return render_arena_page({reader().getArenas()[0], kNowUnixMs}, colour);
  }
  [[nodiscard]] json parsed(std::vector<const ArenaField*> columns = {}, Texts unknown = {}) {
    return json::parse(status_json({reader(), kNowUnixMs, std::move(columns), std::move(unknown)}));
  }

 private:
  capnp::MallocMessageBuilder message_;
  wire::Status::Builder status_ = message_.initRoot<wire::Status>();
};

std::vector<const ArenaField*> columns(std::string_view list) {
  return select_arena_columns(list).value();
}

bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

// lateP99Us becomes late_p99_us.
std::string snake_case(std::string_view camel) {
  std::string out;
  for (const char c : camel) {
    if (std::isupper(static_cast<unsigned char>(c)) != 0) out += '_';
    out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return out;
}

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (fs::temp_directory_path() / "arenad-cli-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~TemporaryFolder() { fs::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] std::string file(const char* name) const { return (path_ / name).string(); }
  [[nodiscard]] size_t entries() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(path_), fs::directory_iterator()));
  }

 private:
  fs::path path_;
};

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Fd memfd_of(const std::string& bytes) {
  Fd memfd(::memfd_create("cli-test", MFD_CLOEXEC));
  REQUIRE(::write(memfd.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  return memfd;
}

}  // namespace

TEST_SUITE("arenactl: quantities") {
  TEST_CASE("durations are a whole number and a unit") {
    CHECK(parse_duration_ms("0") == 0);
    CHECK(parse_duration_ms("0s") == 0);
    CHECK(parse_duration_ms("500ms") == 500);
    CHECK(parse_duration_ms("10s") == 10'000);
    CHECK(parse_duration_ms("2m") == 120'000);
    CHECK(parse_duration_ms("1h") == 3'600'000);
    CHECK(parse_duration_ms("8784h") == kMaxDurationMs);
    for (const char* wrong : {"", "5", "s", "-1s", "+1s", "1.5s", " 1s", "1 s", "1s ", "1S", "1d", "1m30s", "8785h",
                              "18446744073709551615h", "18446744073709551616ms", "99999999999999999999s"}) {
      CAPTURE(wrong);
      CHECK_FALSE(parse_duration_ms(wrong));
    }
  }

  TEST_CASE("durations are shown short and never longer than they were") {
    CHECK(duration_text(0) == "0s");
    CHECK(duration_text(-5) == "0s");
    CHECK(duration_text(3.47) == "3.4us");
    CHECK(duration_text(850) == "850us");
    CHECK(duration_text(999.9) == "999us");
    CHECK(duration_text(1000) == "1ms");
    CHECK(duration_text(4260) == "4.2ms");
    CHECK(duration_text(999'999) == "999ms");
    CHECK(duration_text(1'000'000) == "1s");
    CHECK(duration_text(1'390'000) == "1.3s");
    CHECK(duration_text(59'999'999) == "59s");
    CHECK(duration_text(303e6) == "5m03s");
    CHECK(duration_text(3599.9e6) == "59m59s");
    CHECK(duration_text(7500e6) == "2h05m");
    CHECK(duration_text(86'400e6) == "1d00h");
    CHECK(duration_text(1e30) == "forever");
  }

  TEST_CASE("sizes") {
    CHECK(bytes_text(0) == "0B");
    CHECK(bytes_text(1023) == "1023B");
    CHECK(bytes_text(1024) == "1.0KiB");
    CHECK(bytes_text(1024 * 1024 - 1) == "1.0MiB");
    CHECK(bytes_text(4 * 1024 * 1024) == "4.0MiB");
    CHECK(bytes_text(UINT64_MAX) == "16777216.0TiB");
  }

  TEST_CASE("times are UTC") {
    CHECK(utc_text(0) == "1970-01-01T00:00:00Z");
    CHECK(utc_text(kNowUnixMs) == "2026-01-02T03:04:05Z");
    CHECK(utc_ms_text(0) == "1970-01-01T00:00:00.000Z");
    CHECK(utc_ms_text(kNowUnixMs + 67) == "2026-01-02T03:04:05.067Z");
    CHECK(utc_ms_text(-1) == "1969-12-31T23:59:59.999Z");
    CHECK(utc_ms_text(INT64_MIN).ends_with("Z"));
    CHECK(utc_ms_text(INT64_MAX).ends_with("Z"));
  }
}

TEST_SUITE("arenactl: suggestions") {
  const Texts kVerbs{"start", "status", "restart", "drain", "stop", "results", "export", "version"};

  TEST_CASE("the edit distance counts insertions, removals, replacements and swaps of neighbours") {
    CHECK(edit_distance("", "") == 0);
    CHECK(edit_distance("", "abc") == 3);
    CHECK(edit_distance("abc", "") == 3);
    CHECK(edit_distance("stop", "stop") == 0);
    CHECK(edit_distance("stpo", "stop") == 1);
    CHECK(edit_distance("stp", "stop") == 1);
    CHECK(edit_distance("stoop", "stop") == 1);
    CHECK(edit_distance("step", "stop") == 1);
    CHECK(edit_distance("kitten", "sitting") == 3);
    CHECK(edit_distance("status", "stauts") == edit_distance("stauts", "status"));
  }

  TEST_CASE("a wrong verb suggests the nearest ones") {
    CHECK(suggestions("statsu", kVerbs) == Texts{"status"});
    CHECK(suggestions("strat", kVerbs) == Texts{"start"});
    CHECK(suggestions("stp", kVerbs) == Texts{"stop"});
    CHECK(suggestions("exprot", kVerbs) == Texts{"export"});
    CHECK(suggestions("statt", kVerbs) == Texts{"start"});
    CHECK(suggestions("vers", kVerbs) == Texts{"version"});
    CHECK(suggestions("re", kVerbs) == Texts{"restart", "results"});
    CHECK(suggestions("frobnicate", kVerbs).empty());
    CHECK(suggestions("", kVerbs).empty());
    CHECK(suggestions("stop", {}).empty());
  }

  TEST_CASE("suggestions as text") {
    CHECK(did_you_mean("stpo", kVerbs) == "; did you mean 'stop'?");
    CHECK(did_you_mean("re", kVerbs) == "; did you mean 'restart' or 'results'?");
    CHECK(did_you_mean("frobnicate", kVerbs).empty());
  }
}

TEST_SUITE("arenactl: text on terminals") {
  TEST_CASE("nothing printable is changed") {
    CHECK(printable("") == "");
    CHECK(printable("duel-1 ~") == "duel-1 ~");
    CHECK(printable("Zoë 日本 🎮") == "Zoë 日本 🎮");
  }

  TEST_CASE("nothing acts on the terminal") {
    CHECK(printable("\x1b[31mred\r\n\t") == "\\x1b[31mred\\x0d\\x0a\\x09");
    CHECK(printable(std::string_view("a\0b", 3)) == "a\\x00b");
    CHECK(printable("\x7f") == "\\x7f");
    CHECK(printable("\xc2\x9b") == "\\xc2\\x9b");           // CSI as one C1 character
    CHECK(printable("\xe2\x80\xae") == "\\xe2\\x80\\xae");  // right-to-left override
    CHECK(printable("a\\x1b") == "a\\\\x1b");
  }

  TEST_CASE("what is not UTF-8 is shown byte by byte") {
    CHECK(printable("\xff") == "\\xff");
    CHECK(printable("\x80") == "\\x80");
    CHECK(printable("a\xc3") == "a\\xc3");                  // cut off
    CHECK(printable("\xc3(") == "\\xc3(");                  // no continuation
    CHECK(printable("\xc0\xaf") == "\\xc0\\xaf");           // overlong
    CHECK(printable("\xe0\x80\xaf") == "\\xe0\\x80\\xaf");  // overlong
    CHECK(printable("\xed\xa0\x80") == "\\xed\\xa0\\x80");  // surrogate
    CHECK(printable("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");
  }

  TEST_CASE("lines of text whose backslashes are escapes stay as they are, but nothing acts on the terminal") {
    CHECK(printable_lines("(a = \"x\\n\",\n b = 1)\n") == "(a = \"x\\n\",\n b = 1)\n");
    CHECK(printable_lines("\x1b[2J\xff\r\n") == "\\x1b[2J\\xff\\x0d\n");
  }

  TEST_CASE("width counts code points") {
    CHECK(display_width("") == 0);
    CHECK(display_width("abc") == 3);
    CHECK(display_width("Zoë") == 3);
  }

  TEST_CASE("hexadecimal") {
    CHECK(hex_text({}) == "");
    CHECK(hex_text(std::array<unsigned char, 3>{0x00, 0x0f, 0xff}) == "000fff");
  }
}

TEST_SUITE("arenactl: tables") {
  Table sample() {
    return Table({{"NAME"}, {"N", Align::right}, {"WHY"}});
  }

  TEST_CASE("no rows, with and without the header") {
    CHECK(sample().text(Colour::none, Header::shown) == "NAME  N  WHY\n");
    CHECK(sample().text(Colour::none, Header::hidden) == "");
  }

  TEST_CASE("columns are as wide as their widest cell, and lines end without spaces") {
    Table table = sample();
    table.add_row({{"a"}, {"1000"}, {"because"}});
    table.add_row({{"Zoë-long"}, {"7"}, {"-"}});
    CHECK(table.text(Colour::none, Header::shown) ==
          "NAME         N  WHY\n"
          "a         1000  because\n"
          "Zoë-long     7  -\n");
    CHECK(table.text(Colour::none, Header::hidden) ==
          "a         1000  because\n"
          "Zoë-long     7  -\n");
  }

  TEST_CASE("empty cells hold their place") {
    Table table = sample();
    table.add_row({{""}, {""}, {""}});
    CHECK(table.text(Colour::none, Header::shown) ==
          "NAME  N  WHY\n"
          "-     -  -\n");
  }

  TEST_CASE("colour does not change the alignment") {
    Table table({{"A"}, {"B"}});
    table.add_row({{"xx", Tone::good}, {"y", Tone::bad}});
    CHECK(table.text(Colour::ansi, Header::hidden) == "\x1b[32mxx\x1b[0m  \x1b[1;31my\x1b[0m\n");
    CHECK(painted("", Tone::bad, Colour::ansi) == "");
    CHECK(painted("x", Tone::plain, Colour::ansi) == "x");
  }
}

TEST_SUITE("arenactl: exit codes") {
  TEST_CASE("numbers never change") {
    CHECK(static_cast<int>(exit_code_of(ErrorCode::failed)) == 1);
    CHECK(static_cast<int>(exit_code_of(ErrorCode::corrupt)) == 1);
    CHECK(static_cast<int>(exit_code_of(ErrorCode::exhausted)) == 1);
    CHECK(static_cast<int>(exit_code_of(ErrorCode::invalid)) == 2);
    CHECK(static_cast<int>(ExitCode::not_running) == 3);
    CHECK(static_cast<int>(exit_code_of(ErrorCode::unknown_arena)) == 4);
    CHECK(static_cast<int>(exit_code_of(ErrorCode::timeout)) == 5);
    CHECK(static_cast<int>(exit_code_of(ErrorCode::refused)) == 6);
    CHECK(static_cast<int>(exit_code_of(ErrorCode::unreachable)) == 7);
  }

  TEST_CASE("the worst of any two is one of them, whatever their order") {
    for (const auto& a : kExitCodeMeanings) {
      for (const auto& b : kExitCodeMeanings) {
        const ExitCode both = worst(a.code, b.code);
        CHECK((both == a.code || both == b.code));
        CHECK(both == worst(b.code, a.code));
        CHECK(worst(ExitCode::ok, a.code) == a.code);
      }
    }
    CHECK(worst(ExitCode::failed, ExitCode::refused) == ExitCode::failed);
    CHECK(worst(ExitCode::unknown_arena, ExitCode::not_running) == ExitCode::unknown_arena);
  }
}

TEST_SUITE("arenactl: arena states") {
  TEST_CASE("only what serves players runs") {
    for (const char* state : {"running", "draining", "probation"}) CHECK(standing_of(state) == Standing::running);
    for (const char* state : {"starting", "recovering", "backoff", "stopping", "", "a word of a later version"}) {
      CHECK(standing_of(state) == Standing::changing);
    }
    for (const char* state : {"failed", "lost", "quarantined"}) CHECK(standing_of(state) == Standing::broken);
    for (const char* state : {"ended", "stopped"}) CHECK(standing_of(state) == Standing::finished);
  }
}

TEST_SUITE("arenactl: arena fields") {
  TEST_CASE("columns and keys are unique") {
    std::set<std::string_view> names;
    std::set<std::string_view> keys;
    for (const ArenaField& field : all_arena_fields()) {
      CHECK(names.insert(field.column).second);
      CHECK(keys.insert(field.key).second);
    }
  }

  TEST_CASE("every field of the protocol is there") {
    std::set<std::string> keys{"channels", "params", "lateness"};  // lists, which are no columns
    for (const ArenaField& field : all_arena_fields()) keys.emplace(field.key);
    for (const auto field : capnp::Schema::from<wire::ArenaStatus>().getFields()) {
      const std::string key = snake_case(field.getProto().getName().cStr());
      CAPTURE(key);
      CHECK(keys.contains(key));
    }
  }

  TEST_CASE("columns are selected by name, heading or key") {
    CHECK(columns("pid").size() == 1);
    const auto selected = columns("ARENA,late_p99,late_p99_us,snap-frame");
    REQUIRE(selected.size() == 4);
    CHECK(selected[0]->key == "name");
    CHECK(selected[1] == selected[2]);
    CHECK(selected[3]->key == "snapshot_frame");
  }

  TEST_CASE("unknown columns are named, with what was perhaps meant") {
    const auto wrong = select_arena_columns("arena,sate,pid");
    REQUIRE_FALSE(wrong);
    CHECK(wrong.error().code == ErrorCode::invalid);
    CHECK(wrong.error().message.starts_with("no column is called 'sate'; did you mean 'state'?; there are: arena id "));
    CHECK_FALSE(select_arena_columns(""));
    CHECK_FALSE(select_arena_columns("arena,"));
    CHECK_FALSE(select_arena_columns("arena,,pid"));
  }
}

TEST_SUITE("arenactl: status") {
  TEST_CASE("the table") {
    SampleStatus sample{{"duel-1", "running"}, {"duel-2", "backoff"}};
    auto second = sample.builder().getArenas()[1];
    second.setPid(0);
    second.setCpuPercent(-1);
    second.setReason("next try soon");
    second.setLastExit("");
    CHECK(
        sample.table({.columns = default_arena_columns()}) ==
        "ARENA   STATE     PID  UPTIME  RESTARTS  VERSION  FRAME  LATE-P99  SNAP-FRAME  DURABLE   CPU     MEM  LAST-EXIT    "
        "REASON\n"
        "duel-1  running  4242   5m03s       1/7  1.2.0     6060     4.2ms        6055     6040  4.3%  4.0MiB  signal=SEGV  -\n"
        "duel-2  backoff     -   5m03s       1/7  1.2.0     6060     4.2ms        6055     6040     -  4.0MiB  -            "
        "next "
        "try soon\n");
  }

  TEST_CASE("selected columns without a header") {
    SampleStatus sample{{"duel-1", "running"}};
    CHECK(sample.table({.columns = columns("pid"), .header = Header::hidden}) == "4242\n");
  }

  TEST_CASE("the code is shown by its beginning") {
    SampleStatus sample{{"duel-1", "running"}};
    sample.builder().getArenas()[0].setProbation(true);
    CHECK(sample.table({.columns = columns("version,code,pinned,probation")}) ==
          "VERSION  CODE          PINNED  PROBATION\n"
          "1.2.0    0123456789ab  no      yes\n");
  }

  TEST_CASE("every column can be shown") {
    SampleStatus sample{{"duel-1", "running"}};
    for (const ArenaField& field : all_arena_fields()) {
      CAPTURE(field.column);
      CHECK_FALSE(sample.table({.columns = {&field}, .header = Header::hidden}).empty());
    }
  }

  TEST_CASE("the state is coloured where colour is wanted") {
    SampleStatus sample{{"duel-1", "failed"}};
    const StatusTable form{.columns = columns("state"), .colour = Colour::ansi, .header = Header::hidden};
    CHECK(sample.table(form) == "\x1b[1;31mfailed\x1b[0m\n");
  }

  TEST_CASE("what is over has no uptime, and a clock that was set back makes none negative") {
    SampleStatus sample{{"a", "ended"}, {"b", "failed"}, {"c", "running"}};
    sample.builder().getArenas()[2].setSinceUnixMs(kNowUnixMs + 1000);
    CHECK(sample.table({.columns = columns("uptime"), .header = Header::hidden}) == " -\n -\n0s\n");
  }

  TEST_CASE("names of players cannot act on the terminal") {
    SampleStatus sample{{"\x1b]0;owned\x07", "running"}};
    sample.builder().getArenas()[0].getChannels()[0].setPlayer("a\nb");
    CHECK(sample.table({.columns = columns("arena"), .header = Header::hidden}) == "\\x1b]0;owned\\x07\n");
    CHECK(sample.page().find('\x1b') == std::string::npos);
    CHECK(sample.page().find("a\\x0ab") != std::string::npos);
  }

  TEST_CASE("the page of one arena") {
    SampleStatus sample{{"duel-1", "running"}};
    CHECK(sample.page() ==
          "duel-1: running\n"
          "  id          01JD3M7S9XQ2V8T4KZ5W6Y7R0B\n"
          "  game        tanks, version 1.2.0, code 0123456789ab\n"
          "  parameters  map=desert\n"
          "  started     2026-01-02T02:59:02Z, 5m03s ago\n"
          "  process     pid 4242, epoch 3\n"
          "  processor   1.5s taken, 4.3% of a core in the last second\n"
          "  players     2 seated, 3 clients\n"
          "  restarts    1 of 5 within 1m00s, 7 in all\n"
          "  last exit   signal=SEGV\n"
          "  frame       6060 at 20 Hz, 9 late, 0 slow, mean 212us, longest 3.1ms\n"
          "  lateness    p50 95us, p90 95us, p99 4.6ms, p99.9 4.6ms, most 4.6ms\n"
          "  events      1000 applied, 2 rejected\n"
          "  outputs     5000 published, 1 refused\n"
          "  began from  newest snapshot, 12 frames and 300 events replayed, 1.3ms after a death\n"
          "  snapshots   606, 0 failed, the last at frame 6055 of 16.0KiB, mean 180us, 250ms old\n"
          "  durable     up to frame 6040, 20 behind\n"
          "  memory      4.0MiB shared\n"
          "\n"
          "    SEAT  PLAYER  APPLIED  REJECTED  WAITING    KEPT  OUTPUT-LAG\n"
          "       0  ann         700         2       0B  2.0KiB          0B\n"
          "observer  -             0         0       0B      0B          0B\n");
  }

  TEST_CASE("the page says what is wrong") {
    SampleStatus sample{{"duel-1", "backoff"}};
    auto arena = sample.builder().getArenas()[0];
    arena.setPid(0);
    arena.setReason("crashed in a tick");
    arena.setNextRestartMs(1200);
    arena.setDivergences(2);
    arena.setFirstDivergentFrame(7);
    arena.setReleasedEarly(true);
    arena.setFramesSlow(4);
    arena.setLastCrash(17);
    arena.setQuarantined(2);
    arena.setPinned(true);
    arena.setProbation(true);
    arena.initLateness(3);  // of another version: not what we know how to read
    const std::string page = sample.page();
    CHECK(page.starts_with("duel-1: backoff, crashed in a tick\n"));
    CHECK(has_line(page, "  game        tanks, version 1.2.0, code 0123456789ab, pinned, on probation"));
    CHECK(has_line(page, "  process     none, epoch 3"));
    CHECK(has_line(page, "  restarts    1 of 5 within 1m00s, 7 in all, the next in 1.2s"));
    CHECK(has_line(page, "  last crash  17: see arenactl crashes show 17"));
    CHECK(has_line(page, "  quarantine  2 events are withheld: see arenactl quarantine list duel-1"));
    CHECK(has_line(page, "  frame       6060 at 20 Hz, 9 late, 4 slow, mean 212us, longest 3.1ms"));
    CHECK(has_line(page, "  lateness    p50 90us, p99 4.2ms"));
    CHECK(has_line(page,
                   "  divergence  2 frames gave other outputs when replayed, the first is 7: the game is not deterministic"));
    CHECK(has_line(page,
                   "  durable     up to frame 6040, 20 behind; records since then were released early, so a replay cannot "
                   "begin there"));
  }

  TEST_CASE("the page of an arena of which nothing is known") {
    capnp::MallocMessageBuilder message;
    const auto arena = message.initRoot<wire::ArenaStatus>();
    const std::string page = render_arena_page({arena.asReader(), kNowUnixMs}, Colour::none);
    CHECK(page.starts_with(": \n"));
    CHECK(page.find("started") == std::string::npos);
    CHECK(page.find("lateness") == std::string::npos);
  }

  TEST_CASE("what only an incarnation has is not zero without one, but unknown") {
    SampleStatus sample{{"duel-1", "stopped"}};
    auto arena = sample.builder().getArenas()[0];
    arena.setSharedMemoryBytes(0);
    arena.setFrame(0);
    CHECK(sample.table({.columns = columns("frame,late-p99,snap-frame,durable"), .header = Header::hidden}) ==
          "-  -  -  6040\n");
    CHECK(sample.parsed()["arenas"][0]["frame"].is_null());
    CHECK(has_line(sample.page(), "  durable     up to frame 6040"));
    CHECK(sample.page().find("lateness") == std::string::npos);
  }

  TEST_CASE("the line on arenad") {
    SampleStatus sample{};
    CHECK(render_daemon_line(sample.reader().getDaemon()) ==
          "arenad 0.1.0, pid 77, up 2h05m: 2 running, 6 clients, 8 recoveries, 8.0MiB shared memory, checkpoints 300ms behind, "
          "configuration /etc/arenad.toml\n");
  }

  TEST_CASE("warnings are what is wrong, and nothing else") {
    SampleStatus sample{};
    CHECK(daemon_warnings(sample.reader().getDaemon()).empty());
    auto daemon = sample.builder().getDaemon();
    daemon.setDraining(true);
    daemon.setCheckpointLagMs(10'001);
    daemon.initNotices(1).set(0, "the database was moved aside");
    CHECK(daemon_warnings(sample.reader().getDaemon()) ==
          Texts{"arenad is draining and starts no new arenas", "the database was moved aside"});
    daemon.setCheckpointAlarm(true);
    CHECK(daemon_warnings(sample.reader().getDaemon())[1] ==
          "checkpoints are 10s behind, which is more than checkpoint.alarm_ms allows; is the disk slow or full? Arenas go on, "
          "but "
          "what came since does not survive the loss of this machine");
    CHECK(sample.parsed()["daemon"]["checkpoint_alarm"] == true);
    daemon.setStoreError("disk full");
    CHECK(daemon_warnings(sample.reader().getDaemon()).size() == 4);
    CHECK(daemon_warnings(sample.reader().getDaemon())[1] ==
          "the database does not take checkpoints: disk full; arenas go on, but do not survive the loss of this machine");
  }
}

TEST_SUITE("arenactl: JSON") {
  TEST_CASE("every answer is one object in one line with the schema's number") {
    SampleStatus sample{{"duel-1", "running"}};
    const std::string text = status_json({sample.reader(), kNowUnixMs, {}, {}});
    CHECK(text.find('\n') == text.size() - 1);
    CHECK(text.starts_with("{\"schema\":1,"));
    CHECK(error_json(arenad::make_error(ErrorCode::unknown_arena, "no \"x\"\n")) ==
          "{\"schema\":1,\"error\":{\"code\":\"unknown_arena\",\"message\":\"no \\\"x\\\"\\n\"}}\n");
  }

  TEST_CASE("strings are escaped, and never make the object unreadable") {
    SampleStatus sample{{"\"\\\x01\x1f\n\tZoë", "running"}, {"\xff\xc3", "running"}};
    const json parsed = sample.parsed();
    CHECK(parsed["arenas"][0]["name"] == "\"\\\x01\x1f\n\tZoë");
    CHECK(parsed["arenas"][1]["name"] == "\xef\xbf\xbd\xef\xbf\xbd");
  }

  TEST_CASE("an arena has every field, with its unit in the key") {
    SampleStatus sample{{"duel-1", "running"}};
    const json arena = sample.parsed()["arenas"][0];
    for (const ArenaField& field : all_arena_fields()) CHECK(arena.contains(std::string(field.key)));
    CHECK(arena["code"] == "0123456789abcdef0011223344556677");
    CHECK(arena["pinned"] == false);
    CHECK(arena["probation"] == false);
    CHECK(arena["pid"] == 4242);
    CHECK(arena["uptime_ms"] == 303'000);
    CHECK(arena["since_unix_ms"] == kNowUnixMs - 303'000);
    CHECK(arena["restarts"] == 1);
    CHECK(arena["restarts_total"] == 7);
    CHECK(arena["late_p99_us"] == 4200);
    CHECK(arena["late_p99_us"].is_number_unsigned());
    CHECK(arena["frame_mean_us"] == 212.5);
    CHECK(arena["released_early"] == false);
    CHECK(arena["next_restart_ms"].is_null());
    CHECK(arena["frames_slow"] == 0);
    CHECK(arena["quarantined"] == 0);
    CHECK(arena["last_crash"].is_null());
    CHECK(arena["params"] == json{{"map", "desert"}});
    CHECK(arena["channels"][0]["player"] == "ann");
    CHECK(arena["lateness"] == json::array({{{"up_to_us", 95}, {"frames", 5990}}, {{"up_to_us", 4607}, {"frames", 70}}}));
  }

  TEST_CASE("large numbers keep their digits, and what is no number is null") {
    SampleStatus sample{{"duel-1", "running"}};
    sample.builder().getArenas()[0].setFrame(UINT64_MAX);
    sample.builder().getArenas()[0].setFrameMeanUs(std::numeric_limits<double>::quiet_NaN());
    const json arena = sample.parsed()["arenas"][0];
    CHECK(arena["frame"] == UINT64_MAX);
    CHECK(arena["frame_mean_us"].is_null());
    CHECK(sample.page().find("mean 0s") != std::string::npos);
  }

  TEST_CASE("selected columns are the only keys") {
    SampleStatus sample{{"duel-1", "running"}};
    CHECK(sample.parsed(columns("arena,pid"))["arenas"][0] == json{{"name", "duel-1"}, {"pid", 4242}});
  }

  TEST_CASE("arenad and what was not found") {
    SampleStatus sample{};
    const json parsed = sample.parsed({}, {"nobody"});
    CHECK(parsed["arenas"] == json::array());
    CHECK(parsed["unknown"] == json{"nobody"});
    CHECK(parsed["daemon"]["configuration"] == "/etc/arenad.toml");
    CHECK(parsed["daemon"]["notices"] == json::array());
    for (const auto field : capnp::Schema::from<wire::DaemonStatus>().getFields()) {
      CHECK(parsed["daemon"].contains(snake_case(field.getProto().getName().cStr())));
    }
  }

  TEST_CASE("items, each done or failed") {
    capnp::MallocMessageBuilder message;
    auto items = message.initRoot<wire::Reply>().initItems(2);
    items[0].setName("a");
    items[0].setOk("stopped");
    items[1].setName("b");
    items[1].initError().setCode(wire::FailureCode::REFUSED);
    items[1].getError().setMessage("draining");
    const json parsed = json::parse(items_json(items.asReader()));
    CHECK(parsed["items"][0] == json{{"id", ""}, {"name", "a"}, {"ok", "stopped"}});
    CHECK(parsed["items"][1]["error"] == json{{"code", "refused"}, {"message", "draining"}});
  }
}

TEST_SUITE("arenactl: selections") {
  TEST_CASE("arenas or all, not both and not neither") {
    CHECK(check_selection({.arenas = {"a"}}, Nothing::refused));
    CHECK(check_selection({.arenas = {}, .all = true}, Nothing::refused));
    CHECK(check_selection({}, Nothing::allowed));
    CHECK_FALSE(check_selection({}, Nothing::refused));
    CHECK_FALSE(check_selection({.arenas = {"a"}, .all = true}, Nothing::allowed));
    CHECK_FALSE(check_selection({.arenas = {"a", ""}}, Nothing::allowed));
  }

  TEST_CASE("a glob of asterisks means all, too") {
    CHECK(means_all({.arenas = {}, .all = true}));
    CHECK(means_all({.arenas = {"a", "*"}}));
    CHECK(means_all({.arenas = {"**"}}));
    CHECK_FALSE(means_all({.arenas = {"a*"}}));
    CHECK_FALSE(means_all({}));
  }
}

TEST_SUITE("arenactl: recordings") {
  TEST_CASE("a file appears whole, and nothing else") {
    const TemporaryFolder folder;
    for (const size_t size : {size_t{0}, size_t{1}, size_t{1024 * 1024}, size_t{1024 * 1024 + 1}}) {
      CAPTURE(size);
      const std::string bytes(size, 'r');
      REQUIRE(save_memfd(memfd_of(bytes), bytes.size(), folder.file("recording")));
      CHECK(content_of(folder.file("recording")) == bytes);
      CHECK(folder.entries() == 1);
    }
  }

  TEST_CASE("a memfd that is longer than arenad says is cut there") {
    const TemporaryFolder folder;
    REQUIRE(save_memfd(memfd_of("recording and more"), 9, folder.file("recording")));
    CHECK(content_of(folder.file("recording")) == "recording");
  }

  TEST_CASE("a failure leaves what was there") {
    const TemporaryFolder folder;
    std::ofstream(folder.file("recording")) << "before";
    const auto saved = save_memfd(memfd_of("short"), 6, folder.file("recording"));
    REQUIRE_FALSE(saved);
    CHECK(saved.error().code == ErrorCode::corrupt);
    CHECK(content_of(folder.file("recording")) == "before");
    CHECK(folder.entries() == 1);
    CHECK_FALSE(save_memfd(memfd_of("bytes"), 5, folder.file("no/such/folder")));
  }
}
