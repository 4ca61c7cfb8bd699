// How much a request may ask for at once.
#include "ipc/request_limits.h"

#include <functional>
#include <string>
#include <vector>

#include <capnp/message.h>
#include <doctest/doctest.h>

#include "ipc/limits.h"

using namespace arenad;

namespace {

using Fill = std::function<void(wire::Request::Builder)>;

// What is wrong with it; empty: nothing.
std::string wrong_with(const Fill& fill) {
  capnp::MallocMessageBuilder message;
  auto request = message.initRoot<wire::Request>();
  fill(request);
  const auto checked = check_request(request.asReader());
  if (checked) return {};
  CHECK(checked.error().code == ErrorCode::invalid);
  return checked.error().message;
}

void write(capnp::List<capnp::Text>::Builder list, const std::string& text) {
  for (unsigned i = 0; i < list.size(); ++i) list.set(i, text);
}

Fill status_of(size_t count, const std::string& arena) {
  return [=](wire::Request::Builder request) { write(request.initStatus().initArenas(static_cast<unsigned>(count)), arena); };
}

}  // namespace

TEST_CASE("so many names, of them so many that stand for several, and each so long") {
  CHECK(wrong_with(status_of(0, "")).empty());
  CHECK(wrong_with(status_of(limits::kMaxSelected, "duel")).empty());
  CHECK(wrong_with(status_of(limits::kMaxSelected + 1, "duel")) ==
        "1001 arenas were given, and a request takes no more than 1000");
  CHECK(wrong_with(status_of(limits::kMaxPatterns, "duel-*")).empty());
  for (const char* pattern : {"duel-*", "duel-?", "duel-[12]", "game:tanks"}) {
    CHECK(wrong_with(status_of(limits::kMaxPatterns + 1, pattern)) ==
          "101 globs and games were given, and a request takes no more than 100");
  }
  CHECK(wrong_with(status_of(1, std::string(limits::kMaxSelectorBytes, 'x'))).empty());
  CHECK(wrong_with(status_of(1, std::string(limits::kMaxSelectorBytes + 1, 'x'))) ==
        "one of the arenas has 257 bytes, and there are none of more than 256");
}

TEST_CASE("so it is with every request that takes several") {
  constexpr unsigned kTooMany = limits::kMaxSelected + 1;
  using Request = wire::Request::Builder;
  const std::vector<Fill> requests{[](Request request) { request.initRestart().initArenas(kTooMany); },
                                   [](Request request) { request.initStop().initArenas(kTooMany); },
                                   [](Request request) { request.initDrain().initSelection().initArenas(kTooMany); },
                                   [](Request request) { request.initCrashes().initSelection().initArenas(kTooMany); },
                                   [](Request request) { request.initQuarantine().initArenas(kTooMany); },
                                   [](Request request) { request.initQuarantineRetry(kTooMany); },
                                   [](Request request) { request.initQuarantineDrop(kTooMany); },
                                   [](Request request) { request.initReload().initArenas(kTooMany); },
                                   [](Request request) { request.initRollback().initArenas(kTooMany); },
                                   [](Request request) { request.initPin().initSelection().initArenas(kTooMany); },
                                   [](Request request) { request.initUndrain().initArenas(kTooMany); },
                                   [](Request request) { request.initResetFailed().initArenas(kTooMany); },
                                   [](Request request) { request.initSignal().initSelection().initArenas(kTooMany); },
                                   [](Request request) { request.initSnapshot().initArenas(kTooMany); },
                                   [](Request request) { request.initLogs().initSelection().initArenas(kTooMany); },
                                   [](Request request) { request.initEvents().initSelection().initArenas(kTooMany); },
                                   [](Request request) { request.initEvents().initTypes(kTooMany); }};
  for (size_t i = 0; i < requests.size(); ++i) {
    CAPTURE(i);
    CHECK(wrong_with(requests[i]).starts_with("1001 "));
  }
}
