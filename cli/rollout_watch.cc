#include "cli/rollout_watch.h"

#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <optional>

#include <capnp/message.h>

#include "cli/arena_fields.h"
#include "cli/interrupt.h"
#include "cli/quantity.h"
#include "cli/rollout_json.h"
#include "cli/rollout_text.h"
#include "ipc/clock.h"
#include "ipc/printable.h"

namespace arenad::cli {
namespace {

constexpr uint64_t kPollIntervalMs = 200;
constexpr uint64_t kPollTimeoutMs = 1000;  // also how long Ctrl-C may have to wait
constexpr uint64_t kPatienceMs = 30'000;   // with an arenad that does not answer: the next one has adopted all arenas by then

std::string duration_of_ms(uint64_t ms) {
  return duration_text(static_cast<double>(ms) * 1000);
}

// A reply, kept for longer than it lives.
class KeptRollout {
 public:
  explicit KeptRollout(wire::Rollout::Reader rollout) { keep(rollout); }
  void keep(wire::Rollout::Reader rollout) {
    message_ = std::make_unique<capnp::MallocMessageBuilder>();
    message_->setRoot(rollout);
  }
  [[nodiscard]] wire::Rollout::Reader reader() const { return message_->getRoot<wire::Rollout>().asReader(); }

 private:
  std::unique_ptr<capnp::MallocMessageBuilder> message_;
};

// An id alone is not enough: another database may have taken the place of the one that knew it.
bool is_same(wire::Rollout::Reader a, wire::Rollout::Reader b) {
  return a.getId() == b.getId() && a.getGame() == b.getGame() && a.getFromCode() == b.getFromCode() &&
         a.getToCode() == b.getToCode();
}

// The rollout as it was seen last, and how that is told.
class RolloutReport {
 public:
  RolloutReport(const Session& session, wire::Rollout::Reader begun) : session_(session), seen_(begun) {}

  [[nodiscard]] wire::Rollout::Reader rollout() const { return seen_.reader(); }
  [[nodiscard]] std::string game() const { return printable(text_of(rollout().getGame())); }

  void see(wire::Rollout::Reader rollout) {
    seen_.keep(rollout);
    say_progress();
  }

  void say(const std::string& line) const {
    if (session_.format == Format::json) return;
    session_.console.data(line + "\n");
    session_.console.flush();
  }

  void say_progress() {
    // How it ended is told in other words.
    if (rollout().getIsOver()) return;
    const std::string line = rollout_progress(rollout());
    if (line != last_line_) say(line);
    last_line_ = line;
  }

  // The last word on it, whether it is over or goes on.
  [[nodiscard]] ExitCode finish() const {
    if (session_.format == Format::json) session_.console.data(rollout_json(rollout()));
    return ExitCode::ok;
  }
  [[nodiscard]] ExitCode finish(const Error& error) const {
    if (session_.format == Format::json) session_.console.data(rollout_json(rollout(), error));
    session_.console.error(printable(error.text()));
    return exit_code_of(error.code);
  }

  // Of one that is over.
  [[nodiscard]] ExitCode finish_over() const {
    const std::string outcome = rollout_outcome(rollout());
    if (text_of(rollout().getState()) == "done") {
      say(outcome);
      return finish();
    }
    for (const std::string& failure : rollout_failures(rollout())) session_.console.error(failure);
    return finish(make_error(ErrorCode::failed, outcome));
  }

 private:
  const Session& session_;
  KeptRollout seen_;
  std::string last_line_;
};

class RolloutWatch {
 public:
  // deadline_ns on the monotonic clock.
  RolloutWatch(const Session& session, RolloutReport& report, std::optional<uint64_t> deadline_ns)
      : session_(session), report_(report), deadline_ns_(deadline_ns) {}

  // Until it is over, or cannot or shall not be waited for any longer.
  Result<void> wait() {
    const Interrupt interrupt;
    answered_ns_ = monotonic_ns();
    while (!report_.rollout().getIsOver()) {
      if (interrupt.wait(pause_ms())) return make_error(ErrorCode::timeout, "interrupted; " + what_goes_on());
      if (auto polled = poll(); !polled) return polled;
      if (is_late() && !report_.rollout().getIsOver()) {
        return make_error(ErrorCode::timeout,
                          "not finished after " + duration_of_ms(session_.timeout_ms.value_or(0)) + "; " + what_goes_on());
      }
    }
    return {};
  }

 private:
  [[nodiscard]] bool is_late() const { return deadline_ns_ && monotonic_ns() >= *deadline_ns_; }

