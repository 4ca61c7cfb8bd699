#include "supervisor/audit_trail.h"

#include "ipc/clock.h"
#include "ipc/control_client.h"
#include "ipc/text.h"
#include "supervisor/request_kind.h"

namespace arenad {
namespace {

constexpr size_t kMaxTextBytes = 500;
// Of requests whose answer never comes, because their message lied about itself.
constexpr size_t kMaxOpen = 10'000;
constexpr uint64_t kDeniedAgainNs = kSecond;
constexpr size_t kMaxDenied = 1000;  // users and verbs that are remembered

struct Outcome {
  std::string outcome;
  std::string detail;
};

std::string shortened(std::string text) {
  if (text.size() <= kMaxTextBytes) return text;
  text.resize(kMaxTextBytes - 3);
  return text + "...";
}

CommandRecord record_of(const Peer& caller, const RequestKind& kind, wire::Request::Reader request) {
  return {.id = 0,
          .at_unix_ms = static_cast<int64_t>(unix_ms()),
          .pid = static_cast<uint32_t>(caller.pid),
          .uid = caller.uid,
          .gid = caller.gid,
          .verb = kind.verb,
          .subject = shortened(subject_of(request)),
          .outcome = "open",
          .detail = ""};
}

Outcome outcome_of(wire::Failure::Reader failure) {
  return {to_string(error_code_of(failure.getCode())), text_of(failure.getMessage())};
}

std::string name_of(wire::Item::Reader item) {
  return text_of(item.getName().size() != 0 ? item.getName() : item.getId());
}

// The first failure stands for all of them.
Outcome outcome_of(capnp::List<wire::Item>::Reader items) {
  std::optional<Outcome> failed;
  size_t failures = 0;
  for (const auto item : items) {
    if (!item.isError()) continue;
    ++failures;
    if (failed) continue;
    failed = outcome_of(item.getError());
    failed->detail = name_of(item) + ": " + failed->detail;
  }
  if (failed) {
    const std::string all = std::to_string(failures) + " of " + std::to_string(items.size()) + " failed; ";
    return {failed->outcome, (items.size() == 1 ? "" : all) + failed->detail};
  }
  if (items.size() == 1) return {"done", name_of(items[0]) + ": " + text_of(items[0].getOk())};
  return {"done", std::to_string(items.size()) + " in all"};
}

Outcome outcome_of(wire::ConfigReloaded::Reader reloaded) {
  if (reloaded.getProblems().size() == 0) return {"done", std::to_string(reloaded.getChanges().size()) + " changes"};
  const auto problem = reloaded.getProblems()[0];
  return {to_string(error_code_of(reloaded.getRefusal())), text_of(problem.getKey()) + ": " + text_of(problem.getMessage())};
}

Outcome outcome_of(wire::Reply::Reader reply) {
  switch (reply.which()) {
    case wire::Reply::ERROR:
      return outcome_of(reply.getError());
    case wire::Reply::ITEMS:
      return outcome_of(reply.getItems());
    case wire::Reply::CONFIG_RELOADED:
      return outcome_of(reply.getConfigReloaded());
    case wire::Reply::STARTED:
      return {"done", text_of(reply.getStarted().getName()) + " (" + text_of(reply.getStarted().getId()) + ")"};
    case wire::Reply::ROLLOUT:
      return {"done", "rollout " + std::to_string(reply.getRollout().getId()) + " begun or changed, from " +
                          text_of(reply.getRollout().getFromVersion()) + " to " + text_of(reply.getRollout().getToVersion())};
    case wire::Reply::UPGRADED:
      return {"done",
              "from " + text_of(reply.getUpgraded().getFromVersion()) + " to " + text_of(reply.getUpgraded().getToVersion())};
    default:
      return {"done", ""};
  }
}

}  // namespace

std::string outcome_of_reply(wire::Reply::Reader reply) {
  return outcome_of(reply).outcome;
}

void AuditTrail::asked(RequestId from, const Peer& caller, wire::Request::Reader request) {
  const RequestKind kind = kind_of(request);
  if (kind.effect != RequestEffect::changes) return;
  CommandRecord command = record_of(caller, kind, request);
  command.id = numbers_.next_command();
  save(command);
  if (open_.size() >= kMaxOpen) open_.erase(open_.begin());
  open_.insert_or_assign({from.connection, from.request}, std::move(command));
}

void AuditTrail::denied(const Peer& caller, wire::Request::Reader request, const std::string& why, uint64_t now_ns) {
  const RequestKind kind = kind_of(request);
  if (denied_ns_.size() >= kMaxDenied)
    std::erase_if(denied_ns_, [&](const auto& one) { return now_ns - one.second >= kDeniedAgainNs; });
  const auto before = denied_ns_.find({caller.uid, kind.verb});
  if (before != denied_ns_.end() && now_ns - before->second < kDeniedAgainNs) return;
  if (before == denied_ns_.end() && denied_ns_.size() >= kMaxDenied) return;
  denied_ns_[{caller.uid, kind.verb}] = now_ns;
  CommandRecord command = record_of(caller, kind, request);
  command.id = numbers_.next_command();
  command.outcome = "denied";
  command.detail = shortened(why);
  save(command);
}

void AuditTrail::answered(RequestId to, wire::Reply::Reader reply) {
  const auto found = open_.find({to.connection, to.request});
  if (found == open_.end()) return;
  CommandRecord command = std::move(found->second);
  open_.erase(found);
  Outcome became = outcome_of(reply);
  command.outcome = std::move(became.outcome);
  command.detail = shortened(std::move(became.detail));
  save(command);
}

void AuditTrail::save(const CommandRecord& command) {
  StoreBatch batch;
  batch.commands.push_back(command);
  store_.submit(std::move(batch), [](const Result<void>&) {});
}

void AuditTrail::hand_on(wire::ControlState::Builder to) const {
  auto commands = to.initOpenCommands(static_cast<uint>(open_.size()));
  uint next = 0;
  for (const auto& [request, command] : open_) {
    auto one = commands[next++];
    one.initFrom().setConnection(request.first);
    one.getFrom().setRequest(request.second);
    describe_command(command, one.initCommand());
  }
}

void AuditTrail::take_on(wire::ControlState::Reader from) {
  for (const auto one : from.getOpenCommands()) {
    const auto command = one.getCommand();
    open_[{one.getFrom().getConnection(), one.getFrom().getRequest()}] = {.id = command.getId(),
                                                                          .at_unix_ms = command.getAtUnixMs(),
                                                                          .pid = command.getPid(),
                                                                          .uid = command.getUid(),
                                                                          .gid = command.getGid(),
                                                                          .verb = text_of(command.getVerb()),
                                                                          .subject = text_of(command.getSubject()),
                                                                          .outcome = text_of(command.getOutcome()),
                                                                          .detail = text_of(command.getDetail())};
  }
}

void describe_command(const CommandRecord& command, wire::HistoryEntry::Builder to) {
  to.setId(command.id);
  to.setAtUnixMs(command.at_unix_ms);
  to.setPid(command.pid);
  to.setUid(command.uid);
  to.setGid(command.gid);
  to.setVerb(command.verb);
  to.setSubject(command.subject);
  to.setOutcome(command.outcome);
  to.setDetail(command.detail);
}

}  // namespace arenad
