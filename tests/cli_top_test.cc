// What arenactl top shows and what its keys do, without a terminal.
#include <doctest/doctest.h>

#include "cli/top_screen.h"
#include "cli/top_view.h"

namespace {

using namespace arenad::cli;

constexpr uint64_t kSecond = 1'000'000'000;

TopArena arena(const std::string& name, uint64_t frame, uint64_t events, uint64_t epoch = 1) {
  TopArena seen;
  seen.id = "id of " + name;
  seen.name = name;
  seen.game = "tanks";
  seen.state = "running";
  seen.epoch = epoch;
  seen.frame = frame;
  seen.durable_frame = frame / 2;
  seen.events = events;
  seen.cpu_ns = 500'000 * frame;
  return seen;
}

TopRow row(const std::string& name, double load) {
  TopRow made;
  made.arena = arena(name, 10, 0);
  made.load = load;
  return made;
}

std::vector<std::string> names(const std::vector<TopRow>& rows) {
  std::vector<std::string> found;
  for (const TopRow& one : rows) found.push_back(one.arena.name);
  return found;
}

using Names = std::vector<std::string>;

Key key(char letter) {
  return static_cast<Key>(letter);
}

}  // namespace

TEST_CASE("top: rates are between two looks at one incarnation") {
  const TopLook before{kSecond, "", {arena("a", 100, 10), arena("b", 100, 10), arena("c", 100, 10)}};
  const TopLook now{3 * kSecond, "", {arena("a", 140, 30), arena("b", 5, 10, 2), arena("c", 50, 10), arena("d", 9, 9)}};
  const auto rows = top_rows(now, &before);
  REQUIRE(rows.size() == 4);
  CHECK(rows[0].frames_per_s == doctest::Approx(20));
  CHECK(rows[0].events_per_s == doctest::Approx(10));
  CHECK(rows[0].load == doctest::Approx(0.01));
  CHECK_FALSE(rows[1].frames_per_s);  // another incarnation
  CHECK_FALSE(rows[2].frames_per_s);  // set back
  CHECK_FALSE(rows[3].load);          // new
  // An arenad that does not tell it.
  TopLook silent = now;
  for (TopArena& one : silent.arenas) one.cpu_ns = 0;
  CHECK_FALSE(top_rows(silent, &before)[0].load);
  CHECK_FALSE(top_rows(now, nullptr)[0].frames_per_s);
  CHECK_FALSE(top_rows(now, &now)[0].frames_per_s);  // no time between
}

TEST_CASE("top: the order") {
  const std::vector<TopRow> rows{row("b", 0.1), row("c", 0.3), row("a", 0.1)};
  CHECK(names(arranged(rows, {TopColumn::load, false, ""})) == Names{"c", "a", "b"});
  CHECK(names(arranged(rows, {TopColumn::load, true, ""})) == Names{"a", "b", "c"});
  CHECK(names(arranged(rows, {TopColumn::arena, false, ""})) == Names{"a", "b", "c"});
  CHECK(names(arranged(rows, {TopColumn::arena, true, ""})) == Names{"c", "b", "a"});
  CHECK(names(arranged(rows, {TopColumn::load, false, "c"})) == Names{"c"});
  CHECK(names(arranged(rows, {TopColumn::load, false, "running"})).size() == 3);
  CHECK(arranged(rows, {TopColumn::load, false, "nothing"}).empty());
  CHECK(arranged({}, {}).empty());
  for (const std::string& name : top_column_names()) CHECK(name_of(*top_column_named(name)) == name);
  CHECK_FALSE(top_column_named("speed"));
}

TEST_CASE("top: columns leave until the rest fits") {
  const std::vector<TopRow> rows{row("a", 0.1), row("a-name-that-is-long", 0.2)};
  const TopTable whole = top_table(rows, TopColumn::load, 0);
  CHECK(whole.header.starts_with("ARENA "));
  CHECK(whole.header.find(" CPU*") != std::string::npos);
  CHECK(whole.header.find(" PID") != std::string::npos);
  for (size_t width = 1; width <= whole.header.size() + 1; ++width) {
    const TopTable table = top_table(rows, TopColumn::load, width);
    CHECK(table.header.size() <= width);
    CHECK(table.lines.size() == 2);
    for (const std::string& line : table.lines) CHECK(line.size() <= width);
    CHECK(table.header.starts_with(std::string("ARENA").substr(0, width)));
  }
  CHECK(top_table(rows, TopColumn::load, 40).header.find(" PID") == std::string::npos);
  CHECK(first_columns("\xc3\xa4\xc3\xb6x", 2) == "\xc3\xa4\xc3\xb6");
}

TEST_CASE("top: the selected row is seen") {
  CHECK(first_seen(0, 0, 0, 5) == 0);
  CHECK(first_seen(0, 4, 10, 5) == 0);
  CHECK(first_seen(0, 5, 10, 5) == 1);
  CHECK(first_seen(7, 9, 10, 5) == 5);
  CHECK(first_seen(4, 2, 10, 5) == 2);
  CHECK(first_seen(3, 3, 4, 5) == 0);
}

TEST_CASE("top: keys") {
  TopScreen top({});
  std::vector<TopRow> rows;
  for (int i = 10; i < 40; ++i) rows.push_back(row("a" + std::to_string(i), 1.0 / i));
  top.set_rows(rows, "arenad is here");
  auto lines = top.lines(80, 10);
  REQUIRE(lines.size() == 10);
  CHECK(lines[0].text == "arenad is here");
  CHECK(lines[1].text == "30 of 30 arenas, sorted by cpu");
  CHECK(lines[2].reversed);
  CHECK(lines[3].text.starts_with("a10 "));
  CHECK(lines[3].reversed);
  CHECK(lines[9].text.starts_with("q quit"));
  CHECK(top.take(Key::end));
  lines = top.lines(80, 10);
  CHECK(lines[8].text.starts_with("a39 "));
  CHECK(lines[8].reversed);
  CHECK(top.take(Key::page_up));
  CHECK(top.lines(80, 10)[3].text.starts_with("a33 "));
  CHECK(top.take(key('n')));
  CHECK(top.order().column == TopColumn::arena);
  CHECK(top.take(key('<')));
  CHECK(top.order().column == TopColumn::arena);
  CHECK(top.take(key('>')));
  CHECK(top.order().column == TopColumn::game);
  CHECK(top.take(key('/')));
  for (const char letter : {'q', 'a', '1'}) CHECK(top.take(key(letter)));
  CHECK(top.order().filter == "qa1");
  CHECK(top.take(Key::backspace));
  CHECK(top.take(Key::enter));
  CHECK(top.order().filter == "qa");
  CHECK(top.lines(80, 10)[1].text.starts_with("0 of 30 arenas"));
  CHECK(top.take(Key::down));
  CHECK(top.take(Key::escape));
  CHECK(top.order().filter.empty());
  CHECK(top.take(key('h')));
  CHECK(top.lines(80, 30)[2].text.starts_with("q "));
  CHECK(top.take(Key::none));
  CHECK(top.lines(80, 30)[2].text.starts_with("q "));
  top.set_trouble("arenad is away");
  CHECK(top.lines(80, 10)[1].text == "arenad is away");
  CHECK_FALSE(top.take(key('q')));
  for (size_t height = 0; height < 6; ++height) CHECK(top.lines(1, height).size() == std::max<size_t>(height, 1));
}
