// arenactl history against an arenad that is not there.
#include <nlohmann/json.hpp>
#include <string>
#include <unistd.h>

#include <doctest/doctest.h>

#include "tests/cli_fake_daemon.h"
#include "tests/cli_program.h"

namespace {

using namespace arenad::cli_test;
using nlohmann::json;

namespace wire = arenad::wire;

// A user that no machine has: no system gives out this number.
constexpr uint32_t kNoUser = 0xfffffff0;

Answer history_answer() {
  return [](Answering answering) {
    auto entries = answering.reply.initHistory(2);
    entries[0].setId(18);
    entries[0].setAtUnixMs(1'700'000'000'123);
    entries[0].setPid(4242);
    entries[0].setUid(kNoUser);
    entries[0].setGid(7);
    entries[0].setVerb("reload");
    entries[0].setSubject("tanks from \x1b[2Jbad.so");
    entries[0].setOutcome("refused");
    entries[0].setDetail("a rollout is going on");
    entries[1].setId(17);
    entries[1].setAtUnixMs(1'700'000'000'000);
    entries[1].setPid(4241);
    entries[1].setUid(0);
    entries[1].setVerb("shutdown");
    entries[1].setOutcome("open");
  };
}

}  // namespace

TEST_CASE("history: a table, in which nothing can do anything to a terminal") {
  FakeDaemon daemon(history_answer());
  const Ended ended = ask(daemon, {"history"});
  CHECK(ended.code == 0);
  CHECK(ended.err == "");
  CHECK(ended.out ==
        "ID  WHEN                      USER         PID  VERB      SUBJECT                   OUTCOME  DETAIL\n"
        "18  2023-11-14T22:13:20.123Z  4294967280  4242  reload    tanks from \\x1b[2Jbad.so  refused  a rollout is going on\n"
        "17  2023-11-14T22:13:20.000Z  root        4241  shutdown  -                         open     -\n");
  CHECK(daemon.requests() == Texts{"history = (limit = 100)"});
}

TEST_CASE("history: as JSON") {
  FakeDaemon daemon(history_answer());
  const json parsed = json::parse(ask(daemon, {"history", "--json", "--limit", "2"}).out);
  CHECK(parsed["schema"] == 1);
  REQUIRE(parsed["history"].size() == 2);
  CHECK(parsed["history"][0] == json{{"id", 18},
                                     {"at_unix_ms", 1'700'000'000'123},
                                     {"pid", 4242},
                                     {"uid", kNoUser},
                                     {"gid", 7},
                                     {"verb", "reload"},
                                     {"subject", "tanks from \x1b[2Jbad.so"},
                                     {"outcome", "refused"},
                                     {"detail", "a rollout is going on"}});
  CHECK(daemon.requests() == Texts{"history = (limit = 2)"});
}

TEST_CASE("history: nothing yet, and wrong limits") {
  FakeDaemon daemon([](Answering answering) { answering.reply.initHistory(0); });
  const Ended none = ask(daemon, {"history"});
  CHECK(none.code == 0);
  CHECK(none.err == "arenactl: nothing was changed yet\n");
  CHECK(ask(daemon, {"history", "--limit", "10000"}).code == 0);
  for (const char* limit : {"0", "10001", "-1", "ten", "1.5", "99999999999"}) {
    CHECK(ask(daemon, {"history", "--limit", limit}).code == 2);
  }
  CHECK(daemon.requests().size() == 2);
}
