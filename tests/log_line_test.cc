// Lines of the log taken apart, and as entries of systemd's journal.
#include "supervisor/log_line.h"

#include <doctest/doctest.h>

#include "supervisor/journal_entry.h"

using namespace arenad;

TEST_CASE("a line is taken apart") {
  const LogLine line = parse_log_line(
      "arena=duel game=tanks epoch=3 pid=4711 frame=17 signature=\"SIGSEGV tanks.so+0x4f20\" msg=\"its worker died: "
      "\\\"quoted\\\"\"");
  CHECK(line.arena == "duel");
  CHECK(line.game == "tanks");
  CHECK(line.epoch == 3);
  CHECK(line.pid == 4711);
  CHECK(line.frame == 17);
  CHECK(line.signature == "SIGSEGV tanks.so+0x4f20");
  CHECK(line.text == "its worker died: \"quoted\"");
  CHECK(line.source.empty());
}

TEST_CASE("what else is said of it stays in the text") {
  CHECK(parse_log_line("game=tanks rollout=5 msg=\"begins\"").text == "begins (rollout=5)");
  CHECK(parse_log_line("game=tanks rollout=5 msg=\"begins\"").game == "tanks");
}

TEST_CASE("what is no such line is text as a whole") {
  for (const char* text : {"", "stopped", "a b=c", "=x msg=\"y\"", "key=value", "key=\"open msg=\"", "two words msg=\"x\""}) {
    CAPTURE(text);
    LogLine expected;
    expected.text = text;
    CHECK(parse_log_line(text) == expected);
  }
  CHECK(parse_log_line("msg=\"\"").text.empty());
  CHECK(parse_log_line("msg=\"").text.empty());
  CHECK(parse_log_line("epoch=none msg=\"x\"").epoch == 0);
}

TEST_CASE("an entry of the journal has the fields that it is found by") {
  LogLine line;
  line.severity = LogSeverity::warning;
  line.arena = "duel";
  line.game = "tanks";
  line.epoch = 3;
  line.frame = 17;
  line.pid = 4711;
  line.signature = "SIGSEGV tanks.so+0x4f20";
  line.text = "its worker died";
  CHECK(journal_entry(line) ==
        "MESSAGE=duel: its worker died\nPRIORITY=4\nSYSLOG_IDENTIFIER=arenad\nARENA=duel\nGAME=tanks\nEPOCH=3\nFRAME=17\n"
        "SIGNATURE=SIGSEGV tanks.so+0x4f20\nOBJECT_PID=4711\n");
  CHECK(journal_entry({.unix_ns = 0, .severity = LogSeverity::error, .text = "no arena"}) ==
        "MESSAGE=no arena\nPRIORITY=3\nSYSLOG_IDENTIFIER=arenad\n");
}

TEST_CASE("a value with a line end cannot begin another field") {
  const std::string entry = journal_entry({.unix_ns = 0, .text = "one\nPRIORITY=0"});
  CHECK(entry == std::string("MESSAGE\n\x0e\0\0\0\0\0\0\0one\nPRIORITY=0\nPRIORITY=6\nSYSLOG_IDENTIFIER=arenad\n", 67));
}

TEST_CASE("no text looks like another field") {
  for (const std::string text : {"x\" arena=other msg=\"forged", "ends in \\", "\\\" arena=other", "\"", "\\\\\"", "a=b", ""}) {
    CAPTURE(text);
    const std::string written =
        "arena=duel signature=\"" + log_quoted(text) + "\" key=" + log_value(text) + " msg=\"" + log_quoted(text) + "\"";
    const LogLine line = parse_log_line(written);
    CHECK(line.arena == "duel");
    CHECK(line.signature == text);
    CHECK(line.text == text + " (key=" + text + ")");
  }
}

TEST_CASE("a value is a line, without anything that a terminal would do") {
  CHECK(log_quoted("one\ntwo\x1b[2J\r") == "one; two\\\\x1b[2J\\\\x0d");
  CHECK(parse_log_line("msg=\"" + log_quoted("one\ntwo\x1b[2J") + "\"").text == "one; two\\x1b[2J");
  CHECK(log_value("duel-1.a_b") == "duel-1.a_b");
  CHECK(log_value("two words") == "\"two words\"");
  CHECK(log_value("") == "\"\"");
}
