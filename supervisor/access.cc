#include "supervisor/access.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisor/log.h"

namespace arenad {
namespace {

template <class Id>
std::optional<Id> number_of(const std::string& text) {
  Id id{};
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, id);
  // The highest one means nobody (chown(2)).
  if (error != std::errc{} || at != end || id == static_cast<Id>(-1)) return std::nullopt;
  return id;
}

Access::Holders holders_of(const std::vector<std::string>& users, const std::vector<std::string>& groups) {
  Access::Holders holders;
  for (const std::string& text : users) {
    if (const auto user = find_user(text)) holders.users.push_back(*user);
  }
  for (const std::string& text : groups) {
    if (const auto group = find_group(text)) holders.groups.push_back(*group);
  }
  return holders;
}

bool includes(const Access::Holders& holders, const Peer& caller) {
  const auto is_in = [&](gid_t group) { return std::ranges::find(holders.groups, group) != holders.groups.end(); };
  return std::ranges::find(holders.users, caller.uid) != holders.users.end() || is_in(caller.gid) ||
         std::ranges::any_of(caller.groups, is_in);
}

}  // namespace

const char* to_string(Right right) {
  switch (right) {
    case Right::read:
      return "read";
    case Right::operate:
      return "operate";
    case Right::administer:
      return "administer";
  }
  return "?";
}

Right right_for(wire::Request::Reader request) {
  switch (request.which()) {
    case wire::Request::VERSION:
    case wire::Request::STATUS:
    case wire::Request::EXPORT:
    case wire::Request::GAME_STATE:
    case wire::Request::DETACH:
    case wire::Request::RESULTS:
    case wire::Request::RESULT_PAGE:
    case wire::Request::RESULT_TYPES:
    case wire::Request::CRASHES:
    case wire::Request::CRASH:
    case wire::Request::QUARANTINE:
    case wire::Request::QUARANTINED:
    case wire::Request::ROLLOUTS:
    case wire::Request::VERSIONS:
    case wire::Request::HISTORY:
    case wire::Request::LOGS:
    case wire::Request::EVENTS:
    case wire::Request::SLOW:
      return Right::read;
    case wire::Request::ATTACH:
      return request.getAttach().getObserver() ? Right::read : Right::operate;
    case wire::Request::START:
    case wire::Request::RESTART:
    case wire::Request::STOP:
    case wire::Request::DRAIN:
    case wire::Request::QUARANTINE_RETRY:
    case wire::Request::QUARANTINE_DROP:
    case wire::Request::ROLLBACK:
    case wire::Request::ROLLOUT_ORDER:
    case wire::Request::PIN:
    case wire::Request::UNDRAIN:
    case wire::Request::RESET_FAILED:
    case wire::Request::SIGNAL:
    case wire::Request::SNAPSHOT:
    case wire::Request::TELL:
      return Right::operate;
    case wire::Request::RELOAD:
    case wire::Request::RELOAD_CONFIG:
    case wire::Request::UPGRADE:
    case wire::Request::SHUTDOWN:
      return Right::administer;
  }
  return Right::read;  // of a later protocol: it is refused whoever asks
}

Access Access::of(const AccessConfig& config) {
  Access::Holders readers = holders_of(config.read_users, config.read_groups);
  // root's own group is no service's: being in it says nothing.
  if (::getegid() != 0) readers.groups.push_back(::getegid());
  return {::geteuid(), std::move(readers), holders_of(config.operate_users, config.operate_groups),
          holders_of(config.administer_users, config.administer_groups)};
}

bool Access::allows(const Peer& caller, Right right) const {
  if (caller.uid == 0 || caller.uid == own_) return true;
  // Who has a higher right has the lower ones.
  return std::any_of(holders_ + static_cast<size_t>(right), std::end(holders_),
                     [&](const Holders& holders) { return includes(holders, caller); });
}

Result<void> Access::check(const Peer& caller, Right right, const char* verb) const {
  if (allows(caller, right)) return {};
  const std::string name = to_string(right);
  return make_error(ErrorCode::refused, std::string(verb) + " needs the right to " + name + ", which user " +
                                            std::to_string(caller.uid) + " does not have: access." + name +
                                            "_users and access." + name + "_groups in arenad's configuration give it");
}

std::optional<uid_t> find_user(const std::string& text) {
  if (const auto number = number_of<uid_t>(text)) return number;
  const passwd* user = ::getpwnam(text.c_str());
  return user == nullptr ? std::nullopt : std::optional(user->pw_uid);
}

std::optional<gid_t> find_group(const std::string& text) {
  if (const auto number = number_of<gid_t>(text)) return number;
  const group* found = ::getgrnam(text.c_str());
  return found == nullptr ? std::nullopt : std::optional(found->gr_gid);
}

void give_to_group(const std::string& socket, gid_t group) {
  // Not asked for if it is so already: services are often forbidden chown(2).
  struct stat status {};
  if (::stat(socket.c_str(), &status) == 0 && status.st_gid == group) return;
  if (::chown(socket.c_str(), static_cast<uid_t>(-1), group) == 0) return;
  log_error("msg=\"{} cannot be given to group {}: {}; arenad must be a member of it\"", socket, group, std::strerror(errno));
}

}  // namespace arenad
