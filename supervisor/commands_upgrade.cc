// The request for an upgrade of arenad, and how requests that wait go over it: the program that takes over answers them.
#include "ipc/clock.h"
#include "ipc/control_client.h"
#include "ipc/text.h"
#include "supervisor/commands.h"
#include "supervisor/log.h"
#include "supervisor/version.h"

namespace arenad {
namespace {

using Kind = wire::WaitingRequest::Kind;

void write_request(RequestId from, wire::RequestRef::Builder to) {
  to.setConnection(from.connection);
  to.setRequest(from.request);
}

RequestId request_of(wire::RequestRef::Reader from) {
  return {from.getConnection(), from.getRequest()};
}

Result<std::string> result_of(wire::Item::Reader item) {
  if (item.isOk()) return text_of(item.getOk());
  return make_error(error_code_of(item.getError().getCode()), text_of(item.getError().getMessage()));
}

}  // namespace

void Commands::upgrade(RequestId from, wire::Upgrade::Reader upgrade) {
  if (upgrading_) return scope_.server.fail(from, make_error(ErrorCode::refused, "another upgrade is going on"));
  upgrading_ = from;
  const bool only_ask = upgrade.getDryRun();
  scope_.upgrade.begin({text_of(upgrade.getProgram()), upgrade.getTimeoutMs(), only_ask},
                       [this, from](Result<Upgrade::Asked> asked) {
                         upgrading_.reset();
                         if (!asked) return scope_.server.fail(from, asked.error());
                         scope_.server.reply(from, [&](wire::Reply::Builder reply) {
                           auto to = reply.initUpgraded();
                           to.setFromVersion(kVersion);
                           to.setToVersion(asked->version);
                           to.setProgram(asked->program);
                         });
                       });
}

size_t Commands::must_be_answered() const {
  size_t go_over = upgrading_ && scope_.server.is_connected(upgrading_->connection) ? 1 : 0;
  for (const auto& weak : waiting_) {
    const auto one = weak.lock();
    if (one && one->missing != 0 && scope_.server.is_connected(one->from.connection)) ++go_over;
  }
  return scope_.server.unanswered() - go_over;
}

void Commands::hand_on(wire::ControlState::Builder to) const {
  to.setNextAttachment(next_attachment_);
  to.setDraining(draining_);
  if (upgrading_) write_request(*upgrading_, to.initUpgrade());
  trail_.hand_on(to);
  std::vector<std::shared_ptr<Collected>> waiting;
  for (const auto& weak : waiting_) {
    if (auto one = weak.lock(); one && one->missing != 0) waiting.push_back(std::move(one));
  }
  auto requests = to.initWaiting(static_cast<uint>(waiting.size()));
  for (uint i = 0; i < requests.size(); ++i) {
    const Collected& collected = *waiting[i];
    write_request(collected.from, requests[i].initFrom());
    requests[i].setKind(*collected.kind);
    write_outcomes(collected, requests[i].initSettled(static_cast<uint>(collected.outcomes.size())));
    auto awaited = requests[i].initAwaited(static_cast<uint>(collected.awaited.size()));
    uint next = 0;
    for (const auto& [arena, epoch] : collected.awaited) {
      write_arena_id(arena, awaited[next].initArena());
      awaited[next++].setEpoch(epoch);
    }
  }
}

void Commands::take_on(wire::UpgradeState::Reader from) {
  const auto control = from.getControl();
  next_attachment_ = control.getNextAttachment();
  draining_ = control.getDraining();
  trail_.take_on(control);
  for (const auto arena : from.getArenas()) {
    for (const auto one : arena.getAttachments()) {
      attachments_[one.getAttachment()] = {one.getConnection(), arena_id(arena.getArena())};
    }
  }
  for (const auto request : control.getWaiting()) take_on_waiting(request);
  if (!control.hasUpgrade()) return;  // a signal has asked for it
  const RequestId asked = request_of(control.getUpgrade());
  scope_.server.was_asked(asked);
  scope_.server.reply(asked, [&](wire::Reply::Builder reply) {
    auto to = reply.initUpgraded();
    to.setFromVersion(from.getProgram());
    to.setToVersion(kVersion);
    to.setProgram(scope_.upgrade.own_program());
    to.setArenas(from.getArenas().size());
    to.setHeldMs(static_cast<double>(monotonic_ns() - from.getHeldNs()) / 1e6);
  });
}

void Commands::take_on_waiting(wire::WaitingRequest::Reader request) {
  const auto awaited = request.getAwaited();
  auto collected =
      std::make_shared<Collected>(Collected{request_of(request.getFrom()), {}, awaited.size(), request.getKind(), {}});
  scope_.server.was_asked(collected->from);
  for (const auto item : request.getSettled()) {
    collected->outcomes.push_back(
        {ArenaId::parse(text_of(item.getId())).value_or(ArenaId{}), text_of(item.getName()), result_of(item)});
  }
  waiting_.push_back(collected);
  for (const auto one : awaited) {
    const ArenaId id = arena_id(one.getArena());
    Arena* arena = scope_.roster.find(id);
    if (arena == nullptr) {
      add_outcome(collected, {id, id.text(), make_error(ErrorCode::unknown_arena, "no arena " + id.text())});
    } else if (*collected->kind == Kind::RESTART) {
      await_restart(collected, *arena, one.getEpoch());
    } else {
      await_put_down(collected, *arena);
    }
  }
}

}  // namespace arenad
