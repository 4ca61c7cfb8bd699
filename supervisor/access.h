// Who may ask arenad for what ([access] of the configuration). Three rights, each of which includes those before it:
//
//   read        see everything: arenas, crashes, results, recordings, the history; watch a match
//   operate     play in matches; start, stop and handle arenas; quarantine; rollouts of code that is here already
//   administer  bring other code, which then runs as arenad's user; the configuration; the upgrade and the end of arenad
//
// The caller is who the kernel says it is (SO_PEERCRED, SO_PEERGROUPS), as of when the connection was made. root, and the user as whom
// arenad runs, may everything; members of arenad's own group may read, unless that is root's; whoever else is in no list may nothing. The socket's mode and group say who comes so far as to be asked.
#pragma once

#include <optional>
#include <string>
#include <sys/types.h>
#include <utility>
#include <vector>

#include "arenad/result.h"
#include "ipc/control.capnp.h"
#include "ipc/socket.h"
#include "supervisor/config.h"

namespace arenad {

enum class Right { read, operate, administer };
const char* to_string(Right right);

// May throw kj::Exception on a message that lies about itself.
Right right_for(wire::Request::Reader request);

class Access {
 public:
  struct Holders {
    std::vector<uid_t> users;
    std::vector<gid_t> groups;
  };
  // own: as whom arenad runs.
  Access(uid_t own, Holders read, Holders operate, Holders administer)
      : own_(own), holders_{std::move(read), std::move(operate), std::move(administer)} {}
  // Looks names up now. Of a name that nobody has nobody gets a right.
  static Access of(const AccessConfig& config);

  [[nodiscard]] bool allows(const Peer& caller, Right right) const;
  // ErrorCode::refused, which says what is missing.
  [[nodiscard]] Result<void> check(const Peer& caller, Right right, const char* verb) const;

 private:
  uid_t own_;
  Holders holders_[3];  // by Right
};

// A name or a number. Nothing if this machine knows no such user or group.
std::optional<uid_t> find_user(const std::string& text);
std::optional<gid_t> find_group(const std::string& text);

// A socket. If that is not possible, it says so and leaves it as it is.
void give_to_group(const std::string& socket, gid_t group);

}  // namespace arenad
