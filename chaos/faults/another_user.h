// A process of another user, at the sockets of arenad: it knows where they are, and has nothing but what their modes and arenad's own
// rules let it have.
#pragma once

#include <functional>
#include <string>
#include <sys/types.h>

#include "chaos/fault.h"

namespace arenad::chaos {

// As Fault::missing: the right to become another user.
std::string without_another_user(const Stage& stage);
// A number that no account needs to have, and another one for each strike.
uid_t another_user(const Strike& strike);
// Done by a process of that user and of no group but the one of the same number; gives what it gives, a complaint or nothing. Players
// play on meanwhile.
Result<std::string> as_another_user(Stage& stage, uid_t user, const std::function<std::string()>& work);
// A path by which this process, and what it forks, comes to a file whose folders it may not enter.
class WayTo {
 public:
  explicit WayTo(const std::string& file);
  ~WayTo();
  WayTo(const WayTo&) = delete;
  WayTo& operator=(const WayTo&) = delete;
  [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

}  // namespace arenad::chaos
