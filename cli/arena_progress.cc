#include "cli/arena_progress.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "cli/arena_fields.h"
#include "cli/arena_state.h"
#include "ipc/clock.h"

namespace arenad::cli {
namespace {

constexpr uint64_t kFirstLineNs = 1000 * kMillisecond;
constexpr uint64_t kAskEveryNs = 1000 * kMillisecond;
constexpr uint64_t kAskTimeoutMs = 500;

bool rests(wire::ArenaStatus::Reader arena) {
  const Standing standing = standing_of(text_of(arena.getState()));
  return standing == Standing::finished || standing == Standing::broken;
}

}  // namespace

bool is_at_rest(const ArenaBefore& /*before*/, wire::ArenaStatus::Reader now) {
  return rests(now);
}

bool has_moved(const ArenaBefore& before, wire::ArenaStatus::Reader now) {
  return now.getEpoch() > before.epoch && standing_of(text_of(now.getState())) != Standing::changing;
}

bool is_durable(const ArenaBefore& before, wire::ArenaStatus::Reader now) {
  return now.getDurableFrame() >= before.frame;
}

ArenaProgress::ArenaProgress(const Session& session, std::string doing, const ArenaSelection& selection, IsDone is_done)
    : session_(session),
      doing_(std::move(doing)),
      selection_(selection),
      is_done_(std::move(is_done)),
      began_ns_(monotonic_ns()) {
  if (!session_.console.shows_progress()) return;
  // Of all those that rest already are not concerned; who is named, is.
  ask(!selection_.all, [this](wire::ArenaStatus::Reader arena) {
    before_[text_of(arena.getId())] = {arena.getEpoch(), arena.getFrame()};
  });
}

ArenaProgress::ArenaProgress(const Session& session, std::string doing)
    : session_(session), doing_(std::move(doing)), began_ns_(monotonic_ns()) {}

// Whatever goes wrong here is told by the answer that is waited for, if it matters.
bool ArenaProgress::ask(bool finished, const std::function<void(wire::ArenaStatus::Reader)>& take) const {
  const Session asking{session_.console, session_.socket_path, session_.format, kAskTimeoutMs};
  return try_ask(asking, {.fill =
                              [&](wire::Request::Builder request) {
                                auto builder = request.initStatus();
                                fill_selection(builder, selection_);
                                builder.setFinished(finished);
                              },
                          .expected = wire::Reply::STATUS,
                          .read = [&](wire::Reply::Reader reply, std::span<Fd>) -> Result<ExitCode> {
                            for (const auto arena : reply.getStatus().getArenas()) take(arena);
                            return ExitCode::ok;
                          }})
      .ok();
}

void ArenaProgress::look() {
  const uint64_t now = monotonic_ns();
  if (!session_.console.shows_progress() || now - began_ns_ < kFirstLineNs) return;
  if (before_.size() > 1 && now - asked_ns_ >= kAskEveryNs) {
    count_ = counted();
    asked_ns_ = monotonic_ns();
  }
  session_.console.progress(fmt::format("{}: {}{}s", doing_, count_.empty() ? "" : count_ + ", ",
                                        (monotonic_ns() - began_ns_) / (1000 * kMillisecond)));
}

std::string ArenaProgress::counted() const {
  size_t left = before_.size();
  size_t seen = 0;
  const bool answered = ask(true, [&](wire::ArenaStatus::Reader arena) {
    const auto before = before_.find(text_of(arena.getId()));
    if (before == before_.end()) return;
    ++seen;
    if (is_done_(before->second, arena)) --left;
  });
  if (!answered) return count_;
  left -= std::min(left, before_.size() - seen);  // those that are not there any more
  return fmt::format("{} of {}", before_.size() - left, before_.size());
}

}  // namespace arenad::cli
