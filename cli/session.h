// What every command is given: where arenad is and how the person who asks wants to be answered.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "arenad/result.h"
#include "cli/console.h"
#include "cli/exit_code.h"
#include "ipc/control.capnp.h"
#include "ipc/fd.h"

namespace arenad::cli {

enum class Format { text, json };

constexpr uint64_t kDefaultTimeoutMs = 30'000;

struct Session {
  const Console& console;
  std::string socket_path;
  Format format = Format::text;
  std::optional<uint64_t> timeout_ms;  // if it was given

  // Reports an error, whose text may come from anywhere, on standard output too if JSON is wanted, and gives its exit code.
  [[nodiscard]] ExitCode fail(const Error& error) const;
};

enum class Effect { none, changes_arenas, begins_rollout, changes_rollout, changes_configuration };

// One request, and what is done with its reply.
struct Question {
  std::function<void(wire::Request::Builder)> fill;
  wire::Reply::Which expected;
  // Reads the reply, which is not valid afterwards, and the descriptors that came with it.
  std::function<Result<ExitCode>(wire::Reply::Reader, std::span<Fd>)> read;
  std::vector<int> fds;  // that go with the request
  Effect effect = Effect::none;
  std::string if_unknown;  // what to add when an arena is unknown: that a verb was perhaps meant
  uint64_t default_timeout_ms = kDefaultTimeoutMs;
  // Called now and then while the reply is waited for: to show how far it is.
  std::function<void()> meanwhile;
  // If it is there nobody waits for the reply: called instead of read() when arenad has taken the request up and has no reply yet.
  std::function<void()> begun;
};

// Connects, asks, and reads the reply. The error says what can be done.
Result<ExitCode> try_ask(const Session& session, const Question& question);
// The same; whatever goes wrong on the way is reported.
[[nodiscard]] ExitCode ask(const Session& session, const Question& question);

}  // namespace arenad::cli
