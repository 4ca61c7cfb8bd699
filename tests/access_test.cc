// Who may ask arenad for what: each right with each way to have it, and what each request needs.
#include "supervisor/access.h"

#include <set>
#include <string>

#include <capnp/dynamic.h>
#include <capnp/message.h>
#include <capnp/schema.h>
#include <doctest/doctest.h>

#include "supervisor/request_kind.h"

namespace {

using namespace arenad;

constexpr uid_t kArenad = 990;

Peer peer(uid_t uid, gid_t gid, std::vector<gid_t> groups = {}) {
  return {.pid = 1, .uid = uid, .gid = gid, .groups = std::move(groups)};
}

std::string rights_of(const Access& access, const Peer& caller) {
  std::string text;
  for (const Right right : {Right::read, Right::operate, Right::administer}) {
    if (access.allows(caller, right)) text += std::string(text.empty() ? "" : " ") + to_string(right);
  }
  return text;
}

// The names of the requests in the schema that need this right.
std::set<std::string> requests_with(Right right) {
  std::set<std::string> found;
  const auto schema = capnp::Schema::from<wire::Request>();
  for (const auto field : schema.getUnionFields()) {
    capnp::MallocMessageBuilder message;
    auto request = message.initRoot<wire::Request>();
    capnp::DynamicStruct::Builder dynamic = capnp::toDynamic(request);
    if (field.getType().isVoid()) {
      dynamic.set(field, capnp::VOID);
    } else {
      dynamic.clear(field);
    }
    if (right_for(request.asReader()) == right) found.insert(field.getProto().getName().cStr());
  }
  return found;
}

}  // namespace

TEST_CASE("access: who has it by user, by group, by another group, or because of who they are") {
  const Access access(kArenad, {.users = {1001}, .groups = {2001}}, {.users = {1002}, .groups = {2002}},
                      {.users = {1003}, .groups = {2003}});
  const std::string all = "read operate administer";
  CHECK(rights_of(access, peer(0, 0)) == all);
  CHECK(rights_of(access, peer(kArenad, 5)) == all);
  CHECK(rights_of(access, peer(1001, 5)) == "read");
  CHECK(rights_of(access, peer(1002, 5)) == "read operate");
  CHECK(rights_of(access, peer(1003, 5)) == all);
  CHECK(rights_of(access, peer(7, 2001)) == "read");
  CHECK(rights_of(access, peer(7, 2002)) == "read operate");
  CHECK(rights_of(access, peer(7, 2003)) == all);
  CHECK(rights_of(access, peer(7, 5, {6, 2002})) == "read operate");
  CHECK(rights_of(access, peer(7, 5, {6})) == "");
  // Numbers of users are no numbers of groups.
  CHECK(rights_of(access, peer(2003, 1003, {1002})) == "");
  // Whom the kernel does not tell.
  CHECK(rights_of(access, peer(static_cast<uid_t>(-1), static_cast<gid_t>(-1))) == "");
}

TEST_CASE("access: a refusal says which right is missing, and how it is given") {
  const Access access(kArenad, {.users = {1001}, .groups = {}}, {}, {});
  CHECK(access.check(peer(1001, 5), Right::read, "status").ok());
  const auto refused = access.check(peer(1001, 5), Right::operate, "stop");
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::refused);
  CHECK(refused.error().message ==
        "stop needs the right to operate, which user 1001 does not have: access.operate_users and access.operate_groups in "
        "arenad's configuration give it");
}

TEST_CASE("access: names and numbers are looked up, and what nobody has gives nobody a right") {
  CHECK(find_user("root") == 0);
  CHECK(find_group("root") == 0);
  CHECK(find_user("1234") == 1234);
  CHECK(find_group("1234") == 1234);
  CHECK_FALSE(find_user("no such user").has_value());
  CHECK_FALSE(find_group("no such group").has_value());
  CHECK_FALSE(find_user("").has_value());
  CHECK_FALSE(find_user("4294967295").has_value());
  AccessConfig config;
  config.operate_users = {"no such user", "1234"};
  config.read_groups = {"4321"};
  const Access access = Access::of(config);
  CHECK(rights_of(access, peer(1234, 5)) == "read operate");
  CHECK(rights_of(access, peer(7, 4321)) == "read");
  CHECK(rights_of(access, peer(static_cast<uid_t>(-1), 5)) == "");
}

TEST_CASE("access: what each request needs") {
  CHECK(requests_with(Right::read) == std::set<std::string>{"version", "status", "export", "gameState", "detach", "results",
                                                            "crashes", "crash", "quarantine", "quarantined", "rollouts",
                                                            "versions", "history", "logs", "events", "slow", "resultPage",
                                                            "resultTypes"});
  CHECK(requests_with(Right::operate) == std::set<std::string>{"attach", "start", "restart", "stop", "drain", "quarantineRetry",
                                                               "quarantineDrop", "rollback", "rolloutOrder", "pin", "undrain",
                                                               "resetFailed", "signal", "snapshot", "tell"});
  CHECK(requests_with(Right::administer) == std::set<std::string>{"reload", "reloadConfig", "upgrade", "shutdown"});
  capnp::MallocMessageBuilder message;
  auto request = message.initRoot<wire::Request>();
  request.initAttach().setObserver(true);
  CHECK(right_for(request.asReader()) == Right::read);
}

TEST_CASE("access: whatever changes something needs more than to read") {
  const std::set<std::string> read = requests_with(Right::read);
  const auto schema = capnp::Schema::from<wire::Request>();
  for (const auto field : schema.getUnionFields()) {
    capnp::MallocMessageBuilder message;
    auto request = message.initRoot<wire::Request>();
    capnp::DynamicStruct::Builder dynamic = capnp::toDynamic(request);
    if (field.getType().isVoid()) {
      dynamic.set(field, capnp::VOID);
    } else {
      dynamic.clear(field);
    }
    CAPTURE(field.getProto().getName().cStr());
    const RequestKind kind = kind_of(request.asReader());
    CHECK(std::string(kind.verb) != "unknown");
    if (kind.effect == RequestEffect::changes) CHECK_FALSE(read.contains(field.getProto().getName().cStr()));
  }
}
