// Rights at the control socket of a real arenad, asked for by another user: only root can become one. Otherwise it ends with 77.
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "tests/real/daemon.h"

using namespace arenad;
using namespace arenad::test;
using nlohmann::json;

namespace {

// A number that no account needs to have.
constexpr const char* kOther = "64321";
constexpr const char* kOtherGroup = "64322";

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// arenactl as another user, in this group alone.
Finished as_other(const Daemon& daemon, std::vector<std::string> arguments, const std::string& group = kOtherGroup) {
  const std::string gid = "--regid=" + group;
  arguments.insert(arguments.begin(), {"/usr/bin/setpriv", "--reuid=" + std::string(kOther), gid, "--clear-groups",
                                       ARENAD_TEST_ARENACTL, "--socket", daemon.socket()});
  return run_to_end(arguments, daemon.folder());
}

std::string access_section(const std::string& more) {
  return "[access]\nsocket_group = \"" + std::string(kOtherGroup) + "\"\n" + more;
}

// Gives way to the socket, and to nothing else.
void open_folder(const Daemon& daemon) {
  std::filesystem::permissions(daemon.folder().path(), std::filesystem::perms(0711));
  std::filesystem::permissions(daemon.folder() / "run", std::filesystem::perms(0711));
}

void give(Daemon& daemon, const std::string& more) {
  daemon.reconfigure(access_section(more) + echo_section());
  const Finished told = daemon.arenactl({"reload-config"});
  INFO(told.err);
  REQUIRE(told.code == 0);
}

bool can_become_another() {
  return ::geteuid() == 0 && ::access("/usr/bin/setpriv", X_OK) == 0;
}

}  // namespace

TEST_CASE("each right is given by the configuration, at once, and taken again") {
  if (!can_become_another()) std::exit(77);
  Daemon daemon(access_section("") + echo_section());
  daemon.start();
  daemon.start_arena("duel");
  open_folder(daemon);

  const Finished nothing = as_other(daemon, {"status"});
  CHECK(nothing.code == 6);
  CHECK(holds(nothing.err, "status needs the right to read, which user 64321 does not have: access.read_users"));

  SUBCASE("by user") {
    give(daemon, "read_users = [\"64321\"]\n");
  }
  SUBCASE("by group") {
    give(daemon, "read_groups = [\"64322\"]\n");
  }
  CHECK(as_other(daemon, {"status"}).code == 0);
  CHECK(as_other(daemon, {"history"}).code == 0);
  const Finished refused = as_other(daemon, {"stop", "duel"});
  CHECK(refused.code == 6);
  CHECK(holds(refused.err, "stop needs the right to operate"));
  CHECK(daemon.arena("duel").state == "running");

  give(daemon, "operate_users = [\"64321\"]\n");
  CHECK(as_other(daemon, {"status"}).code == 0);
  CHECK(as_other(daemon, {"stop", "duel"}).code == 0);
  CHECK(as_other(daemon, {"reload-config"}).code == 6);
  CHECK(as_other(daemon, {"shutdown", "--yes"}).code == 6);
  CHECK(daemon.arenactl({"version"}).code == 0);

  give(daemon, "administer_groups = [\"64322\"]\n");
  CHECK(as_other(daemon, {"reload-config"}).code == 0);
  CHECK(as_other(daemon, {"status"}).code == 0);

  give(daemon, "");
  CHECK(as_other(daemon, {"status"}).code == 6);
  CHECK(daemon.arenactl({"status"}).code == 0);
}

TEST_CASE("refusals are in the history, once a second for each user and verb") {
  if (!can_become_another()) std::exit(77);
  Daemon daemon(access_section("") + echo_section());
  daemon.start();
  open_folder(daemon);
  for (int i = 0; i < 3; ++i) CHECK(as_other(daemon, {"stop", "duel"}).code == 6);
  CHECK(as_other(daemon, {"status"}).code == 6);
  const json entries = json::parse(daemon.arenactl({"history", "--json"}).out)["history"];
  REQUIRE(entries.size() >= 2);
  CHECK(entries[0]["verb"] == "status");
  const auto& stop = entries[entries.size() - 1];
  CHECK(stop["verb"] == "stop");
  CHECK(stop["subject"] == "duel");
  CHECK(stop["outcome"] == "denied");
  CHECK(stop["uid"] == 64321);
  CHECK(stop["gid"] == 64322);
  CHECK(holds(stop["detail"], "needs the right to operate"));
}

TEST_CASE("the socket belongs to the group, and who is not in it is not even heard") {
  if (!can_become_another()) std::exit(77);
  Daemon daemon(access_section("read_users = [\"64321\"]\n") + echo_section());
  daemon.start();
  open_folder(daemon);
  struct stat facts {};
  REQUIRE(::stat(daemon.socket().c_str(), &facts) == 0);
  CHECK(facts.st_gid == 64322);
  CHECK((facts.st_mode & 0777) == 0660);
  CHECK(as_other(daemon, {"status"}).code == 0);
  const Finished outside = as_other(daemon, {"status"}, "64323");
  CHECK(outside.code == 7);
  CHECK(holds(outside.err, "you may not use this socket"));
  daemon.reconfigure("[access]\nsocket_group = \"64323\"\nread_users = [\"64321\"]\n" + echo_section());
  CHECK(daemon.arenactl({"reload-config"}).code == 0);
  CHECK(as_other(daemon, {"status"}, "64323").code == 0);
  CHECK(as_other(daemon, {"status"}).code == 7);
}

TEST_CASE("a user or a group that is not there is a problem of the configuration") {
  Daemon daemon(echo_section());
  daemon.start();
  daemon.reconfigure("[access]\nsocket_group = \"no-such-group\"\noperate_users = [\"no-such-user\"]\n" + echo_section());
  const Finished refused = daemon.arenactl({"reload-config"});
  CHECK(refused.code == 2);
  CHECK(holds(refused.err, "access.socket_group: this machine has no group no-such-group"));
  CHECK(holds(refused.err, "access.operate_users: this machine has no user no-such-user"));
}
