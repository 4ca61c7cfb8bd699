#include "chaos/reload_show.h"

#include <algorithm>
#include <fmt/format.h>

#include "ipc/clock.h"

namespace arenad::chaos {
namespace {

constexpr uint64_t kAskEveryNs = 50 * kMillisecond;
constexpr uint64_t kPatienceNs = 60 * kSecond;

using Arenas = std::map<std::string, RunningArena>;

std::vector<std::string> names_of_changed(const Arenas& before, const Arenas& after) {
  std::vector<std::string> names;
  for (const auto& [name, arena] : after) {
    const auto known = before.find(name);
    if (known == before.end() || known->second.epoch.value != arena.epoch.value) names.push_back(name);
  }
  return names;
}

size_t count_of(Concerns concerns, size_t arenas) {
  switch (concerns) {
    case Concerns::none:
      return 0;
    case Concerns::one:
      return 1;
    case Concerns::all:
      return arenas;
  }
  return 0;
}

}  // namespace

ReloadShow::ReloadShow(std::vector<ReloadStep> script, Place place, uint64_t rest_ns, Control& control, Screen& screen)
    : script_(std::move(script)), place_(std::move(place)), rest_ns_(rest_ns), control_(control), screen_(screen) {
  tally_.steps = script_.size();
}

void ReloadShow::begin(uint64_t now_ns) {
  due_ns_ = now_ns + rest_ns_;
}

Result<void> ReloadShow::turn(uint64_t now_ns) {
  switch (stage_) {
    case Stage::resting:
      return now_ns < due_ns_ ? Result<void>() : ask(now_ns);
    case Stage::asking:
      listen(now_ns);
      return {};
    case Stage::settling:
      return now_ns < due_ns_ ? Result<void>() : settle(now_ns);
    case Stage::over:
      return {};
  }
  return {};
}

void ReloadShow::stop() {
  command_.reset();
  stage_ = Stage::over;
}

Result<void> ReloadShow::ask(uint64_t now_ns) {
  auto arenas = control_.running();
  if (!arenas) return arenas.error();
  before_ = std::move(*arenas);
  screen_.say_above(fmt::format("\n[{}/{}] {}\n$ {}", step_ + 1, script_.size(), step().title, command_line(step())));
  auto command = OperatorCommand::start(place_.arenactl, place_.socket, step().arguments, place_.log);
  if (!command) return command.error();
  command_.emplace(std::move(*command));
  said_.clear();
  is_as_expected_ = true;
  deadline_ns_ = now_ns + kPatienceNs;
  stage_ = Stage::asking;
  return {};
}

void ReloadShow::listen(uint64_t now_ns) {
  for (const std::string& line : command_->new_lines()) {
    said_ += line + "\n";
    screen_.say_above(line);
  }
  const auto exit = command_->ended();
  if (!exit && now_ns < deadline_ns_) return;
  if (!exit) {
    complain("arenactl does not end");
  } else {
    screen_.say_above(fmt::format("=> exit code {}", exit->value));
    if (exit->how != Exit::How::exited || exit->value != step().exit_code) {
      complain(fmt::format("arenactl has ended with {} instead of exit code {}", exit->text(), step().exit_code));
    }
  }
  if (said_.find(step().says) == std::string::npos) complain(fmt::format("arenactl does not say \"{}\"", step().says));
  command_.reset();
  due_ns_ = now_ns;
  deadline_ns_ = now_ns + kPatienceNs;
  stage_ = Stage::settling;
}

Result<void> ReloadShow::settle(uint64_t now_ns) {
  auto arenas = control_.running();
  if (!arenas) return arenas.error();
  const bool settled = arenas->size() == before_.size() && std::all_of(arenas->begin(), arenas->end(), [this](const auto& at) {
                         const RunningArena& arena = at.second;
                         return arena.is_running && !arena.on_probation && arena.version == step().version;
                       });
  if (!settled && now_ns < deadline_ns_) {
    due_ns_ = now_ns + kAskEveryNs;
    return {};
  }
  if (!settled) complain(fmt::format("not every arena runs version {}", step().version));
  conclude(*arenas);
  next_step(now_ns);
  return {};
}

// A change of code, and a way back, is another incarnation; nothing else makes one here.
void ReloadShow::conclude(const Arenas& after) {
  const std::vector<std::string> changed = names_of_changed(before_, after);
  const size_t expected = count_of(step().concerns, after.size());
  if (changed.size() != expected) {
    complain(fmt::format("{} arenas have another incarnation than before, {} should", changed.size(), expected));
  }
  ++tally_.made;
  if (!is_as_expected_) return;
  ++tally_.as_expected;
  const std::string& version = step().version;
  switch (step().concerns) {
    case Concerns::none:
      ++tally_.refused;
      return screen_.say_above(fmt::format("=> no arena has heard of it: all {} run {}", after.size(), version));
    case Concerns::one:
      ++tally_.taken_back;
      return screen_.say_above(fmt::format("=> {} has {} again; {} other arenas have never heard of it",
                                           fmt::join(changed, ", "), version, after.size() - changed.size()));
    case Concerns::all:
      tally_.taken_over += changed.size();
      return screen_.say_above(fmt::format("=> all {} arenas run {}", after.size(), version));
  }
}

void ReloadShow::next_step(uint64_t now_ns) {
  ++step_;
  due_ns_ = now_ns + rest_ns_;
  stage_ = step_ < script_.size() ? Stage::resting : Stage::over;
}

void ReloadShow::complain(const std::string& what) {
  is_as_expected_ = false;
  screen_.say_above("=> that is not as it must be: " + what);
  findings_.problem(fmt::format("{}: {}", command_line(step()), what));
}

}  // namespace arenad::chaos
