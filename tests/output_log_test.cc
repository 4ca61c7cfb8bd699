// What a process writes, taken into the log.
#include "supervisor/output_log.h"

#include <string>
#include <unistd.h>

#include <doctest/doctest.h>

#include "ipc/clock.h"
#include "supervisor/config.h"
#include "supervisor/log.h"
#include "supervisor/log_book.h"

using namespace arenad;

namespace {

const OutputSource kDuel{.arena = "duel", .game = "tanks", .epoch = 3, .pid = 4711};

struct Writer {
  Writer() : log(config), file(created()) {}
  static OutputFile created() {
    auto file = OutputFile::create();
    REQUIRE(file.ok());
    return std::move(*file);
  }
  void write(const std::string& text) {
    REQUIRE(::write(file.fd().get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  // What the log has of it.
  std::vector<std::string> logged() {
    std::vector<std::string> texts;
    for (const auto& one : log.book().newest({false, {"duel"}}, {10'000}).lines) texts.push_back(one.line.text);
    return texts;
  }

  Config config;
  Log log;
  OutputFile file;
  OutputLog output;
};

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("a game's text stays a text") {
  Writer writer;
  writer.write("x\" arena=other msg=\"forged\n\x1b[2J\\\n");
  OutputTurn turn;
  (void)writer.output.read(writer.file, kDuel, {}, kSecond, turn);
  CHECK(writer.logged() == Texts{"x\" arena=other msg=\"forged", "\\x1b[2J\\\\"});
  CHECK(writer.log.book().names("*") == Texts{"duel"});
}

TEST_CASE("what is above the rate is counted, all at once") {
  Writer writer;
  const LineRate rate{.lines_per_s = 1, .burst = 3};
  OutputTurn turn;
  writer.write(std::string(20'000, '\n'));
  const auto first = writer.output.read(writer.file, kDuel, rate, kSecond, turn);
  CHECK(first == OutputLog::Found::something);
  CHECK(writer.logged().size() == 3);
  CHECK(turn.has_room());
  writer.write("one\ntwo\nhalf");
  (void)writer.output.read(writer.file, kDuel, rate, kSecond, turn);
  CHECK(writer.file.unread(100) == "half");
  (void)writer.output.read(writer.file, kDuel, rate, 3 * kSecond, turn);
  CHECK(writer.logged().back() == "left out of its output: 19999 lines, as logs.lines_per_s allows no more");
}

TEST_CASE("a look takes so many lines, and a turn so many looks") {
  Writer writer;
  writer.config.logs.keep_lines = 10'000;
  configure_log(writer.config);
  const LineRate rate{.lines_per_s = 1, .burst = 1'000'000};
  writer.write(std::string(30'000, '\n'));
  OutputTurn turn;
  (void)writer.output.read(writer.file, kDuel, rate, kSecond, turn);
  CHECK(writer.logged().size() == 500);
  int looks = 1;
  for (; turn.has_room() && looks < 100; ++looks) (void)writer.output.read(writer.file, kDuel, rate, kSecond, turn);
  CHECK(looks == 4);
  CHECK(writer.logged().size() == 2000);
}

TEST_CASE("of what a flood has left at its end the last lines are logged, and all others counted") {
  Writer writer;
  const LineRate rate{.lines_per_s = 1, .burst = 3};
  writer.write(std::string(100'000, '\n') + "why\nthe end");
  writer.output.read_last(writer.file, kDuel, rate, kSecond);
  const Texts logged = writer.logged();
  REQUIRE(logged.size() == 3 + 1 + 20);
  CHECK(logged[3] == "left out of its output: 99979 lines, as logs.lines_per_s allows no more");
  CHECK(logged[22] == "why");
  CHECK(logged[23] == "the end");
}
