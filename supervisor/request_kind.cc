#include "supervisor/request_kind.h"

#include <utility>

#include "arenad/result.h"
#include "ipc/text.h"

namespace arenad {
namespace {

using enum RequestEffect;

// Nobody reads more than this of it, however much was asked for.
constexpr size_t kEnoughBytes = 4096;

std::string joined(std::string text, const std::string& more) {
  if (text.size() >= kEnoughBytes) return text;
  if (!text.empty() && !more.empty()) text += ' ';
  return std::move(text.append(more, 0, kEnoughBytes));
}

std::string arenas_of(wire::Selection::Reader selection) {
  if (selection.getAll()) return "all";
  std::string text;
  for (const auto arena : selection.getArenas()) text = joined(std::move(text), text_of(arena));
  return text;
}

std::string numbers_of(capnp::List<uint64_t>::Reader numbers) {
  std::string text;
  for (const uint64_t number : numbers) text = joined(std::move(text), std::to_string(number));
  return text;
}

std::string rollout_of(wire::Reload::Reader reload) {
  std::string text = text_of(reload.getGame());
  if (reload.getFile().size() != 0) text += " from " + text_of(reload.getFile());
  if (reload.getRuntime().size() != 0) text += " with runtime " + text_of(reload.getRuntime());
  if (reload.getInstalledRuntime()) text += " with the installed runtime";
  for (const auto arena : reload.getArenas()) text = joined(std::move(text), text_of(arena));
  return text;
}

const char* verb_of(wire::RolloutOrder::Order order) {
  switch (order) {
    case wire::RolloutOrder::Order::PAUSE:
      return "rollout pause";
    case wire::RolloutOrder::Order::RESUME:
      return "rollout resume";
    case wire::RolloutOrder::Order::ABORT:
      return "rollout abort";
  }
  return "rollout";
}

// What is only tried changes nothing.
RequestEffect unless(bool dry_run) {
  return dry_run ? reads : changes;
}

}  // namespace

RequestKind kind_of(wire::Request::Reader request) {
  switch (request.which()) {
    case wire::Request::VERSION:
      return {"version", reads};
    case wire::Request::START:
      return {"start", changes};
    case wire::Request::STATUS:
      return {"status", reads};
    case wire::Request::RESTART:
      return {"restart", changes};
    case wire::Request::STOP:
      return {"stop", changes};
    case wire::Request::DRAIN:
      return {"drain", changes};
    case wire::Request::EXPORT:
      return {"export", reads};
    case wire::Request::GAME_STATE:
      return {"state", reads};
    case wire::Request::ATTACH:
      return {"attach", reads};
    case wire::Request::DETACH:
      return {"detach", reads};
    case wire::Request::RESULTS:
    case wire::Request::RESULT_PAGE:
    case wire::Request::RESULT_TYPES:
      return {"results", reads};
    case wire::Request::CRASHES:
    case wire::Request::CRASH:
      return {"crashes", reads};
    case wire::Request::QUARANTINE:
    case wire::Request::QUARANTINED:
      return {"quarantine", reads};
    case wire::Request::QUARANTINE_RETRY:
      return {"quarantine retry", changes};
    case wire::Request::QUARANTINE_DROP:
      return {"quarantine drop", changes};
    case wire::Request::RELOAD:
      return {"reload", unless(request.getReload().getDryRun())};
    case wire::Request::ROLLBACK:
      return {"rollback", unless(request.getRollback().getDryRun())};
    case wire::Request::ROLLOUTS:
      return {"rollout status", reads};
    case wire::Request::ROLLOUT_ORDER:
      return {verb_of(request.getRolloutOrder().getOrder()), changes};
    case wire::Request::PIN:
      return {request.getPin().getVersion().size() == 0 ? "unpin" : "pin", changes};
    case wire::Request::VERSIONS:
      return {"versions", reads};
    case wire::Request::RELOAD_CONFIG:
      return {"reload-config", unless(request.getReloadConfig().getDryRun())};
    case wire::Request::UPGRADE:
      return {"upgrade", unless(request.getUpgrade().getDryRun())};
    case wire::Request::UNDRAIN:
      return {"undrain", changes};
    case wire::Request::RESET_FAILED:
      return {"reset-failed", changes};
    case wire::Request::SIGNAL:
      return {"kill", changes};
    case wire::Request::SNAPSHOT:
      return {"snapshot", changes};
    case wire::Request::TELL:
      return {"tell", changes};
    case wire::Request::SHUTDOWN:
      return {"shutdown", changes};
    case wire::Request::HISTORY:
      return {"history", reads};
    case wire::Request::LOGS:
      return {"logs", reads};
    case wire::Request::EVENTS:
      return {"events", reads};
    case wire::Request::SLOW:
      return {"slow", reads};
  }
  return {"unknown", reads};
}

std::string subject_of(wire::Request::Reader request) {
  switch (request.which()) {
    case wire::Request::VERSION:
    case wire::Request::DETACH:
    case wire::Request::RELOAD_CONFIG:
    case wire::Request::SHUTDOWN:
    case wire::Request::HISTORY:
      return {};
    case wire::Request::START:
      return joined(text_of(request.getStart().getGame()), text_of(request.getStart().getName()));
    case wire::Request::LOGS:
      return arenas_of(request.getLogs().getSelection());
    case wire::Request::EVENTS:
      return arenas_of(request.getEvents().getSelection());
    case wire::Request::SLOW:
      return joined(text_of(request.getSlow().getGame()), text_of(request.getSlow().getArena()));
    case wire::Request::STATUS:
      return arenas_of(request.getStatus());
    case wire::Request::RESTART:
      return arenas_of(request.getRestart());
    case wire::Request::STOP:
      return arenas_of(request.getStop());
    case wire::Request::DRAIN:
      return arenas_of(request.getDrain().getSelection());
    case wire::Request::EXPORT:
      return text_of(request.getExport());
    case wire::Request::GAME_STATE:
      return text_of(request.getGameState());
    case wire::Request::ATTACH:
      return joined(text_of(request.getAttach().getArena()), text_of(request.getAttach().getPlayer()));
    case wire::Request::RESULTS:
      return text_of(request.getResults());
    case wire::Request::RESULT_PAGE:
      return joined(text_of(request.getResultPage().getArena()), text_of(request.getResultPage().getGame()));
    case wire::Request::RESULT_TYPES:
      return std::to_string(request.getResultTypes());
    case wire::Request::CRASHES:
      return arenas_of(request.getCrashes().getSelection());
    case wire::Request::CRASH:
      return std::to_string(request.getCrash());
    case wire::Request::QUARANTINE:
      return arenas_of(request.getQuarantine());
    case wire::Request::QUARANTINED:
      return std::to_string(request.getQuarantined());
    case wire::Request::QUARANTINE_RETRY:
      return numbers_of(request.getQuarantineRetry());
    case wire::Request::QUARANTINE_DROP:
      return numbers_of(request.getQuarantineDrop());
    case wire::Request::RELOAD:
      return rollout_of(request.getReload());
    case wire::Request::ROLLBACK:
      return rollout_of(request.getRollback());
    case wire::Request::ROLLOUTS:
      return text_of(request.getRollouts());
    case wire::Request::ROLLOUT_ORDER:
      return text_of(request.getRolloutOrder().getGame());
    case wire::Request::PIN:
      return joined(arenas_of(request.getPin().getSelection()), text_of(request.getPin().getVersion()));
    case wire::Request::VERSIONS:
      return text_of(request.getVersions());
    case wire::Request::UPGRADE:
      return text_of(request.getUpgrade().getProgram());
    case wire::Request::UNDRAIN:
      return arenas_of(request.getUndrain());
    case wire::Request::RESET_FAILED:
      return arenas_of(request.getResetFailed());
    case wire::Request::SIGNAL:
      return joined(arenas_of(request.getSignal().getSelection()), "signal " + std::to_string(request.getSignal().getNumber()));
    case wire::Request::SNAPSHOT:
      return arenas_of(request.getSnapshot());
    case wire::Request::TELL:
      return joined(arenas_of(request.getTell().getSelection()), text_of(request.getTell().getName()));
  }
  return {};
}

}  // namespace arenad
