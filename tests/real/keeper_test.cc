// arena-keeper with services that are not arenad: it knows nothing of arenas.
#include <csignal>
#include <filesystem>

#include <doctest/doctest.h>

#include "tests/real/process.h"

using namespace arenad;
using namespace arenad::test;

namespace {

struct Kept {
  explicit Kept(const std::string& script, std::vector<std::string> options = {})
      : program({command(script, std::move(options)), folder.path(), folder / "out", folder / "err"}) {}
  static std::vector<std::string> command(const std::string& script, std::vector<std::string> options) {
    options.insert(options.begin(), ARENAD_TEST_KEEPER);
    options.insert(options.end(), {"--", "bash", "-c", script});
    return options;
  }
  [[nodiscard]] std::string out() const { return read_file(folder / "out"); }
  [[nodiscard]] std::string err() const { return read_file(folder / "err"); }
  [[nodiscard]] bool says(const std::string& text) const {
    return eventually([&] { return out().find(text) != std::string::npos; });
  }

  PrivateFolder folder;
  Program program;
};

// READY=1, from the service's main process. Perl is part of every Debian.
constexpr const char* kSayReady =
    "exec perl -MSocket -e 'my $a = $ENV{NOTIFY_SOCKET}; $a =~ s/^@/\\0/; socket(S, AF_UNIX, SOCK_DGRAM, 0); "
    "my $to = pack(\"S a*\", AF_UNIX, $a); send(S, \"READY=1\", 0, $to) or die; $| = 1; ";

std::string ready_then(const std::string& perl) {
  return kSayReady + perl + "'";
}

std::string code_of(Kept& kept) {
  const auto exit = kept.program.wait();
  return exit ? exit->text() : "still there";
}

}  // namespace

TEST_CASE("keeper: its exit code is the service's") {
  Kept ok("exit 0");
  CHECK(code_of(ok) == "code=exited, status=0");
  Kept three("exit 3");
  CHECK(code_of(three) == "code=exited, status=3");
  CHECK(three.err().find("could not be started") != std::string::npos);
  Kept killed("kill -KILL $$");
  CHECK(code_of(killed) == "code=exited, status=137");
  PrivateFolder folder;
  CHECK(run_to_end({ARENAD_TEST_KEEPER, "--", "/nowhere/at/all"}, folder).code == 127);
  CHECK(run_to_end({ARENAD_TEST_KEEPER}, folder).code == 2);
  CHECK(run_to_end({ARENAD_TEST_KEEPER, "--watchdog", "soon", "--", "true"}, folder).code == 2);
}

TEST_CASE("keeper: a service that was ready and dies is started again") {
  Kept kept(ready_then("print \"life\\n\"; exit 1 if -s \"out\" < 20; print \"enough\\n\"; exit 0"));
  CHECK(code_of(kept) == "code=exited, status=0");
  CHECK(kept.out() == "life\nlife\nlife\nlife\nenough\n");
  CHECK(kept.err().find("it is started again") != std::string::npos);
}

TEST_CASE("keeper: signals are passed on, and it ends with the service") {
  Kept kept(
      ready_then("$SIG{HUP} = sub { print \"hup\\n\" }; $SIG{TERM} = sub { print \"term\\n\"; exit 5 }; print \"up\\n\"; "
                 "sleep 1 while 1;"));
  REQUIRE(kept.says("up\n"));
  kept.program.signal(SIGHUP);
  CHECK(kept.says("hup\n"));
  kept.program.signal(SIGTERM);
  CHECK(code_of(kept) == "code=exited, status=5");
  CHECK(kept.says("term\n"));
}

TEST_CASE("keeper: a service that is not ready yet gets its SIGHUP when it is") {
  Kept kept(
      "exec perl -MSocket -e 'my $a = $ENV{NOTIFY_SOCKET}; $a =~ s/^@/\\0/; socket(S, AF_UNIX, SOCK_DGRAM, 0); "
      "my $to = pack(\"S a*\", AF_UNIX, $a); $| = 1; $SIG{HUP} = sub { print \"hup\\n\"; exit 0 }; print \"up\\n\"; "
      "select(undef, undef, undef, 0.01) until -e \"go\"; print \"ready\\n\"; send(S, \"READY=1\", 0, $to) or die; "
      "sleep 1 while 1;'");
  REQUIRE(kept.says("up\n"));
  kept.program.signal(SIGHUP);
  write_file(kept.folder / "go", "");
  CHECK(code_of(kept) == "code=exited, status=0");
  CHECK(kept.out() == "up\nready\nhup\n");
}

TEST_CASE("keeper: a service that does not end in time is killed, with all that it has left behind") {
  Kept kept("trap '' TERM; sleep 1000 & echo $! ; while :; do sleep 0.05; done", {"--stop-timeout", "100"});
  REQUIRE(kept.says("\n"));
  const pid_t orphan = std::stoi(kept.out());
  kept.program.signal(SIGTERM);
  CHECK(code_of(kept) == "code=exited, status=137");
  CHECK(::kill(orphan, 0) == -1);
}

TEST_CASE("keeper: a watchdog that is not fed") {
  Kept kept(ready_then("print \"life $ENV{WATCHDOG_USEC}\\n\"; exit 0 if -s \"out\" > 20; sleep 1 while 1;"),
            {"--watchdog", "50"});
  CHECK(code_of(kept) == "code=exited, status=0");
  CHECK(kept.out() == "life 50000\nlife 50000\n");
  CHECK(kept.err().find("has not shown progress") != std::string::npos);
}

TEST_CASE("keeper: when it is killed, its service is told to end") {
  Kept kept(ready_then("$SIG{TERM} = sub { print \"term\\n\"; exit 0 }; print \"up\\n\"; sleep 1 while 1;"));
  REQUIRE(kept.says("up\n"));
  kept.program.signal(SIGKILL);
  CHECK(kept.says("term\n"));
}
