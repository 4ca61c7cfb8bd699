// What arenad writes into a template's environment of its cage, and what a template takes for that.
#include "ipc/cage_options.h"

#include <doctest/doctest.h>

using namespace arenad;

namespace {

Error refusal(std::string_view text) {
  auto options = CageOptions::parse(text);
  INFO(text);
  REQUIRE_FALSE(options.ok());
  return options.error();
}

}  // namespace

TEST_CASE("what was written is read") {
  CageOptions options;
  SUBCASE("nothing") {}
  SUBCASE("everything") {
    options.mode = CageMode::log;
    options.memory_bytes = UINT64_MAX;
    options.network = options.threads = options.core_dumps = true;
    options.readable = {"/srv/maps", "a=b", "with blanks"};
    options.writable = {"/var/lib/game"};
    options.system_calls = {"sched_setscheduler", "mlock"};
  }
  SUBCASE("each mode") {
    for (const CageMode mode : {CageMode::kill, CageMode::log, CageMode::off}) {
      options.mode = mode;
      auto again = CageOptions::parse(options.text());
      REQUIRE(again.ok());
      CHECK(again->mode == mode);
    }
  }
  auto read = CageOptions::parse(options.text());
  REQUIRE(read.ok());
  CHECK(*read == options);
}

TEST_CASE("no text is no cage") {
  auto options = CageOptions::parse("");
  REQUIRE(options.ok());
  CHECK(*options == CageOptions{});
}

TEST_CASE("a line that is not understood is an error that names it") {
  for (const std::string line : {"mode=", "mode=KILL", "mode", "mode=kill ", "memory=", "memory=-1", "memory=1k", "memory=0x10",
                                 "memory=18446744073709551616", "memory", "colour=red", "=", "=kill", " mode=kill"}) {
    const Error alone = refusal(line);
    CHECK(alone.code == ErrorCode::invalid);
    CHECK(alone.text().find("\"" + line + "\"") != std::string::npos);
    // Also behind and before what is.
    CHECK(refusal("mode=kill\n" + line + "\nnetwork\n").text() == alone.text());
  }
  CHECK(refusal("mode=kill\n\nnetwork").code == ErrorCode::invalid);
}

TEST_CASE("the last line may lack its end") {
  auto options = CageOptions::parse("mode=kill\nmemory=7\nthreads");
  REQUIRE(options.ok());
  CHECK(options->mode == CageMode::kill);
  CHECK(options->memory_bytes == 7);
  CHECK(options->threads);
}
