#include "cli/session.h"

#include <cerrno>
#include <filesystem>
#include <fmt/format.h>

#include <kj/exception.h>

#include "cli/interrupt.h"
#include "cli/json.h"
#include "cli/quantity.h"
#include "ipc/control_client.h"
#include "ipc/printable.h"

namespace arenad::cli {
namespace {

bool is_socket(const std::string& path) {
  std::error_code error;
  return std::filesystem::is_socket(path, error);
}

std::string_view what_to_do(int connect_errno, const std::string& path) {
  switch (connect_errno) {
    case ENOENT:
      return "start it (arenad --config FILE, or arena-keeper -- arenad --config FILE), or name its socket with --socket or "
             "ARENAD_SOCKET";
    case ECONNREFUSED:
      if (!is_socket(path)) return "this is no socket: name arenad's with --socket or ARENAD_SOCKET";
      return "the socket is there but nobody listens: arenad has died, or is starting; it logs to its standard error";
    case EACCES:
    case EPERM:
      return "you may not use this socket: be root, or in the group that owns it";
    default:
      return "see what arenad has logged to its standard error, or name another socket with --socket or ARENAD_SOCKET";
  }
}

// The message of a connection that failed names the path already.
Error explained_connect(Error error, const std::string& path) {
  if (error.code != ErrorCode::unreachable) return error;
  error.message = fmt::format("{}; {}", error.text(), what_to_do(error.errno_value, path));
  error.errno_value = 0;
  return error;
}

// A change whose reply is missing may have been made all the same.
std::string_view doubt(Effect effect) {
  switch (effect) {
    case Effect::none:
      return "";
    case Effect::changes_arenas:
      return "; what was asked may have happened, or may still: see arenactl status";
    case Effect::begins_rollout:
      return "; the rollout may have begun, or may still: see arenactl rollout status";
    case Effect::changes_rollout:
      return "; what was asked may have happened, or may still: see arenactl rollout status";
    case Effect::changes_configuration:
      return "; it may have been taken over, or may still be: arenactl reload-config --dry-run shows what differs";
  }
  return "";
}

Error explained_call(Error error, const Session& session, const Question& question, uint64_t timeout_ms) {
  std::string where;
  if (error.code == ErrorCode::timeout) {
    where = fmt::format(" ({}, waited {}; --timeout waits longer)", session.socket_path,
                        duration_text(static_cast<double>(timeout_ms) * 1000));
  } else if (error.code == ErrorCode::unreachable) {
    where = fmt::format(" ({})", session.socket_path);
  } else {
    if (error.code == ErrorCode::unknown_arena) error.message += question.if_unknown;
    return error;
  }
  error.message = error.text() + where + std::string(doubt(question.effect));
  error.errno_value = 0;
  return error;
}

Error not_understood(std::string_view why) {
  return make_error(ErrorCode::failed,
                    fmt::format("arenad's reply cannot be understood ({}); compare the versions with arenactl version", why));
}

Result<std::optional<ControlIncoming>> wait_for_answer(ControlClient& client, const Question& question, uint64_t timeout_ms) {
  auto answer = client.call(question.fill, question.fds, timeout_ms);
  if (!answer) return answer.error();
  return std::optional<ControlIncoming>(std::move(*answer));
}

// Who has asked for a change learns what Ctrl-C leaves behind; who only reads just ends.
class PatientClient {
 public:
  PatientClient(ControlClient& client, const Question& question) : client_(client), meanwhile_(question.meanwhile) {
    if (question.effect != Effect::none) interrupt_.emplace();
    if (!interrupt_ && !meanwhile_) return;
    client_.while_waiting({interrupt_ ? interrupt_->fd() : -1, kLookMs, [this] { return look(); }});
  }
  ~PatientClient() { client_.while_waiting({}); }
  PatientClient(const PatientClient&) = delete;
  PatientClient& operator=(const PatientClient&) = delete;

  [[nodiscard]] bool was_interrupted() const { return was_interrupted_; }

 private:
  static constexpr uint64_t kLookMs = 250;

  Result<void> look() {
    was_interrupted_ = interrupt_ && interrupt_->wait(0);
    if (was_interrupted_) return make_error(ErrorCode::timeout, "interrupted");
    if (meanwhile_) meanwhile_();
    return {};
  }

  ControlClient& client_;
  const std::function<void()>& meanwhile_;
  std::optional<Interrupt> interrupt_;
  bool was_interrupted_ = false;
};

// Replies are read lazily, so bytes that are not what the schema says may show at any field: the library's exceptions end here.
Result<ExitCode> converse(ControlClient& client, const Session& session, const Question& question) {
  const uint64_t timeout_ms = session.timeout_ms.value_or(question.default_timeout_ms);
  try {
    bool was_interrupted = false;
    // Only while it is waited for: a Ctrl-C that comes after the answer is for whoever waits on.
    auto answer = [&] {
      const PatientClient patient(client, question);
      auto answered = question.begun ? client.begin(question.fill, question.fds, timeout_ms)
                                     : wait_for_answer(client, question, timeout_ms);
      was_interrupted = patient.was_interrupted();
      return answered;
    }();
    if (!answer && was_interrupted) {
      return make_error(ErrorCode::timeout, answer.error().message + std::string(doubt(question.effect)));
    }
    if (!answer) return explained_call(answer.error(), session, question, timeout_ms);
    if (!*answer) {
      question.begun();
      return ExitCode::ok;
    }
    ControlIncoming& incoming = **answer;
    const auto reply = incoming.root().getReply();
    if (reply.which() != question.expected) return not_understood("it answers another question");
    return question.read(reply, incoming.fds);
  } catch (const kj::Exception& exception) {
    return not_understood(exception.getDescription().cStr());
  }
}

}  // namespace

ExitCode Session::fail(const Error& error) const {
  if (format == Format::json) console.data(error_json(error));
  console.error(printable(error.text()));
  return exit_code_of(error.code);
}

Result<ExitCode> try_ask(const Session& session, const Question& question) {
  auto client = ControlClient::connect(session.socket_path);
  if (!client) return explained_connect(client.error(), session.socket_path);
  return converse(*client, session, question);
}

ExitCode ask(const Session& session, const Question& question) {
  const auto code = try_ask(session, question);
  return code ? code.value() : session.fail(code.error());
}

}  // namespace arenad::cli
