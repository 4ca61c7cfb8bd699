#include "chaos/bot_crew.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <sys/socket.h>

#include "ipc/clock.h"

namespace arenad::chaos {
namespace {

constexpr uint64_t kToEndNs = 2 * kSecond;

}  // namespace

Result<void> BotCrew::start(size_t arena, BotOptions options) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) return errno_error("cannot make a bot's link");
  Fd ours(ends[0]);
  const Fd theirs(ends[1]);
  const std::string name = options.arena + "." + options.player;
  const auto log = folder_ / (name + ".log");
  auto child = ChildProcess::start({.program = program_,
                                    .arguments = {"bot", "--socket", options.socket, "--arena", options.arena, "--player",
                                                  options.player, "--log", log.string(), "--seed", std::to_string(options.seed),
                                                  "--channel-bytes", std::to_string(options.channel_bytes)},
                                    .log = complaints(),
                                    .link = &theirs,
                                    .signal_if_orphaned = SIGKILL});
  if (!child) return child.error();
  bots_.push_back({arena, name, log});
  processes_.push_back({std::move(*child), std::move(ours)});
  return {};
}

void BotCrew::look() {
  for (size_t i = 0; i < bots_.size(); ++i) {
    BotReport report{};
    while (::recv(processes_[i].link.get(), &report, sizeof report, MSG_DONTWAIT) == sizeof report) bots_[i].report = report;
  }
}

void BotCrew::stop_sending() {
  for (const Process& process : processes_) ::send(process.link.get(), "", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

bool BotCrew::all_reached(BotStage stage) const {
  return std::all_of(bots_.begin(), bots_.end(), [&](const Bot& bot) { return bot.report.stage >= stage; });
}

std::string BotCrew::casualty() {
  for (size_t i = 0; i < bots_.size(); ++i) {
    if (bots_[i].report.stage == BotStage::finished) continue;
    const auto exit = processes_[i].child.wait(0);
    if (!exit) continue;
    look();  // its last words may be on the way
    if (bots_[i].report.stage != BotStage::finished) return bots_[i].name + " has ended: " + exit->text();
  }
  return "";
}

std::vector<std::string> BotCrew::wait_for_all(uint64_t deadline_ns) {
  std::vector<std::string> failures;
  for (size_t i = 0; i < bots_.size(); ++i) {
    const uint64_t now = monotonic_ns();
    const auto exit = processes_[i].child.wait(now < deadline_ns ? (deadline_ns - now) / kMillisecond : 0);
    if (!exit) {
      failures.push_back(bots_[i].name + " does not end");
    } else if (exit->how != Exit::How::exited || exit->value != 0) {
      failures.push_back(bots_[i].name + " has ended with " + exit->text());
    }
  }
  look();
  return failures;
}

void BotCrew::dismiss() {
  for (Process& process : processes_) process.link.reset();
  (void)wait_for_all(monotonic_ns() + kToEndNs);
  processes_.clear();
}

}  // namespace arenad::chaos
