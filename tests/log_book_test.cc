// The last lines of the log in memory.
#include "supervisor/log_book.h"

#include <doctest/doctest.h>

#include "ipc/clock.h"

using namespace arenad;

namespace {

LogLine line_of(const std::string& arena, const std::string& text) {
  LogLine line;
  line.arena = arena;
  line.text = text;
  return line;
}

std::vector<std::string> texts(const LogBook::Page& page) {
  std::vector<std::string> texts;
  for (const auto& one : page.lines) texts.push_back(one.line.text);
  return texts;
}

using Texts = std::vector<std::string>;
const LogBook::Selected kAll{true, {}};

}  // namespace

TEST_CASE("the newest lines, of all or of some") {
  LogBook book(7);
  book.add(line_of("", "a"));
  book.add(line_of("duel", "b"));
  book.add(line_of("ladder", "c"));
  book.add(line_of("duel", "d"));
  CHECK(texts(book.newest(kAll, {10})) == Texts{"a", "b", "c", "d"});
  CHECK(texts(book.newest(kAll, {2})) == Texts{"c", "d"});
  CHECK(texts(book.newest({false, {"duel"}}, {10})) == Texts{"b", "d"});
  CHECK(texts(book.newest({false, {"duel", "ladder"}}, {2})) == Texts{"c", "d"});
  CHECK(texts(book.newest({false, {"nobody"}}, {10})).empty());
  CHECK(texts(book.newest({false, {""}}, {10})) == Texts{"a"});
  CHECK(book.names("*") == Texts{"duel", "ladder"});
  CHECK(book.names("du?l") == Texts{"duel"});
  CHECK(book.names("nobody").empty());
}

TEST_CASE("who asks again misses nothing, or hears that he does") {
  LogBook book(7);
  book.keep_lines(3);
  for (const char* text : {"a", "b", "c"}) book.add(line_of("duel", text));
  LogBook::Page page = book.after(kAll, 0, {2});
  CHECK(texts(page) == Texts{"a", "b"});
  CHECK(page.next == 2);
  page = book.after(kAll, page.next, {2});
  CHECK(texts(page) == Texts{"c"});
  CHECK(page.next == 3);
  CHECK_FALSE(page.missed);
  book.add(line_of("ladder", "elsewhere"));
  page = book.after({false, {"duel"}}, page.next, {10});
  CHECK(texts(page).empty());
  CHECK(page.next == 4);  // looked at
  for (const char* text : {"d", "e", "f", "g"}) book.add(line_of("duel", text));
  page = book.after({false, {"duel"}}, 4, {10});
  CHECK(texts(page) == Texts{"e", "f", "g"});
  CHECK(page.missed);
}

TEST_CASE("it stays bounded") {
  LogBook book(7);
  book.keep_lines(1'000'000);
  const std::string text(4096, 'x');
  for (int i = 0; i < 1000; ++i) book.add(line_of("duel", text));
  CHECK(book.newest(kAll, {10'000}).lines.size() <= LogBook::kMostBytesOfOne / text.size());
  book.add(line_of("first", "first"));
  for (int arena = 0; arena < 300; ++arena) {
    for (int i = 0; i < 100; ++i) book.add(line_of("a" + std::to_string(arena), text));
  }
  size_t bytes = 0;
  for (const auto& one : book.newest(kAll, {1'000'000}).lines) bytes += one.line.text.size();
  CHECK(bytes <= LogBook::kMostBytes);
  CHECK(bytes >= LogBook::kMostBytes / 2);
  CHECK(book.names("first").empty());
  CHECK(book.names("a299").size() == 1);
  CHECK(book.after(kAll, 1, {10}).missed);
}

TEST_CASE("what is kept is what was logged") {
  LogBook book(7);
  const LogLine whole{.unix_ns = 1'732'809'808'123'456'789,
                      .severity = LogSeverity::error,
                      .arena = "duel",
                      .game = "tanks",
                      .epoch = UINT64_MAX,
                      .frame = 128,
                      .pid = UINT32_MAX,
                      .source = "worker",
                      .signature = "SIGSEGV tanks.so+0x10",
                      .text = std::string("a\0b\n", 4)};
  book.add(whole);
  book.add({});
  const LogBook::Page page = book.newest(kAll, {10});
  REQUIRE(page.lines.size() == 2);
  CHECK(page.lines[0].line == whole);
  CHECK(page.lines[1].line == LogLine{});
}

TEST_CASE("a page has so many bytes at most, and what is left out can be asked for") {
  LogBook book(7);
  const auto text = [](int i) { return std::to_string(i) + std::string(1000, 'x'); };
  for (int i = 0; i < 10; ++i) book.add(line_of(i % 2 == 0 ? "even" : "odd", text(i)));
  constexpr size_t kThreeLines = 4000;
  LogBook::Page page = book.newest(kAll, {100, kThreeLines});
  CHECK(texts(page) == Texts{text(7), text(8), text(9)});
  CHECK(page.older_left);
  CHECK(page.next == 10);
  page = book.newest(kAll, {2, kThreeLines}, page.lines.front().number);
  CHECK(texts(page) == Texts{text(5), text(6)});
  CHECK_FALSE(page.older_left);
  page = book.newest({false, {"odd"}}, {100, kThreeLines}, 5);
  CHECK(texts(page) == Texts{text(1), text(3)});
  CHECK_FALSE(page.older_left);
  CHECK(book.newest(kAll, {100}, 1).lines.empty());
  page = book.after(kAll, 0, {100, kThreeLines});
  CHECK(texts(page) == Texts{text(0), text(1), text(2)});
  CHECK(page.next == 3);
  // One that is too long alone comes all the same.
  CHECK(texts(book.after(kAll, 3, {100, 1})) == Texts{text(3)});
  page = book.newest(kAll, {100, 1});
  CHECK(texts(page) == Texts{text(9)});
  CHECK(page.older_left);
}

TEST_CASE("who asks for a few lines of a full book holds nobody up") {
  LogBook book(7);
  book.keep_lines(1'000'000);
  const std::string text(4096, 'x');
  for (int arena = 0; arena < 250; ++arena) {
    for (int i = 0; i < 60; ++i) book.add(line_of("a" + std::to_string(arena), text));
  }
  const uint64_t began_ns = monotonic_ns();
  for (int i = 0; i < 1000; ++i) {
    CHECK(book.newest(kAll, {10}).lines.size() == 10);
    CHECK(book.after(kAll, 0, {10}).lines.size() == 10);
  }
  CHECK(monotonic_ns() - began_ns < 10 * kSecond);
}

TEST_CASE("arenas that say one thing each do not add up without end either") {
  LogBook book(7);
  const uint64_t began_ns = monotonic_ns();
  for (int arena = 0; arena < 200'000; ++arena) book.add(line_of("a" + std::to_string(arena), "begins"));
  CHECK(book.names("*").size() < LogBook::kMostBytes / 1024);
  CHECK(book.names("a199999").size() == 1);
  CHECK(book.names("a0").empty());
  CHECK(monotonic_ns() - began_ns < 20 * kSecond);
}
