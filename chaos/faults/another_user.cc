#include "chaos/faults/another_user.h"

#include <array>
#include <fcntl.h>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "chaos/child_process.h"
#include "chaos/faults/patience.h"
#include "chaos/stage.h"

namespace arenad::chaos {
namespace {

constexpr uid_t kFirstUser = 20'000;
constexpr uid_t kUsers = 40'000;

bool become_another_user(uid_t user) {
  return ::setgroups(0, nullptr) == 0 && ::setresgid(user, user, user) == 0 && ::setresuid(user, user, user) == 0;
}

}  // namespace

uid_t another_user(const Strike& strike) {
  return kFirstUser + static_cast<uid_t>(strike.draw % kUsers);
}

std::string without_another_user(const Stage&) {
  const pid_t tries = ::fork();
  if (tries == 0) ::_exit(become_another_user(kFirstUser) ? 0 : 1);
  int status = 0;
  const bool may = tries > 0 && ::waitpid(tries, &status, 0) == tries && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  return may ? "" : "the right to become another user: run as root";
}

Result<std::string> as_another_user(Stage& stage, uid_t user, const std::function<std::string()>& work) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return errno_error("cannot make a pipe");
  const Fd hears(ends[0]);
  Fd tells(ends[1]);
  auto process = ChildProcess::fork_for([&] {
    std::string complaint = become_another_user(user) ? work() : "it cannot become another user";
    // The last byte says that it has come to its end.
    complaint += '\n';
    (void)!::write(tells.get(), complaint.data(), complaint.size());
  });
  if (!process) return process.error();
  tells.reset();
  std::string told;
  auto ended = wait_until(stage, "the end of a process of another user", [&] {
    std::array<char, 1024> bytes;
    const ssize_t got = ::read(hears.get(), bytes.data(), bytes.size());
    if (got > 0) told.append(bytes.data(), static_cast<size_t>(got));
    return got == 0;
  });
  if (!ended) return ended.error();
  if (!told.ends_with('\n')) return make_error(ErrorCode::failed, "a process of another user has died");
  told.pop_back();
  return told;
}

WayTo::WayTo(const std::string& file) : fd_(::open(file.c_str(), O_PATH | O_CLOEXEC)) {}

WayTo::~WayTo() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace arenad::chaos
