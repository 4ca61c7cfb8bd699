#include "supervisor/upgrade.h"

#include <fcntl.h>
#include <filesystem>
#include <fmt/ranges.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ipc/clock.h"
#include "ipc/crash_point.h"
#include "ipc/process.h"
#include "supervisor/held_signal.h"
#include "supervisor/log.h"
#include "supervisor/version.h"

extern char** environ;

namespace arenad {
namespace {

constexpr uint64_t kLookMs = 2;
constexpr uint64_t kHoldNs = 500 * kMillisecond;  // nobody waits longer in one piece
constexpr uint64_t kLetThroughNs = 200 * kMillisecond;
constexpr uint64_t kDefaultTimeoutMs = 10'000;
constexpr const char* kGone = " (deleted)";  // what proc(5) says behind the path of a file that was removed

// Where this program was executed from. It is looked up early: a file that is renamed takes its name in proc(5) along.
std::string find_own_program() {
  std::error_code error;
  std::string path = std::filesystem::read_symlink("/proc/self/exe", error).string();
  if (path.ends_with(kGone)) path.resize(path.size() - std::string_view(kGone).size());
  return path;
}

Result<Fd> open_program(const std::string& path) {
  if (path.empty() || path[0] != '/')
    return make_error(ErrorCode::invalid, "a program is named by its whole path, not " + path);
  Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat facts {};
  if (!file || ::fstat(file.get(), &facts) != 0) return errno_error("cannot read the program " + path);
  if (!S_ISREG(facts.st_mode) || ::access(path.c_str(), X_OK) != 0) {
    return make_error(ErrorCode::invalid, path + " is not a program that can be executed");
  }
  // It is executed under its number, where the link of the new process must not lie.
  Fd out_of_the_way(::fcntl(file.get(), F_DUPFD_CLOEXEC, kLinkDescriptor + 1));
  if (!out_of_the_way) return errno_error("cannot read the program " + path);
  return out_of_the_way;
}

class Strings {
 public:
  void add(std::string text) { texts_.push_back(std::move(text)); }
  // Ends with a null pointer, as execve(2) wants it.
  char* const* get() {
    pointers_.clear();
    for (std::string& text : texts_) pointers_.push_back(text.data());
    pointers_.push_back(nullptr);
    return pointers_.data();
  }

