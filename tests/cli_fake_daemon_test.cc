// The real arenactl against an arenad that is not there (tests/cli_fake_daemon.h).
#include "tests/cli_fake_daemon.h"

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

#include <doctest/doctest.h>

#include "ipc/control_client.h"
#include "ipc/socket.h"
#include "tests/cli_program.h"
#include "tests/cli_sample_status.h"

namespace {

using namespace arenad::cli_test;
using arenad::Fd;
using nlohmann::json;

namespace wire = arenad::wire;

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Used on the daemon's thread too, so it does not assert: a failure shows as a recording that is wrong.
Fd memfd_of(std::string_view bytes) {
  Fd memfd(::memfd_create("cli-test", MFD_CLOEXEC));
  if (::write(memfd.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) return {};
  return memfd;
}

Answer items_answer(wire::FailureCode second_fails_with) {
  return [second_fails_with](Answering answering) {
    auto items = answering.reply.initItems(2);
    items[0].setId(kSampleId);
    items[0].setName("duel-1");
    items[0].setOk("stopped at frame 70");
    items[1].setName("duel-2");
    auto error = items[1].initError();
    error.setCode(second_fails_with);
    error.setMessage("not now");
  };
}

Answer all_ok_answer() {
  return [](Answering answering) {
    auto item = answering.reply.initItems(1)[0];
    item.setName("duel-1");
    item.setOk("done so");
  };
}

Answer status_answer(std::vector<std::pair<const char*, const char*>> arenas) {
  return [arenas = std::move(arenas)](Answering answering) {
    if (answering.request.isLogs()) return static_cast<void>(answering.reply.initLogs());
    auto status = answering.reply.initStatus();
    fill_daemon(status.initDaemon());
    auto list = status.initArenas(static_cast<unsigned>(arenas.size()));
    for (unsigned i = 0; i < list.size(); ++i) fill_arena(list[i], arenas[i].first, arenas[i].second);
  };
}

Answer export_answer(std::string_view bytes, uint64_t announced) {
  return [bytes, announced](Answering answering) {
    answering.reply.setExported(announced);
    answering.fds.push_back(memfd_of(bytes));
  };
}

const std::array kFailures{std::pair{wire::FailureCode::FAILED, 1},        std::pair{wire::FailureCode::INVALID, 2},
                           std::pair{wire::FailureCode::UNKNOWN_ARENA, 4}, std::pair{wire::FailureCode::TIMEOUT, 5},
                           std::pair{wire::FailureCode::REFUSED, 6},       std::pair{wire::FailureCode::UNREACHABLE, 7},
                           std::pair{wire::FailureCode::CORRUPT, 1},       std::pair{wire::FailureCode::EXHAUSTED, 1}};

const std::array<Texts, 32> kEveryVerb{Texts{"start", "tanks"},
                                       Texts{"status"},
                                       Texts{"list"},
                                       Texts{"inspect", "duel-1"},
                                       Texts{"top", "-n", "1"},
                                       Texts{"restart", "duel-1"},
                                       Texts{"drain", "duel-1"},
                                       Texts{"undrain", "duel-1"},
                                       Texts{"stop", "duel-1"},
                                       Texts{"reset-failed", "duel-1"},
                                       Texts{"snapshot", "duel-1"},
                                       Texts{"kill", "-s", "USR1", "duel-1"},
                                       Texts{"signal", "USR1", "duel-1"},
                                       Texts{"tell", "duel-1", "say"},
                                       Texts{"state", "duel-1"},
                                       Texts{"shutdown", "--yes"},
                                       Texts{"logs"},
                                       Texts{"events"},
                                       Texts{"crashes"},
                                       Texts{"slow"},
                                       Texts{"quarantine"},
                                       Texts{"results", "duel-1"},
                                       Texts{"export", "duel-1", "/nonexistent/recording"},
                                       Texts{"history"},
                                       Texts{"reload-config"},
                                       Texts{"version"},
                                       Texts{"reload", "tanks", "/proc/self/exe"},
                                       Texts{"rollback", "tanks"},
                                       Texts{"rollout"},
                                       Texts{"pin", "duel-1", "1.2.0"},
                                       Texts{"unpin", "duel-1"},
                                       Texts{"versions"}};

}  // namespace

TEST_SUITE("arenactl start") {
  Answer started_answer(bool already_running) {
    return [already_running](Answering answering) {
      auto started = answering.reply.initStarted();
      started.setId(kSampleId);
      started.setName("duel-1");
      started.setAlreadyRunning(already_running);
    };
  }

  TEST_CASE("passes on everything, and says what it started") {
    FakeDaemon daemon(started_answer(false));
    const Ended ended =
        ask(daemon, {"start", "--param", "map=desert", "tanks", "--param", "note=a=b", "--id", kSampleId, "--name", "duel-1"});
    CHECK(ended.code == 0);
    CHECK(ended.out == "duel-1: started (01JD3M7S9XQ2V8T4KZ5W6Y7R0B)\n");
    CHECK(ended.err == "");
    CHECK(daemon.requests() == Texts{"start = (game = \"tanks\", id = \"01JD3M7S9XQ2V8T4KZ5W6Y7R0B\", "
                                     "name = \"duel-1\", params = [(key = \"map\", value = \"desert\"), "
                                     "(key = \"note\", value = \"a=b\")])"});
  }

  TEST_CASE("as JSON") {
    FakeDaemon daemon(started_answer(false));
    const Ended ended = ask(daemon, {"start", "tanks", "--json"});
    CHECK(ended.code == 0);
    CHECK(json::parse(ended.out) == json{{"schema", 1}, {"id", kSampleId}, {"name", "duel-1"}, {"already_running", false}});
  }

  TEST_CASE("what runs already is no error") {
    FakeDaemon daemon(started_answer(true));
    const Ended ended = ask(daemon, {"start", "tanks"});
    CHECK(ended.code == 0);
    CHECK(ended.out == "duel-1: runs already (01JD3M7S9XQ2V8T4KZ5W6Y7R0B)\n");
  }

  TEST_CASE("a game may be called like a verb") {
    FakeDaemon daemon(started_answer(false));
    CHECK(ask(daemon, {"start", "status"}).code == 0);
    CHECK(contains(daemon.requests()[0], "game = \"status\""));
  }

  TEST_CASE("wrong arguments are found before arenad is asked") {
    FakeDaemon daemon(started_answer(false));
    for (const Texts& arguments : {Texts{"start"}, Texts{"start", "tanks", "more"}, Texts{"start", "tanks", "--param", "map"},
                                   Texts{"start", "tanks", "--param", "=desert"}, Texts{"start", "tanks", "--id", "short"},
                                   Texts{"start", "tanks", "--param", "a=1", "--param", "a=2"}}) {
      const Ended ended = ask(daemon, arguments);
      CHECK(ended.code == 2);
      CHECK(ended.out == "");
      CHECK(ended.err.starts_with("arenactl: "));
    }
    CHECK(daemon.requests().empty());
  }
}

TEST_SUITE("arenactl status") {
  TEST_CASE("the table of all, which is well whatever the arenas do") {
    FakeDaemon daemon(status_answer({{"duel-1", "running"}, {"duel-2", "recovering"}}));
    const Ended ended = ask(daemon, {"status"});
    CHECK(ended.code == 0);
    CHECK(ended.out.starts_with("ARENA   STATE        PID  "));
    CHECK(
        contains(ended.out, "  RESTARTS  VERSION  FRAME  LATE-P99  SNAP-FRAME  DURABLE   CPU     MEM  LAST-EXIT    REASON\n"));
    CHECK(contains(ended.out, "\nduel-2  recovering  4242  "));
    CHECK(ended.err == "");
    CHECK(daemon.requests() == Texts{"status = (arenas = [], all = true, finished = false)"});
  }

  TEST_CASE("no arenas leave the header") {
    FakeDaemon daemon(status_answer({}));
    CHECK(ask(daemon, {"status"}).out.starts_with("ARENA  STATE  PID"));
    CHECK(ask(daemon, {"status", "--all"}).code == 0);
    CHECK(ask(daemon, {"status", "--no-header", "--finished"}).out == "");
    CHECK(contains(daemon.requests()[2], "finished = true"));
  }

  TEST_CASE("what is wrong with arenad goes to standard error") {
    FakeDaemon daemon([](Answering answering) {
      answering.reply.initStatus().initDaemon().setDraining(true);
      answering.reply.getStatus().getDaemon().initNotices(1).set(0, "the database was moved aside");
    });
    const Ended ended = ask(daemon, {"status"});
    CHECK(ended.code == 0);
    CHECK(ended.err ==
          "arenactl: arenad is draining and starts no new arenas\n"
          "arenactl: the database was moved aside\n");
    CHECK(ask(daemon, {"status", "--quiet"}).err == "");
  }

  TEST_CASE("one that is named gets a page") {
    FakeDaemon daemon(status_answer({{"duel-1", "running"}}));
    const Ended ended = ask(daemon, {"status", "duel-1"});
    CHECK(ended.code == 0);
    CHECK(ended.out.starts_with("duel-1: running\n  id          01JD3M7S9XQ2V8T4KZ5W6Y7R0B\n"));
    CHECK(ask(daemon, {"status", "01jd3m7s9xq2v8t4kz5w6y7r0b"}).code == 0);
    CHECK(ask(daemon, {"status", "duel-*"}).out.starts_with("ARENA "));
    CHECK(contains(daemon.requests()[0], "status = (arenas = [\"duel-1\"], all = false, finished = false)"));
  }

  TEST_CASE("selected columns") {
    FakeDaemon daemon(status_answer({{"duel-1", "running"}}));
    CHECK(ask(daemon, {"status", "duel-1", "-o", "arena,PID", "--no-header"}).out == "duel-1  4242\n");
    CHECK(ask(daemon, {"status", "--columns=late-p99"}).out == "LATE-P99\n   4.2ms\n");
    const Ended wrong = ask(daemon, {"status", "-o", "sate"});
    CHECK(wrong.code == 2);
    CHECK(wrong.err.starts_with("arenactl: no column is called 'sate'; did you mean 'state'?"));
  }

  TEST_CASE("as JSON") {
    FakeDaemon daemon(status_answer({{"duel-1", "running"}}));
    const Ended ended = ask(daemon, {"--json", "status"});
    CHECK(ended.code == 0);
    const json parsed = json::parse(ended.out);
    CHECK(parsed["schema"] == 1);
    CHECK(parsed["daemon"]["pid"] == 77);
    CHECK(parsed["arenas"][0]["last_exit"] == "signal=SEGV");
    CHECK(json::parse(ask(daemon, {"status", "--json", "-o", "state"}).out)["arenas"][0] == json{{"state", "running"}});
  }

  TEST_CASE("a selected arena that does not run") {
    FakeDaemon daemon(status_answer({{"duel-1", "running"}, {"duel-2", "starting"}}));
    CHECK(ask(daemon, {"status", "--all"}).code == 3);
    CHECK(ask(daemon, {"status", "duel-*"}).code == 3);
    CHECK(ask(daemon, {"status", "duel-1", "duel-2", "--json"}).code == 3);
    const Ended quiet = ask(daemon, {"status", "duel-1", "duel-2", "--quiet"});
    CHECK(quiet.code == 3);
    CHECK(quiet.out == "");
    CHECK(quiet.err == "");
  }

  TEST_CASE("a named arena that is not there") {
    FakeDaemon daemon(status_answer({{"duel-1", "starting"}}));
    const Ended ended = ask(daemon, {"status", "duel-1", "nobody"});
    CHECK(ended.code == 4);
    CHECK(contains(ended.out, "\nduel-1 "));
    CHECK(ended.err == "arenactl: nobody: no such arena\n");
    CHECK(json::parse(ask(daemon, {"status", "duel-1", "nobody", "--json"}).out)["unknown"] == json{"nobody"});
  }

  TEST_CASE("a glob that finds nothing") {
    FakeDaemon daemon(status_answer({}));
    const Ended ended = ask(daemon, {"status", "duel-*"});
    CHECK(ended.code == 4);
    CHECK(ended.out == "");
    CHECK(ended.err == "arenactl: duel-*: no such arena\n");
  }
}

TEST_SUITE("arenactl restart, drain, stop") {
  TEST_CASE("each arena has its line, and the worst code counts") {
    for (const auto& [failure, code] : kFailures) {
      FakeDaemon daemon(items_answer(failure));
      for (const char* verb : {"restart", "drain", "stop"}) {
        const Ended ended = ask(daemon, {verb, "duel-1", "duel-2"});
        CHECK(ended.code == code);
        CHECK(ended.out == "duel-1: stopped at frame 70\n");
        CHECK(ended.err == "arenactl: duel-2: not now\n");
      }
    }
  }

  TEST_CASE("selections are passed on as they are") {
    FakeDaemon daemon(all_ok_answer());
    CHECK(ask(daemon, {"restart", "duel-1", "ladder-*", "stop"}).code == 0);
    CHECK(ask(daemon, {"restart", "--all"}).code == 0);
    CHECK(ask(daemon, {"drain", "duel-1", "--deadline", "5m"}).code == 0);
    CHECK(ask(daemon, {"drain", "--yes"}).code == 0);
    CHECK(ask(daemon, {"stop", "duel-1"}).code == 0);
    CHECK(ask(daemon, {"stop", "--all", "-y"}).code == 0);
    CHECK(daemon.requests() ==
          Texts{"restart = (arenas = [\"duel-1\", \"ladder-*\", \"stop\"], all = false, finished = false)",
                "restart = (arenas = [], all = true, finished = false)",
                "drain = (selection = (arenas = [\"duel-1\"], all = false, finished = false), deadlineMs = 300000)",
                "drain = (selection = (arenas = [], all = true, finished = false), deadlineMs = 600000)",
                "stop = (arenas = [\"duel-1\"], all = false, finished = false)",
                "stop = (arenas = [], all = true, finished = false)"});
  }

  TEST_CASE("as JSON, and in silence") {
    FakeDaemon daemon(items_answer(wire::FailureCode::REFUSED));
    const Ended ended = ask(daemon, {"stop", "duel-1", "duel-2", "--json"});
    CHECK(ended.code == 6);
    const json parsed = json::parse(ended.out);
    CHECK(parsed["schema"] == 1);
    CHECK(parsed["items"][0] == json{{"id", kSampleId}, {"name", "duel-1"}, {"ok", "stopped at frame 70"}});
    CHECK(parsed["items"][1]["error"] == json{{"code", "refused"}, {"message", "not now"}});
    const Ended quiet = ask(daemon, {"stop", "-q", "duel-1", "duel-2"});
    CHECK(quiet.code == 6);
    CHECK(quiet.out == "");
    CHECK(quiet.err == "arenactl: duel-2: not now\n");
  }

  TEST_CASE("nothing was selected") {
    FakeDaemon daemon([](Answering answering) { answering.reply.initItems(0); });
    const Ended none = ask(daemon, {"stop", "duel-*"});
    CHECK(none.code == 4);
    CHECK(none.err == "arenactl: no arena matches duel-*\n");
    const Ended all = ask(daemon, {"restart", "--all"});
    CHECK(all.code == 0);
    CHECK(all.err == "arenactl: there are no arenas\n");
  }

  TEST_CASE("all of them only with --yes where nobody can be asked") {
    FakeDaemon daemon(all_ok_answer());
    for (const Texts& arguments : {Texts{"stop", "--all"}, Texts{"stop", "*"}, Texts{"drain", "--all"}, Texts{"drain"}}) {
      const Ended ended = ask(daemon, arguments);
      CHECK(ended.code == 2);
      CHECK(contains(ended.err, "give --yes too"));
    }
    CHECK(daemon.requests().empty());
  }

  TEST_CASE("all of them after a question at a terminal") {
    FakeDaemon daemon(all_ok_answer());
    const Ended yes = run_at_terminal({"--socket", daemon.socket_path(), "stop", "--all"}, "y\n");
    CHECK(yes.code == 0);
    CHECK(yes.out == "Really stop all arenas at " + daemon.socket_path() + "? [y/N] duel-1: done so\n");
    // At a terminal what is done is counted: first it is asked how the arenas are.
    CHECK(daemon.requests() ==
          Texts{"status = (arenas = [], all = true, finished = false)", "stop = (arenas = [], all = true, finished = false)"});
    for (const char* typed : {"n\n", "\n", "yy\n", "\x04"}) {
      const Ended no = run_at_terminal({"--socket", daemon.socket_path(), "drain", "--all"}, typed);
      CHECK(no.code == 1);
      CHECK(contains(no.out, "arenactl: nothing was done\n"));
    }
    CHECK(daemon.requests().size() == 2);
  }

  TEST_CASE("arenas or all, not both and not neither") {
    FakeDaemon daemon(all_ok_answer());
    CHECK(ask(daemon, {"stop"}).code == 2);
    CHECK(ask(daemon, {"restart"}).code == 2);
    CHECK(ask(daemon, {"stop", "duel-1", "--all", "--yes"}).code == 2);
    CHECK(ask(daemon, {"restart", ""}).code == 2);
    CHECK(ask(daemon, {"drain", "duel-1", "--deadline", "10"}).code == 2);
    CHECK(daemon.requests().empty());
  }
}

TEST_SUITE("arenactl export") {
  const std::string kRecording("a recording\0with every byte \xff", 29);

  TEST_CASE("to a file") {
    FakeDaemon daemon(export_answer(kRecording, kRecording.size()));
    const TemporaryFolder folder;
    const std::string file = folder.file("duel-1.recording");
    const Ended ended = ask(daemon, {"export", "duel-1", file});
    CHECK(ended.code == 0);
    CHECK(ended.out == "duel-1: saved 29B to " + file + "\n");
    CHECK(content_of(file) == kRecording);
    CHECK_FALSE(fs::exists(file + ".tmp"));
    CHECK(daemon.requests()[0] == "export = \"duel-1\"");
    CHECK(json::parse(ask(daemon, {"export", "duel-1", file, "--json"}).out) ==
          json{{"schema", 1}, {"arena", "duel-1"}, {"file", file}, {"bytes", 29}});
  }

  TEST_CASE("to standard output") {
    FakeDaemon daemon(export_answer(kRecording, kRecording.size()));
    const Ended ended = ask(daemon, {"export", "duel-1", "-"});
    CHECK(ended.code == 0);
    CHECK(ended.out == kRecording);
    CHECK(ended.err == "");
    CHECK(ask(daemon, {"export", "duel-1", "-", "--quiet"}).out == kRecording);
    CHECK(ask(daemon, {"export", "duel-1", "-", "--json"}).code == 2);
    CHECK(run_at_terminal({"--socket", daemon.socket_path(), "export", "duel-1", "-"}, "").code == 2);
    CHECK(run_into_full_device({"--socket", daemon.socket_path(), "export", "duel-1", "-"}).code == 1);
  }

  TEST_CASE("what cannot be saved leaves nothing behind") {
    const TemporaryFolder folder;
    const std::string file = folder.file("recording");
    {
      FakeDaemon daemon(export_answer("short", 6));
      const Ended ended = ask(daemon, {"export", "duel-1", file});
      CHECK(ended.code == 1);
      CHECK(ended.err == "arenactl: the recording that arenad sent is shorter than it says\n");
    }
    {
      FakeDaemon daemon([](Answering answering) { answering.reply.setExported(5); });
      CHECK(ask(daemon, {"export", "duel-1", file}).err == "arenactl: arenad sent no recording along with its reply\n");
    }
    CHECK_FALSE(fs::exists(file));
    CHECK_FALSE(fs::exists(file + ".tmp"));
    FakeDaemon daemon(export_answer(kRecording, kRecording.size()));
    const Ended ended = ask(daemon, {"export", "duel-1", "/nonexistent/recording"});
    CHECK(ended.code == 1);
    CHECK(ended.err == "arenactl: cannot create /nonexistent/recording.tmp: No such file or directory\n");
  }
}

TEST_SUITE("arenactl version") {
  Answer version_answer(uint32_t protocol) {
    return [protocol](Answering answering) {
      auto version = answering.reply.initVersion();
      version.setProgram("0.1.0");
      version.setProtocol(protocol);
      version.setPid(77);
      version.setUptimeMs(61'000);
    };
  }

  TEST_CASE("of both sides") {
    FakeDaemon daemon(version_answer(wire::PROTOCOL_VERSION));
    const Ended ended = ask(daemon, {"version"});
    CHECK(ended.code == 0);
    CHECK(contains(ended.out, "\narenad: 0.1.0, protocol 1, pid 77, up 1m01s\n"));
    CHECK(ended.err == "");
    const json parsed = json::parse(ask(daemon, {"version", "--json"}).out);
    CHECK(parsed["schema"] == 1);
    CHECK(parsed["protocol"] == 1);
    CHECK(parsed["daemon"] == json{{"program", "0.1.0"}, {"protocol", 1}, {"pid", 77}, {"uptime_ms", 61'000}});
    CHECK("arenactl " + parsed["arenactl"].get<std::string>() + "\n" == run({"--version"}).out);
  }

  TEST_CASE("of an arenad that speaks another protocol") {
    FakeDaemon daemon(version_answer(wire::PROTOCOL_VERSION + 1));
    const Ended ended = ask(daemon, {"version"});
    CHECK(ended.code == 0);
    CHECK(ended.err.starts_with("arenactl: arenad speaks protocol 2, this arenactl 1"));
  }
}

TEST_SUITE("arenactl and an arenad that fails") {
  TEST_CASE("every failure of every verb has its exit code") {
    for (const auto& [failure, code] : kFailures) {
      FakeDaemon daemon(error_answer(failure, "said by arenad"));
      for (const Texts& arguments : kEveryVerb) {
        const Ended ended = ask(daemon, arguments);
        CAPTURE(arguments[0]);
        CHECK(ended.code == code);
        CHECK(ended.out == "");
        CHECK(ended.err.starts_with("arenactl: said by arenad"));
      }
    }
  }

  TEST_CASE("errors are JSON too where JSON is wanted") {
    FakeDaemon daemon(error_answer(wire::FailureCode::UNKNOWN_ARENA, "no arena is called duel-1"));
    const Ended ended = ask(daemon, {"results", "duel-1", "--json"});
    CHECK(ended.code == 4);
    CHECK(json::parse(ended.out) ==
          json{{"schema", 1}, {"error", {{"code", "unknown_arena"}, {"message", "no arena is called duel-1"}}}});
    CHECK(ended.err == "arenactl: no arena is called duel-1\n");
  }

  TEST_CASE("what arenad says cannot act on the terminal") {
    FakeDaemon daemon(error_answer(wire::FailureCode::FAILED, "\x1b[2J\nred"));
    CHECK(ask(daemon, {"results", "x"}).err == "arenactl: \\x1b[2J\\x0ared\n");
  }

  TEST_CASE("nothing at the socket") {
    const TemporaryFolder folder;
    for (const Texts& verb : kEveryVerb) {
      Texts arguments = verb;
      arguments.insert(arguments.begin(), {"--socket", folder.file("none.sock")});
      const Ended ended = run(arguments);
      CHECK(ended.code == 7);
      CHECK(ended.out == "");
      CHECK(ended.err == "arenactl: arenad does not answer at " + folder.file("none.sock") +
                             ": No such file or directory; start it (arenad --config FILE, or arena-keeper -- arenad --config "
                             "FILE), or name its socket with --socket or ARENAD_SOCKET\n");
    }
  }

  TEST_CASE("a socket that nobody listens at") {
    const TemporaryFolder folder;
    arenad::listen_unix(folder.file("dead.sock")).value().reset();
    const Ended ended = run({"--socket", folder.file("dead.sock"), "status", "--json"});
    CHECK(ended.code == 7);
    CHECK(contains(ended.err, "Connection refused; the socket is there but nobody listens"));
    CHECK(json::parse(ended.out)["error"]["code"] == "unreachable");
  }

  TEST_CASE("a path that is too long for a socket") {
    const Ended ended = run({"--socket", "/" + std::string(200, 's'), "status"});
    CHECK(ended.code == 2);
    CHECK(contains(ended.err, "is longer than"));
  }

  TEST_CASE("the connection closes") {
    FakeDaemon daemon(Answer{}, Conduct::closes);
    for (const Texts& verb : kEveryVerb) {
      const Ended ended = ask(daemon, verb);
      CHECK(ended.code == 7);
      CHECK(ended.out == "");
      CHECK(ended.err.starts_with("arenactl: arenad has closed the connection (" + daemon.socket_path() + ")"));
    }
    CHECK(contains(ask(daemon, {"stop", "duel-1"}).err, "what was asked may have happened"));
    CHECK_FALSE(contains(ask(daemon, {"status"}).err, "may have happened"));
  }

  TEST_CASE("no reply comes in time") {
    FakeDaemon daemon(Answer{}, Conduct::stays_silent);
    for (const Texts& verb : kEveryVerb) {
      Texts arguments = verb;
      arguments.insert(arguments.end(), {"--timeout", "10ms"});
      const Ended ended = ask(daemon, arguments);
      CHECK(ended.code == 5);
      CHECK(ended.out == "");
      CHECK(ended.err.starts_with("arenactl: arenad has not answered in time (" + daemon.socket_path() + ", waited 10ms"));
    }
    CHECK(ask(daemon, {"status", "--timeout", "200ms"}).err ==
          "arenactl: arenad has not answered in time (" + daemon.socket_path() + ", waited 200ms; --timeout waits longer)\n");
    CHECK(ask(daemon, {"status", "--timeout", "0s"}).code == 5);
  }

  TEST_CASE("notices that come before the reply do not matter") {
    FakeDaemon daemon(status_answer({{"duel-1", "running"}}), Conduct::sends_notice_first);
    CHECK(ask(daemon, {"status", "duel-1"}).code == 0);
  }

  TEST_CASE("a reply to another question") {
    FakeDaemon daemon([](Answering answering) { answering.reply.initVersion(); });
    const Ended ended = ask(daemon, {"status"});
    CHECK(ended.code == 1);
    CHECK(ended.err.starts_with("arenactl: arenad's reply cannot be understood (it answers another question)"));
  }

  TEST_CASE("a reply that is no message") {
    FakeDaemon daemon(std::string("\xff\xff\xff\x7f garbage", 12));
    CHECK(ask(daemon, {"status"}).code == 7);
  }

  TEST_CASE("a message whose root points outside of it") {
    // One segment of one word: a struct pointer to far behind the end.
    FakeDaemon daemon(std::string("\0\0\0\0\1\0\0\0\xfc\xff\0\0\1\0\1\0", 16));
    const Ended ended = ask(daemon, {"status"});
    CHECK(ended.code == 1);
    CHECK(ended.err.starts_with("arenactl: arenad's reply cannot be understood"));
  }

  TEST_CASE("output that cannot be written is a failure") {
    FakeDaemon daemon(status_answer({{"duel-1", "running"}}));
    const Ended ended = run_into_full_device({"--socket", daemon.socket_path(), "status"});
    CHECK(ended.code == 1);
    CHECK(ended.err == "arenactl: cannot write to standard output: No space left on device\n");
  }
}

TEST_SUITE("arenactl's command line") {
  TEST_CASE("help has every verb, its example and the exit codes, and needs no arenad") {
    const Ended ended = run({"--help"});
    CHECK(ended.code == 0);
    CHECK(ended.err == "");
    for (const Texts& verb : kEveryVerb) {
      CHECK(contains(ended.out, "\n  " + verb[0] + " "));
      CHECK(contains(ended.out, "\n  arenactl " + verb[0]));
      const Ended of_verb = run({verb[0], "--help"});
      CHECK(of_verb.code == 0);
      CHECK(contains(of_verb.out, "Examples:\n  arenactl " + verb[0]));
      CHECK(run({"help", verb[0]}).out == of_verb.out);
    }
    for (int code = 0; code <= 8; ++code) CHECK(contains(ended.out, "\n  " + std::to_string(code) + "  "));
    CHECK(run({"help"}).out == ended.out);
  }

  TEST_CASE("what is wrong is said, with what was perhaps meant") {
    const std::array wrong{
        std::pair{Texts{"statsu"},
                  "arenactl: there is no verb 'statsu'; did you mean 'status'?\narenactl: see arenactl --help\n"},
        std::pair{Texts{"strat", "tanks", "--param", "a=b"},
                  "arenactl: there is no verb 'strat'; did you mean 'start'?\narenactl: see arenactl --help\n"},
        std::pair{Texts{"frobnicate"}, "arenactl: there is no verb 'frobnicate'\narenactl: see arenactl --help\n"},
        std::pair{
            Texts{},
            "arenactl: what shall be done? A verb is missing: start status list inspect state top restart drain undrain stop "
            "reset-failed snapshot kill signal tell logs events crashes slow quarantine results export history reload-config "
            "shutdown version "
            "reload rollback rollout pin unpin versions upgrade gate new-game\narenactl: see arenactl --help\n"},
        std::pair{Texts{"stop", "--ys"},
                  "arenactl: unknown option '--ys'; did you mean '--yes'?\narenactl: see arenactl stop --help\n"},
        std::pair{Texts{"status", "--jsno"},
                  "arenactl: unknown option '--jsno'; did you mean '--json'?\narenactl: see arenactl status --help\n"},
        std::pair{Texts{"start"}, "arenactl: GAME is required\narenactl: see arenactl start --help\n"},
        std::pair{Texts{"status", "--timeout", "5"},
                  "arenactl: --timeout: '5' is no duration such as 500ms, 10s, 2m or 1h\n"
                  "arenactl: see arenactl status --help\n"},
    };
    for (const auto& [arguments, message] : wrong) {
      const Ended ended = run(arguments);
      CHECK(ended.code == 2);
      CHECK(ended.out == "");
      CHECK(ended.err == message);

      Texts as_json = arguments;
      as_json.insert(as_json.begin(), "--json");
      const Ended ended_as_json = run(as_json);
      CHECK(ended_as_json.code == 2);
      const json error = json::parse(ended_as_json.out)["error"];
      CHECK(error["code"] == "invalid");
      CHECK(std::string(message).starts_with("arenactl: " + error["message"].get<std::string>() + "\n"));
      CHECK(ended_as_json.err == message);

      Texts in_silence = as_json;
      in_silence.insert(in_silence.begin(), "--quiet");
      CHECK(run(in_silence).out == "");
    }
  }

  TEST_CASE("how errors are wanted counts wherever it stands, but not as an argument") {
    CHECK(json::parse(run({"status", "--timeout", "5", "--json"}).out)["error"]["code"] == "invalid");
    CHECK(run({"status", "--timeout", "5", "--", "--json"}).out == "");
    CHECK(run({"--quiet", "--help"}).out == run({"--help"}).out);
  }

  TEST_CASE("the socket comes from the option, else from the environment") {
    FakeDaemon daemon(status_answer({{"duel-1", "running"}}));
    CHECK(run({"status"}, {"ARENAD_SOCKET=" + daemon.socket_path()}).code == 0);
    CHECK(run({"status", "--socket", daemon.socket_path()}, {"ARENAD_SOCKET=/nonexistent"}).code == 0);
    const Ended neither = run({"status"}, {"ARENAD_SOCKET=/nonexistent"});
    CHECK(neither.code == 7);
    CHECK(contains(neither.err, "/nonexistent"));
  }

  TEST_CASE("colour and the line on arenad are for terminals") {
    FakeDaemon daemon(status_answer({{"duel-1", "running"}}));
    const Texts arguments{"--socket", daemon.socket_path(), "status"};
    const Ended in_colour = run_at_terminal(arguments, "", {"TERM=xterm"});
    CHECK(contains(in_colour.out, "\x1b[32mrunning\x1b[0m"));
    CHECK(contains(in_colour.out, "\narenad 0.1.0, pid 77, "));
    CHECK_FALSE(contains(run_at_terminal(arguments, "", {"TERM=xterm", "NO_COLOR=1"}).out, "\x1b"));
    CHECK_FALSE(contains(run_at_terminal(arguments, "", {"TERM=dumb"}).out, "\x1b"));
    const Ended piped = run(arguments, {"TERM=xterm"});
    CHECK_FALSE(contains(piped.out, "\x1b"));
    CHECK_FALSE(contains(piped.out, "pid 77"));
  }
}