  [[nodiscard]] uint64_t pause_ms() const {
    if (!deadline_ns_) return kPollIntervalMs;
    const uint64_t now = monotonic_ns();
    return now >= *deadline_ns_ ? 0 : std::min(kPollIntervalMs, (*deadline_ns_ - now) / kMillisecond + 1);
  }

  [[nodiscard]] std::string what_goes_on() const {
    return fmt::format("the rollout goes on: arenactl rollout status {0} shows it, arenactl rollout abort {0} ends it",
                       report_.game());
  }

  Result<void> poll() {
    const Session polling{session_.console, session_.socket_path, session_.format, kPollTimeoutMs};
    const auto answered = try_ask(
        polling,
        {.fill = [&](wire::Request::Builder request) { request.setRollouts(report_.rollout().getGame()); },
         .expected = wire::Reply::ROLLOUTS,
         .read = [&](wire::Reply::Reader reply, std::span<Fd>) -> Result<ExitCode> { return take(reply.getRollouts()); }});
    if (answered) {
      answered_ns_ = monotonic_ns();
      is_lost_ = false;
      return {};
    }
    return after_failure(answered.error());
  }

  Result<ExitCode> take(capnp::List<wire::Rollout>::Reader rollouts) {
    for (const auto rollout : rollouts) {
      if (rollout.getGame() != report_.rollout().getGame()) continue;
      if (!is_same(rollout, report_.rollout())) return replaced_by(rollout);
      report_.see(rollout);
      return ExitCode::ok;
    }
    return make_error(ErrorCode::failed,
                      fmt::format("{0}: the rollout was interrupted: arenad has been started again with another database, "
                                  "and does not know it any more; arenactl versions {0} shows what runs",
                                  report_.game()));
  }

  [[nodiscard]] Error replaced_by(wire::Rollout::Reader other) const {
    return make_error(
        ErrorCode::failed,
        fmt::format("another rollout has followed, and what became of this one is not known: {}", rollout_heading(other)));
  }

  Result<void> after_failure(const Error& error) {
    if (error.code != ErrorCode::unreachable && error.code != ErrorCode::timeout) return error;
    if (monotonic_ns() - answered_ns_ >= kPatienceMs * kMillisecond) {
      const std::string what =
          error.code == ErrorCode::timeout ? "arenad has not answered for " + duration_of_ms(kPatienceMs) : error.text();
      return make_error(ErrorCode::unreachable,
                        fmt::format("{}; when it is back, arenactl rollout status {} shows what became of the rollout", what,
                                    report_.game()));
    }
    if (!is_lost_) session_.console.note("arenad does not answer; asking again for " + duration_of_ms(kPatienceMs));
    is_lost_ = true;
    return {};
  }

  const Session& session_;
  RolloutReport& report_;
  std::optional<uint64_t> deadline_ns_;
  uint64_t answered_ns_ = 0;
  bool is_lost_ = false;
};

ExitCode follow(const Session& session, RolloutReport& report, std::optional<uint64_t> deadline_ns) {
  report.say(rollout_heading(report.rollout()));
  report.say_progress();
  if (const auto waited = RolloutWatch(session, report, deadline_ns).wait(); !waited) return report.finish(waited.error());
  return report.finish_over();
}

}  // namespace

ExitCode run_rollout(const Session& session, const RolloutOptions& options, const RolloutRequest& request) {
  const uint64_t limit_ms = session.timeout_ms.value_or(0);
  const auto deadline_ns = limit_ms == 0 ? std::nullopt : std::optional(monotonic_ns() + limit_ms * kMillisecond);
  Session asking = session;
  if (limit_ms == 0) asking.timeout_ms.reset();
  std::optional<RolloutReport> report;
  const auto begun = try_ask(asking, {.fill = request.fill,
                                      .expected = wire::Reply::ROLLOUT,
                                      .read = [&](wire::Reply::Reader reply, std::span<Fd>) -> Result<ExitCode> {
                                        report.emplace(session, reply.getRollout());
                                        return ExitCode::ok;
                                      },
                                      .fds = request.fds,
                                      .effect = options.is_dry_run() ? Effect::none : Effect::begins_rollout});
  if (!begun) return session.fail(begun.error());
  if (options.is_dry_run()) {
    report->say(rollout_heading(report->rollout()) + "; nothing was changed");
    return report->finish();
  }
  if (options.waits()) return follow(session, *report, deadline_ns);
  report->say(rollout_heading(report->rollout()));
  report->say(fmt::format("begun; arenactl rollout status {} shows how it goes", report->game()));
  return report->finish();
}

}  // namespace arenad::cli