 private:
  std::vector<std::string> texts_;
  std::vector<char*> pointers_;
};

}  // namespace

Upgrade::Upgrade(const ChildScope& scope, Arguments arguments)
    : scope_(scope),
      arguments_(std::move(arguments)),
      own_program_(find_own_program()),
      deadline_(scope.loop,
                [this] {
                  scope_.facts.post([this] {
                    if (step_ == Step::asking) give_up(make_error(ErrorCode::timeout, "it has not answered in time"));
                  });
                }),
      look_(scope.loop, [this] { scope_.facts.post([this] { look(); }); }) {}

void Upgrade::close() {
  closed_ = true;
  if (step_ != Step::idle) give_up(make_error(ErrorCode::refused, "arenad is shutting down"));
  deadline_.close();
  look_.close();
}

void Upgrade::begin(const Order& order, Answer answer) {
  if (closed_) return answer(make_error(ErrorCode::refused, "arenad is shutting down"));
  if (step_ != Step::idle) return answer(make_error(ErrorCode::refused, "another upgrade is going on"));
  order_ = order;
  if (order_.timeout_ms == 0) order_.timeout_ms = kDefaultTimeoutMs;
  path_ = order_.program.empty() ? own_program_ : order_.program;
  auto program = open_program(path_);
  if (!program) return answer(program.error());
  program_ = std::move(*program);
  answer_ = std::move(answer);
  step_ = Step::asking;
  log_info("msg=\"an upgrade to {} begins\"", path_);
  if (auto asked = ask(); !asked) return give_up(asked.error());
  deadline_.start(order_.timeout_ms);
}

Result<void> Upgrade::ask() {
  capnp::MallocMessageBuilder state;
  FdsToKeep fds;
  host_.write(state.initRoot<wire::UpgradeState>(), fds);
  auto file = HandedOn::write(state);
  if (!file) return file.error();
  auto ends = Link::make_pair();
  if (!ends) return ends.error();
  Arguments arguments(arguments_.begin() + 1, arguments_.end());
  arguments.emplace_back("--can-take-over");
  auto spawned = spawn("/proc/self/fd/" + std::to_string(program_.get()), arguments, ends->second);
  if (!spawned) return spawned.error();
  asked_ = std::make_unique<ChildProcess>(scope_, Link(std::move(ends->first)));
  asked_->listen({[this](const LinkMessage& message) { take_answer(message); },
                  [this](Exit exit) {
                    give_up(make_error(ErrorCode::failed, "it has ended before it has answered (" + exit.text() + ")"));
                  }});
  (void)asked_->watch(spawned->pid, std::move(spawned->pidfd));
  capnp::MallocMessageBuilder question;
  question.initRoot<wire::CanTakeOver>().setVersion(wire::UPGRADE_VERSION);
  const int fd = file->get();
  asked_->send(question, {&fd, 1});
  ARENAD_CRASH_POINT("arenad.upgrade.asked");
  return {};
}

void Upgrade::take_answer(const LinkMessage& message) {
  if (step_ != Step::asking) return;
  std::string version;
  try {
    std::optional<MessageView> view;
    const auto answer = message.root<wire::CanTakeOverAnswer>(view);
    if (answer.isRefused()) return give_up(make_error(ErrorCode::refused, answer.getRefused()));
    version = answer.getVersion();
    // Nothing but zeros reads like this.
    if (version.empty()) return give_up(make_error(ErrorCode::failed, "what it has answered is no answer"));
  } catch (const kj::Exception&) {
    return give_up(make_error(ErrorCode::failed, "what it has answered is no answer"));
  }
  deadline_.stop();
  retire_asked();
  if (!order_.only_ask) return settle();
  step_ = Step::idle;
  program_.reset();
  std::exchange(answer_, nullptr)(Asked{path_, version});
}

void Upgrade::settle() {
  step_ = Step::settling;
  settling_since_ns_ = monotonic_ns();
  hold(true);
  look_.start(kLookMs, kLookMs);
}

// Signals wait too, for this program or the next one. One that has come before is in the loop, which is seen to before the second look().
void Upgrade::hold(bool held) {
  held_ = held;
  looked_ = false;
  for (const int signal : kSignalsOfOperators) {
    if (held) {
      hold_signal(signal);
    } else {
      let_go_of_signal(signal);
    }
  }
  held_since_ns_ = monotonic_ns();
  host_.hold(held);
  if (held) host_.save();
}

void Upgrade::look() {
  if (step_ != Step::settling) return;
  const uint64_t now = monotonic_ns();
  const uint64_t since_ns = now - held_since_ns_;
  if (!held_) {
    if (since_ns >= kLetThroughNs) hold(true);
    return;
  }
  if (!std::exchange(looked_, true)) return;
  const auto in_the_way = host_.in_the_way();
  // What is in the queue is known to nobody else.
  if (in_the_way.empty() && scope_.facts.is_empty()) return execute();
  if (now - settling_since_ns_ >= order_.timeout_ms * kMillisecond) {
    constexpr size_t kNamed = 3;
    const std::vector<std::string> named(in_the_way.begin(),
                                         in_the_way.begin() + static_cast<ptrdiff_t>(std::min(kNamed, in_the_way.size())));
    return give_up(make_error(ErrorCode::timeout, fmt::format("something is always on the way: {}{}", fmt::join(named, "; "),
                                                              in_the_way.size() > kNamed ? "; and more" : "")));
  }
  if (since_ns >= kHoldNs) hold(false);
}

void Upgrade::execute() {
  const auto failed = hand_over();
  give_up(failed.error());
}

// Returns only if it could not be done.
Result<void> Upgrade::hand_over() {
  capnp::MallocMessageBuilder message;
  FdsToKeep fds;
  auto state = message.initRoot<wire::UpgradeState>();
  host_.write(state, fds);
  state.setHeldNs(held_since_ns_);
  auto file = HandedOn::write(message);
  if (!file) return file.error();
  fds.add(*file);
  Strings arguments;
  for (const std::string& argument : arguments_) arguments.add(argument);
  Strings environment;
  for (char** variable = environ; *variable != nullptr; ++variable) environment.add(*variable);
  for (std::string& variable : host_.environment()) environment.add(std::move(variable));
  environment.add(handed_on_variable(*file));
  log_info("msg=\"version {} gives its place to {}\"", kVersion, path_);
  flush_log();  // its thread does not go over
  ARENAD_CRASH_POINT("arenad.upgrade.before");
  fds.keep_over_exec(true);
  ::fexecve(program_.get(), arguments.get(), environment.get());
  const Error error = errno_error("it cannot be executed");
  fds.keep_over_exec(false);
  return error;
}

void Upgrade::give_up(const Error& error) {
  if (step_ == Step::idle) return;
  step_ = Step::idle;
  deadline_.stop();
  look_.stop();
  if (held_) hold(false);
  retire_asked();
  program_.reset();
  log_error("msg=\"arenad is not upgraded, and goes on as it was: {} does not take over: {}\"", path_, error.text());
  std::exchange(answer_,
                nullptr)(make_error(error.code, "arenad goes on as it was: " + path_ + " does not take over: " + error.text()));
}

// Not within one of its callbacks.
void Upgrade::retire_asked() {
  if (!asked_) return;
  asked_->listen({});  // its end may be in the queue already
  scope_.facts.post([asked = std::shared_ptr<ChildProcess>(std::move(asked_))] {});
}

int answer_can_take_over(const std::function<Result<void>(wire::UpgradeState::Reader)>& check) {
  Link link{Fd(kLinkDescriptor)};
  LinkMessage question;
  if (link.receive(question, Link::Wait::yes) != Link::Received::message || question.fds.empty()) return 1;
  const auto handed = HandedOn::read(question.fds[0]);
  const Result<void> checked = handed ? check(handed.value().state()) : Result<void>(handed.error());
  capnp::MallocMessageBuilder message;
  auto answer = message.initRoot<wire::CanTakeOverAnswer>();
  if (checked) {
    answer.setVersion(kVersion);
  } else {
    answer.setRefused(checked.error().text());
  }
  return link.send(message) ? 0 : 1;
}

}  // namespace arenad
