// The unit arenad.service of the systemd that this test runs under; as it was installed, or with a configuration and drop-ins of the test's own.
#pragma once

#include <cstdint>
#include <string>
#include <sys/types.h>

#include "tests/real/process.h"

namespace arenad::test {

constexpr const char* kUnit = "arenad.service";
constexpr const char* kControlSocket = "/run/arenad/arenad.sock";

class Unit {
 public:
  // A command of the shell, which must succeed; gives what it prints.
  [[nodiscard]] std::string run(const std::string& command);
  [[nodiscard]] Finished try_to(const std::string& command);
  // Of the unit, as `systemctl show` names it.
  [[nodiscard]] std::string property(const std::string& name);
  [[nodiscard]] uint64_t number(const std::string& name) { return std::stoull(property(name)); }
  [[nodiscard]] pid_t main_pid() { return static_cast<pid_t>(number("MainPID")); }
  // Another main process than this one, and READY.
  [[nodiscard]] bool is_back_after(pid_t main_pid);
  [[nodiscard]] bool says_status(const std::string& text);

  struct Arena {
    pid_t pid = 0;
    uint64_t frame = 0, epoch = 0, restarts = 0;
  };
  [[nodiscard]] Arena arena(const std::string& name = "duel");

 private:
  PrivateFolder folder_;
};

// Started, with an empty database and one arena of the echo game, `duel`, that ticks; ended with the object, whatever has become of it.
class Service : public Unit {
 public:
  // drop_in: what stands in its [Service] section. sections: of arenad.toml, beside the game.
  explicit Service(const std::string& drop_in = "", const std::string& sections = "");
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;
  ~Service();

  static void configure(const std::string& sections);
  // The unit's lines in the journal since this object was made.
  [[nodiscard]] std::string log();
  // Sooner or later.
  [[nodiscard]] bool logs(const std::string& text);
  // Those of them that say of themselves that they are errors.
  [[nodiscard]] std::string errors();
  // Entries with these fields, of whatever time, as JSON, a line each. With a cursor journalctl 252 leaves out the first one that fits.
  [[nodiscard]] std::string entries(const std::string& field);

 private:
  std::string cursor_;
};

}  // namespace arenad::test
