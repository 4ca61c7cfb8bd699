#include "tests/systemd/service.h"

#include <sstream>

#include <doctest/doctest.h>

namespace arenad::test {
namespace {

constexpr const char* kDropIns = "/run/systemd/system/arenad.service.d";
constexpr const char* kConfiguration = "/etc/arenad/arenad.toml";
// What `arenactl status` exits with if it has found the arena, and it does not run at the moment.
constexpr int kNotRunning = 3;
constexpr const char* kEcho = "/usr/lib/arenad/games/echo.so";

}  // namespace

void Service::configure(const std::string& sections) {
  write_file(kConfiguration, sections + "\n[games.echo]\nmodule = \"" + kEcho + "\"\nwritable = [\"/run/arenad\"]\n");
}

Service::Service(const std::string& drop_in, const std::string& sections) {
  std::filesystem::create_directories(kDropIns);
  write_file(std::string(kDropIns) + "/test.conf", "[Service]\n" + drop_in + "\n");
  configure(sections);
  std::filesystem::remove_all("/var/lib/arenad");
  (void)run("systemctl daemon-reload; systemctl reset-failed arenad || true");
  cursor_ = run("journalctl --sync; journalctl -q -n 1 -o export | sed -n 's/^__CURSOR=//p' | tr -d '\\n'");
  (void)run("systemctl start arenad && arenactl start echo --name duel --param hz=60");
  // arenad's log is written by a thread of its own, which READY does not wait for: what was said before this line is in the journal now.
  CHECK(logs("listening on"));
}

Service::~Service() {
  (void)try_to("systemctl stop arenad; systemctl kill --kill-who=all -s KILL arenad");
}

Finished Unit::try_to(const std::string& command) {
  return run_to_end({"/bin/bash", "-c", command}, folder_);
}

std::string Unit::run(const std::string& command) {
  Finished finished = try_to(command);
  REQUIRE_MESSAGE(finished.code == 0, command, ": ", finished.code, ": ", finished.err);
  return finished.out;
}

std::string Unit::property(const std::string& name) {
  std::string value = run("systemctl show --value -p " + name + " arenad");
  if (!value.empty() && value.back() == '\n') value.pop_back();
  return value;
}

std::string Service::log() {
  return run("journalctl --sync; journalctl -q -o cat -u arenad --after-cursor='" + cursor_ + "'");
}

bool Service::logs(const std::string& text) {
  return eventually([&] { return log().find(text) != std::string::npos; });
}

std::string Service::errors() {
  return run("journalctl --sync; journalctl -q -o cat -p err -u arenad --after-cursor='" + cursor_ + "'");
}

std::string Service::entries(const std::string& field) {
  return run("journalctl --sync; journalctl -q -o json " + field);
}

bool Unit::is_back_after(pid_t main_pid) {
  // In this order: an arenad that is seen as another one first, and then as active, is the other one that is active.
  return eventually([&] { return this->main_pid() != main_pid && property("ActiveState") == "active"; });
}

bool Unit::says_status(const std::string& text) {
  return eventually([&] { return property("StatusText") == text; }, 5000);
}

Unit::Arena Unit::arena(const std::string& name) {
  const Finished shown = try_to("arenactl status --no-header -o frame,epoch,restarts-total,pid " + name);
  REQUIRE_MESSAGE((shown.code == 0 || shown.code == kNotRunning), shown.code, ": ", shown.err);
  std::istringstream columns(shown.out);
  Arena arena;
  columns >> arena.frame >> arena.epoch >> arena.restarts;
  // Between two workers there is none.
  if (shown.code == 0) columns >> arena.pid;
  REQUIRE(columns);
  return arena;
}

}  // namespace arenad::test
