// What a process writes, line by line, and how many lines it may log.
#include "supervisor/output_lines.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "ipc/clock.h"
#include "ipc/output_line.h"
#include "supervisor/line_limit.h"

using namespace arenad;

namespace {

struct Split {
  std::vector<std::string> lines;
  std::string rest;
};

Split split(std::string_view bytes, MoreToCome more) {
  Split split;
  while (const auto line = first_line(bytes, more)) {
    split.lines.push_back(std::string(line->text) + (line->is_cut ? "+" : ""));
    bytes.remove_prefix(line->bytes);
  }
  split.rest = bytes;
  return split;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("lines end with their ends; the last one waits for its own") {
  CHECK(split("", MoreToCome::yes).lines.empty());
  CHECK(split("one\ntwo\r\n\nthree", MoreToCome::yes).lines == Lines{"one", "two", ""});
  CHECK(split("one\ntwo\r\n\nthree", MoreToCome::yes).rest == "three");
  CHECK(split("one\nthree", MoreToCome::no).lines == Lines{"one", "three"});
  CHECK(split(std::string_view("a\0b\n", 4), MoreToCome::yes).lines == Lines{std::string("a\0b", 3)});
}

TEST_CASE("a line that is too long is cut, and goes on") {
  const std::string limit(kMostLineBytes, 'x');
  CHECK(split(limit + "\n", MoreToCome::yes).lines == Lines{limit});
  CHECK(split(limit, MoreToCome::yes).lines.empty());
  CHECK(split(limit + "y\n", MoreToCome::yes).lines == Lines{limit + "+", "y"});
  CHECK(split(limit + limit + "y", MoreToCome::no).lines == Lines{limit + "+", limit + "+", "y"});
}

TEST_CASE("lines that are left out are as many as if each had been taken") {
  const std::string longer(2 * kMostLineBytes + 10, 'x');
  for (const std::string& text :
       {std::string(), std::string("one"), std::string("one\n"), std::string("one\ntwo\n\nthree"), std::string(5000, '\n'),
        longer, "one\n" + longer, std::string(kMostLineBytes, 'x'), std::string(kMostLineBytes + 1, 'x')}) {
    CAPTURE(text.size());
    const Split all = split(text, MoreToCome::yes);
    CHECK(count_lines(text) == CountedLines{all.lines.size(), text.size() - all.rest.size()});
  }
}

TEST_CASE("where the last lines begin") {
  CHECK(begin_of_last_lines("", 2) == 0);
  CHECK(begin_of_last_lines("one", 2) == 0);
  CHECK(begin_of_last_lines("one\ntwo\nthree\n", 2) == 4);
  CHECK(begin_of_last_lines("one\ntwo\nthree", 2) == 4);
  CHECK(begin_of_last_lines("one\ntwo\nthree", 3) == 0);
  CHECK(begin_of_last_lines("one\ntwo\nthree", 0) == 13);
  CHECK(begin_of_last_lines("\n\n\n", 2) == 1);
  CHECK(begin_of_last_lines("\n", 1) == 0);
}

TEST_CASE("a burst, then so many a second") {
  const LineRate rate{.lines_per_s = 10, .burst = 3};
  LineLimit limit;
  uint64_t now = 5 * kSecond;
  for (int i = 0; i < 3; ++i) CHECK(limit.admit(rate, now));
  CHECK_FALSE(limit.admit(rate, now));
  CHECK_FALSE(limit.admit(rate, now));
  CHECK(limit.take_suppressed(rate, now) == 0);  // no room to say so
  now += kSecond / 10;
  CHECK(limit.take_suppressed(rate, now) == 2);
  CHECK(limit.take_suppressed(rate, now) == 0);
  CHECK(limit.admit(rate, now));
  CHECK_FALSE(limit.admit(rate, now));
  now += kSecond / 2;
  int admitted = 0;
  for (int i = 0; i < 10; ++i) admitted += limit.admit(rate, now) ? 1 : 0;
  CHECK(admitted == 3);  // never more than a burst
  CHECK(limit.take_suppressed() == 8);
  CHECK(limit.take_suppressed() == 0);
}

TEST_CASE("a clock that stands still or goes back gives nothing") {
  const LineRate rate{.lines_per_s = 1000, .burst = 1};
  LineLimit limit;
  CHECK(limit.admit(rate, 2 * kSecond));
  CHECK_FALSE(limit.admit(rate, 2 * kSecond));
  CHECK_FALSE(limit.admit(rate, kSecond));
}

TEST_CASE("a worker's own lines say how important they are, when and where") {
  const std::string written =
      write_output_line({.priority = 4, .unix_ns = 1'732'809'808'123'456'789, .frame = 17, .text = "hot"});
  CHECK(written == "<4>@1732809808123456789 17 hot\n");
  const OutputLine line = parse_output_line(std::string_view(written).substr(0, written.size() - 1));
  CHECK(line.priority == 4);
  CHECK(line.unix_ns == 1'732'809'808'123'456'789);
  CHECK(line.frame == 17);
  CHECK(line.text == "hot");
}

TEST_CASE("what does not begin like that is text") {
  for (const char* text : {"", "plain", "<8>x", "<>x", "<4", "@1 2 x"}) {
    CAPTURE(text);
    CHECK(parse_output_line(text) == OutputLine{.priority = 6, .unix_ns = {}, .frame = {}, .text = text});
  }
  CHECK(parse_output_line("<3>bad") == OutputLine{.priority = 3, .unix_ns = {}, .frame = {}, .text = "bad"});
  CHECK(parse_output_line("<3>@12 x") == OutputLine{.priority = 3, .unix_ns = {}, .frame = {}, .text = "@12 x"});
  CHECK(parse_output_line("<3>@x 1 y") == OutputLine{.priority = 3, .unix_ns = {}, .frame = {}, .text = "@x 1 y"});
}
