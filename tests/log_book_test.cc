// The last lines of the log in memory.
#include "supervisor/log_book.h"

#include <doctest/doctest.h>

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
  CHECK(texts(book.newest(kAll, 10)) == Texts{"a", "b", "c", "d"});
  CHECK(texts(book.newest(kAll, 2)) == Texts{"c", "d"});
  CHECK(texts(book.newest({false, {"duel"}}, 10)) == Texts{"b", "d"});
  CHECK(texts(book.newest({false, {"duel", "ladder"}}, 2)) == Texts{"c", "d"});
  CHECK(texts(book.newest({false, {"nobody"}}, 10)).empty());
  CHECK(texts(book.newest({false, {""}}, 10)) == Texts{"a"});
  CHECK(book.names("*") == Texts{"duel", "ladder"});
  CHECK(book.names("du?l") == Texts{"duel"});
  CHECK(book.names("nobody").empty());
}

TEST_CASE("who asks again misses nothing, or hears that he does") {
  LogBook book(7);
  book.keep_lines(3);
  for (const char* text : {"a", "b", "c"}) book.add(line_of("duel", text));
  LogBook::Page page = book.after(kAll, 0, 2);
  CHECK(texts(page) == Texts{"a", "b"});
  CHECK(page.next == 2);
  page = book.after(kAll, page.next, 2);
  CHECK(texts(page) == Texts{"c"});
  CHECK(page.next == 3);
  CHECK_FALSE(page.missed);
  book.add(line_of("ladder", "elsewhere"));
  page = book.after({false, {"duel"}}, page.next, 10);
  CHECK(texts(page).empty());
  CHECK(page.next == 4);  // looked at
  for (const char* text : {"d", "e", "f", "g"}) book.add(line_of("duel", text));
  page = book.after({false, {"duel"}}, 4, 10);
  CHECK(texts(page) == Texts{"e", "f", "g"});
  CHECK(page.missed);
}

TEST_CASE("it stays bounded") {
  LogBook book(7);
  book.keep_lines(1'000'000);
  const std::string text(4096, 'x');
  for (int i = 0; i < 1000; ++i) book.add(line_of("duel", text));
  CHECK(book.newest(kAll, 10'000).lines.size() <= LogBook::kMostBytesOfOne / text.size());
  book.add(line_of("first", "first"));
  for (int arena = 0; arena < 300; ++arena) {
    for (int i = 0; i < 100; ++i) book.add(line_of("a" + std::to_string(arena), text));
  }
  size_t bytes = 0;
  for (const auto& one : book.newest(kAll, 1'000'000).lines) bytes += one.line.text.size();
  CHECK(bytes <= LogBook::kMostBytes);
  CHECK(bytes >= LogBook::kMostBytes / 2);
  CHECK(book.names("first").empty());
  CHECK(book.names("a299").size() == 1);
  CHECK(book.after(kAll, 1, 10).missed);
}
