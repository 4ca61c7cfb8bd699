#include "ipc/request_limits.h"

#include <string>
#include <string_view>

#include "ipc/limits.h"

namespace arenad {
namespace {

std::string_view view_of(capnp::Text::Reader text) {
  return {text.begin(), text.size()};
}

Result<void> check_count(size_t given, size_t most, const std::string& what) {
  if (given <= most) return {};
  return make_error(ErrorCode::invalid, std::to_string(given) + " " + what + " were given, and a request takes no more than " +
                                            std::to_string(most));
}

Result<void> check_texts(capnp::List<capnp::Text>::Reader texts, const std::string& what) {
  if (auto checked = check_count(texts.size(), limits::kMaxSelected, what); !checked) return checked;
  for (const auto text : texts) {
    if (text.size() <= limits::kMaxSelectorBytes) continue;
    return make_error(ErrorCode::invalid, "one of the " + what + " has " + std::to_string(text.size()) +
                                              " bytes, and there are none of more than " +
                                              std::to_string(limits::kMaxSelectorBytes));
  }
  return {};
}

Result<void> check_arenas(capnp::List<capnp::Text>::Reader arenas) {
  if (auto checked = check_texts(arenas, "arenas"); !checked) return checked;
  size_t patterns = 0;
  for (const auto arena : arenas) patterns += is_pattern(view_of(arena)) ? 1 : 0;
  return check_count(patterns, limits::kMaxPatterns, "globs and games");
}

Result<void> check_events(wire::EventQuery::Reader query) {
  if (auto checked = check_texts(query.getTypes(), "types"); !checked) return checked;
  return check_arenas(query.getSelection().getArenas());
}

Result<void> check_entries(capnp::List<uint64_t>::Reader entries) {
  return check_count(entries.size(), limits::kMaxSelected, "entries");
}

}  // namespace

bool is_pattern(std::string_view selector) {
  return selector.starts_with("game:") || selector.find_first_of("*?[") != std::string_view::npos;
}

Result<void> check_request(wire::Request::Reader request) {
  switch (request.which()) {
    case wire::Request::VERSION:
    case wire::Request::START:
    case wire::Request::EXPORT:
    case wire::Request::ATTACH:
    case wire::Request::DETACH:
    case wire::Request::RESULTS:
    case wire::Request::CRASH:
    case wire::Request::QUARANTINED:
    case wire::Request::ROLLOUTS:
    case wire::Request::ROLLOUT_ORDER:
    case wire::Request::VERSIONS:
    case wire::Request::RELOAD_CONFIG:
    case wire::Request::UPGRADE:
    case wire::Request::SHUTDOWN:
    case wire::Request::HISTORY:
    case wire::Request::SLOW:
    case wire::Request::RESULT_PAGE:
    case wire::Request::GAME_STATE:
    case wire::Request::RESULT_TYPES:
      return {};
    case wire::Request::STATUS:
      return check_arenas(request.getStatus().getArenas());
    case wire::Request::RESTART:
      return check_arenas(request.getRestart().getArenas());
    case wire::Request::STOP:
      return check_arenas(request.getStop().getArenas());
    case wire::Request::DRAIN:
      return check_arenas(request.getDrain().getSelection().getArenas());
    case wire::Request::CRASHES:
      return check_arenas(request.getCrashes().getSelection().getArenas());
    case wire::Request::QUARANTINE:
      return check_arenas(request.getQuarantine().getArenas());
    case wire::Request::QUARANTINE_RETRY:
      return check_entries(request.getQuarantineRetry());
    case wire::Request::QUARANTINE_DROP:
      return check_entries(request.getQuarantineDrop());
    case wire::Request::RELOAD:
      return check_arenas(request.getReload().getArenas());
    case wire::Request::ROLLBACK:
      return check_arenas(request.getRollback().getArenas());
    case wire::Request::PIN:
      return check_arenas(request.getPin().getSelection().getArenas());
    case wire::Request::UNDRAIN:
      return check_arenas(request.getUndrain().getArenas());
    case wire::Request::RESET_FAILED:
      return check_arenas(request.getResetFailed().getArenas());
    case wire::Request::SIGNAL:
      return check_arenas(request.getSignal().getSelection().getArenas());
    case wire::Request::SNAPSHOT:
      return check_arenas(request.getSnapshot().getArenas());
    case wire::Request::TELL:
      return check_arenas(request.getTell().getSelection().getArenas());
    case wire::Request::LOGS:
      return check_arenas(request.getLogs().getSelection().getArenas());
    case wire::Request::EVENTS:
      return check_events(request.getEvents());
  }
  return {};  // of a later protocol: it is refused whatever it asks for
}

}  // namespace arenad
