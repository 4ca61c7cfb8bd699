#include "supervisor/game_template.h"

#include <algorithm>
#include <array>
#include <signal.h>

#include "ipc/board_layout.h"
#include "ipc/channel_layout.h"
#include "ipc/clock.h"
#include "ipc/crash_point.h"
#include "ipc/incarnation_layout.h"
#include "supervisor/cage.h"
#include "supervisor/log.h"

namespace arenad {
namespace {

constexpr uint32_t kMaxLostInRow = 3;
// A template that has served for so long is loaded again when it ends, though nobody waits for a worker.
constexpr uint64_t kUsefulNs = kSecond;

std::string whole_path(const std::filesystem::path& path) {
  std::error_code error;
  const auto canonical = std::filesystem::canonical(path, error);
  return error ? path.string() : canonical.string();
}

// Why this arenad and a runtime could not understand each other; empty: they can.
std::string misfit(wire::Runtime::Reader runtime) {
  struct Agreement {
    const char* what;
    uint32_t theirs;
    uint32_t ours;
  };
  for (const Agreement& on : {Agreement{"messages", runtime.getLinkVersion(), kLinkVersion},
                              {"regions", runtime.getIncarnationLayout(), kIncarnationLayoutVersion},
                              {"channels", runtime.getChannelLayout(), kChannelLayoutVersion},
                              {"boards", runtime.getBoardLayout(), kBoardLayoutVersion}}) {
    if (on.theirs == on.ours) continue;
    return "it is version " + std::string(runtime.getVersion()) + " and its " + on.what + " are of layout " +
           std::to_string(on.theirs) + ", where this arenad's are of layout " + std::to_string(on.ours) +
           "; use the arena-worker that came with this arenad, or upgrade arenad first";
  }
  return {};
}

}  // namespace

GameTemplate::GameTemplate(const ChildScope& scope, std::string game, CodeHash hash, GameConfig config,
                           std::string worker_program, uint64_t ready_timeout_ms)
    : scope_(scope),
      game_(std::move(game)),
      hash_(hash),
      config_(std::move(config)),
      worker_program_(std::move(worker_program)),
      ready_timeout_ms_(ready_timeout_ms),
      deadline_(scope.loop,
                [this] {
                  const char* what = state_ == State::serving ? "it did not compare the states' types"
                                     : runtime_has_spoken_    ? "the module was not loaded"
                                                              : "it did not say what it is";
                  failure_ = std::string(what) + " within " + std::to_string(ready_timeout_ms_) + " ms";
                  if (process_) process_->kill(SIGKILL);
                }),
      overdue_(scope.loop, [this] {
        scope_.facts.post([self = std::weak_ptr(self_)] {
          if (const auto alive = self.lock()) (*alive)->look_for_overdue();
        });
      }) {}

void GameTemplate::take(Taken taken) {
  if (state_ == State::closed) {
    taken(make_error(ErrorCode::refused, "arenad is shutting down"));
    return;
  }
  waiters_.push_back(std::move(taken));
  while (!spares_.empty() && !waiters_.empty()) {
    Spare spare = std::move(spares_.back());
    spares_.pop_back();
    if (spare.process->has_ended()) {
      retire(std::move(spare.process));  // killed a moment ago
    } else {
      give(std::move(spare));
    }
  }
  if (state_ == State::absent) {
    load();
  } else {
    fork_as_needed();
  }
}

void GameTemplate::prepare(std::function<void(Result<void>)> prepared) {
  take([this, prepared = std::move(prepared)](Result<Spare> spare) {
    if (!spare) return prepared(spare.error());
    give(std::move(*spare));
    prepared({});
  });
}

void GameTemplate::check_state(const GameFacts& other, std::function<void(Result<void>)> checked) {
  if (state_ != State::serving) return checked(make_error(ErrorCode::failed, "its template is not there any more"));
  checks_.push_back(std::move(checked));
  if (checks_.size() == 1) deadline_.start(ready_timeout_ms_);
  capnp::MallocMessageBuilder message;
  auto info = message.initRoot<wire::ToTemplate>().initCheckState();
  info.setVersion(other.version);
  info.setStateType(other.state_type);
  info.setSchema({reinterpret_cast<const capnp::byte*>(other.schema.data()), other.schema.size()});
  process_->send(message);
}

void GameTemplate::configure(GameConfig config, uint64_t ready_timeout_ms) {
  const bool needs_another_template = config.output_ring_bytes != config_.output_ring_bytes ||
                                      config.frame_log_bytes != config_.frame_log_bytes ||
                                      cage_options(config) != cage_options(config_);
  config.module = config_.module;
  config_ = std::move(config);
  ready_timeout_ms_ = ready_timeout_ms;
  if (state_ != State::loading && state_ != State::serving) return;
  if (needs_another_template) return load_anew();
  while (spares_.size() > config_.spares) {
    retire(std::move(spares_.back().process));
    spares_.pop_back();
  }
  fork_as_needed();
}

void GameTemplate::load_anew() {
  state_ = State::absent;
  deadline_.stop();
  end_all();
  load();
}

void GameTemplate::load() {
  auto ends = Link::make_pair();
  if (!ends) return fail_waiters(ends.error());
  std::vector<std::string> arguments{"--template", "--module", config_.module.string(), "--frame-log-bytes",
                                     std::to_string(config_.frame_log_bytes)};
  if (config_.output_ring_bytes != 0) {
    arguments.emplace_back("--output-ring-bytes");
    arguments.push_back(std::to_string(config_.output_ring_bytes));
  }
  runtime_has_spoken_ = false;
  auto output = OutputFile::create();
  if (!output) return fail_waiters(output.error());
  auto spawned = spawn(worker_program_, arguments, ends->second, output->fd(),
                       std::string(kCageVariable) + "=" + cage_options(config_).text());
  if (!spawned) {
    const bool lacks_something = spawned.error().code == ErrorCode::exhausted;
    return fail_waiters(lacks_something ? spawned.error() : cannot_be_used(spawned.error().text()));
  }
  state_ = State::loading;
  failure_.clear();
  process_ = std::make_unique<ChildProcess>(scope_, Link(std::move(ends->first)));
  listen_to_template();
  (void)process_->watch(spawned->pid, std::move(spawned->pidfd));
  process_->set_output(std::move(*output));
  deadline_.start(ready_timeout_ms_);
}

void GameTemplate::listen_to_template() {
  process_->listen({[this](const LinkMessage& message) { take_template_message(message); },
                    [this](Exit exit) { template_ended(exit); },
                    [this] {
                      failure_ = "it has sent arenad what is no message";
                      process_->kill(SIGKILL);
                    }});
}

void GameTemplate::take_template_message(const LinkMessage& message) {
  std::optional<MessageView> view;
  const auto root = message.root<wire::FromTemplate>(view);
  switch (root.which()) {
    case wire::FromTemplate::READY: {
      if (!runtime_has_spoken_) {
        if (failure_.empty()) failure_ = "it did not say what it is: it is older than this arenad";
        process_->kill(SIGKILL);
        break;
      }
      if (state_ != State::loading) break;  // it has said so already
      if (scope_.reaper.end_strangers_of(process_->pid()) != 0) {
        failure_ = "it has left processes behind while it was loaded";
        process_->kill(SIGKILL);
        break;
      }
      // All of it is read before any of it counts: it may be no message.
      const auto info = root.getReady();
      GameFacts facts = game_facts_;
      facts.version = info.getVersion();
      facts.tick_hz = info.getTickHz();
      facts.state_type = info.getStateType();
      facts.schema.assign(info.getSchema().asChars().begin(), info.getSchema().size());
      facts.module_file = whole_path(config_.module);
      deadline_.stop();
      state_ = State::serving;
      serving_since_ns_ = monotonic_ns();
      game_facts_ = std::move(facts);
      log_info("game={} pid={} msg=\"its template is ready: version {}\"", game_, process_->pid(), game_facts_.version);
      fork_as_needed();
      break;
    }
    case wire::FromTemplate::RUNTIME:
      take_runtime(root.getRuntime());
      break;
    case wire::FromTemplate::FAILED:
      failure_ = root.getFailed();
      break;
    case wire::FromTemplate::FORK_FAILED: {
      Forking* failed = find_forking(root.getForkFailed().getRequest());
      if (failed != nullptr) retire(remove_forking(failed->process.get()));
      fail_waiters(make_error(ErrorCode::exhausted, root.getForkFailed().getMessage()));
      break;
    }
    case wire::FromTemplate::STATE_CHECKED: {
      if (checks_.empty()) break;
      const auto checked = std::move(checks_.front());
      checks_.pop_front();
      deadline_.stop();
      if (!checks_.empty()) deadline_.start(ready_timeout_ms_);
      const std::string why_not = root.getStateChecked();
      checked(why_not.empty() ? Result<void>() : Result<void>(make_error(ErrorCode::refused, why_not)));
      break;
    }
    case wire::FromTemplate::FORKED: {
      // One that was ready sooner than this came has said its pid itself.
      Forking* forked = find_forking(root.getForked().getRequest());
      if (forked != nullptr && !forked->process->is_watched()) {
        (void)forked->process->watch(static_cast<pid_t>(root.getForked().getPid()));
      }
      break;
    }
  }
}

void GameTemplate::take_runtime(wire::Runtime::Reader runtime) {
  failure_ = misfit(runtime);
  if (!failure_.empty()) return process_->kill(SIGKILL);
  runtime_has_spoken_ = true;
  game_facts_.runtime_version = runtime.getVersion();
}

Error GameTemplate::cannot_be_used(const std::string& why) const {
  const std::filesystem::path& file = runtime_has_spoken_ ? config_.module : std::filesystem::path(worker_program_);
  log_error("game={} msg=\"the {} {} cannot be used: {}\"", game_, runtime_has_spoken_ ? "module" : "runtime", file.string(),
            why);
  const std::string what =
      runtime_has_spoken_ ? "the module of game " + game_ : "the runtime " + file.filename().string() + " of game " + game_;
  return make_error(ErrorCode::refused, what + " cannot be used: " + why);
}

void GameTemplate::template_ended(Exit exit) {
  if (!process_) return;  // closed in the same turn
  deadline_.stop();
  log_last_output(*process_);
  for (const auto& checked : std::exchange(checks_, {})) {
    checked(make_error(
        ErrorCode::failed,
        !failure_.empty() ? failure_ : "its template has died while it compared the states' types (" + exit.text() + ")"));
  }
  const bool was_loading = state_ == State::loading;
  if (state_ != State::closed) state_ = State::absent;
  if (was_loading) scope_.reaper.end_strangers_of(process_->pid());
  retire(std::move(process_));
  if (state_ == State::closed) return;
  // Nobody but somebody outside, or the kernel for want of memory, kills like that: it says nothing of the module.
  const bool was_killed = exit.how == Exit::How::signalled && exit.value == SIGKILL && failure_.empty();
  if (was_loading && was_killed) {
    if (!waiters_.empty() && another_is_lost("its template was killed while it was loaded") == Then::goes_on) load();
    return;
  }
  if (was_loading) {
    const bool by_cage = exit.how == Exit::How::signalled && exit.value == SIGSYS;
    const std::string crashed =
        (runtime_has_spoken_ ? "it crashed while it was loaded (" : "it ended before it said what it is (") + exit.text() +
        (by_cage ? ", a system call that its cage forbids)" : ")");
    fail_waiters(cannot_be_used(failure_.empty() ? crashed : failure_));
    return;
  }
  // At once, so that the next worker that dies does not wait for it; but one that ends each time is no use until somebody needs it.
  const bool loads = config_.spares != 0 && monotonic_ns() - serving_since_ns_ >= kUsefulNs;
  log_error("game={} msg=\"the template has ended ({}); it is loaded again{}\"", game_, exit.text(),
            loads ? "" : " when it is needed");
  // Of a worker whose pid is not known nobody can say whether it was forked. It ends when its link does.
  for (Forking& forking : forking_) {
    if (!forking.process->is_watched()) retire(std::move(forking.process));
  }
  std::erase_if(forking_, [](const Forking& forking) { return forking.process == nullptr; });
  scope_.reaper.expect_strangers();
  if (waiters_.empty()) {
    if (loads) load();
    return;
  }
  const std::string why = failure_.empty() ? "its template has ended (" + exit.text() + ")" : failure_;
  if (another_is_lost(why) == Then::goes_on) load();
}

void GameTemplate::fork_as_needed() {
  if (state_ != State::serving) return;
  const size_t wanted = waiters_.size() + config_.spares;
  while (forking_.size() + spares_.size() < wanted) {
    const size_t before = forking_.size();
    fork_one();
    if (forking_.size() == before) return;
  }
}

void GameTemplate::fork_one() {
  auto ends = Link::make_pair();
  if (!ends) return fail_waiters(ends.error());
  auto output = OutputFile::create();
  if (!output) return fail_waiters(output.error());
  auto process = std::make_unique<ChildProcess>(scope_, Link(std::move(ends->first)));
  ChildProcess* raw = process.get();
  listen_to_spare(raw);
  forking_.push_back({++last_request_, std::move(process)});
  if (forking_.size() == 1) overdue_.start(Patience::interval(ready_timeout_ms_), Patience::interval(ready_timeout_ms_));
  capnp::MallocMessageBuilder message;
  message.initRoot<wire::ToTemplate>().setFork(last_request_);
  const std::array fds{ends->second.get(), output->fd().get()};
  raw->set_output(std::move(*output));
  ARENAD_CRASH_POINT("arenad.fork.before");
  process_->send(message, fds);
  ARENAD_CRASH_POINT("arenad.fork.requested");
}

GameTemplate::Forking* GameTemplate::find_forking(uint64_t request) {
  const auto found = std::find_if(forking_.begin(), forking_.end(), [&](const Forking& f) { return f.request == request; });
  return found == forking_.end() ? nullptr : &*found;
}

std::unique_ptr<ChildProcess> GameTemplate::remove_forking(ChildProcess* process) {
  const auto found =
      std::find_if(forking_.begin(), forking_.end(), [&](const Forking& f) { return f.process.get() == process; });
  if (found == forking_.end()) return nullptr;
  auto removed = std::move(found->process);
  forking_.erase(found);
  return removed;
}

void GameTemplate::listen_to_spare(ChildProcess* process) {
  process->listen({[this, process](LinkMessage message) { take_spare_message(process, std::move(message)); },
                   [this, process](Exit exit) { spare_ended(process, exit); },
                   [this, process] {
                     // One that is ready ends by it, and is replaced then. Of one that is not, the pid may be unknown.
                     process->kill(SIGKILL);
                     spare_is_lost(remove_forking(process), "it has sent arenad what is no message");
                   }});
}

void GameTemplate::take_spare_message(ChildProcess* process, LinkMessage message) {
  std::optional<MessageView> view;
  const auto root = message.root<wire::FromWorker>(view);
  const std::string no_memory = root.isNoMemory() ? std::string(root.getNoMemory()) : std::string();
  auto removed = remove_forking(process);
  if (!removed) return;
  if (root.isReady() && !message.fds.empty()) {
    if (!removed->is_watched()) (void)removed->watch(static_cast<pid_t>(root.getReady()));
    auto region = IncarnationView::map(std::move(message.fds[0]));
    if (region && removed->is_watched()) {
      game_facts_.region_bytes = region->bytes();
      lost_in_row_ = 0;
      enclose(*removed, *region);
      ARENAD_CRASH_POINT("arenad.spare.ready");
      give({std::move(removed), std::move(*region)});
      return;
    }
  }
  if (!root.isNoMemory()) return spare_is_lost(std::move(removed), "what it has sent is not what a new worker sends");
  retire(std::move(removed));
  log_error("game={} msg=\"no worker: {}\"", game_, no_memory);
  fail_waiters(make_error(ErrorCode::exhausted, no_memory));
}

void GameTemplate::spare_is_lost(std::unique_ptr<ChildProcess> process, const std::string& why) {
  if (!process) return;
  log_error("game={} pid={} msg=\"a new worker is ended: {}\"", game_, process->pid(), why);
  // It ends when its link does, and nobody may ever hear its pid.
  if (!process->is_watched()) scope_.reaper.expect_strangers();
  retire(std::move(process));
  if (another_is_lost(why) == Then::goes_on) fork_as_needed();
}

GameTemplate::Then GameTemplate::another_is_lost(const std::string& why) {
  if (++lost_in_row_ < kMaxLostInRow) return Then::goes_on;
  fail_waiters(make_error(ErrorCode::failed, "a new worker of " + game_ + " was lost before it was ready: " + why));
  return Then::gives_up;
}

// Its template does not answer, or it does not itself.
void GameTemplate::look_for_overdue() {
  if (forking_.empty()) return overdue_.stop();
  std::vector<ChildProcess*> late;
  for (Forking& forking : forking_) {
    if (++forking.looks > Patience::kLooks) late.push_back(forking.process.get());
  }
  const std::string why = "it was not ready within " + std::to_string(ready_timeout_ms_) + " ms";
  for (ChildProcess* process : late) {
    auto removed = remove_forking(process);
    if (!removed) continue;
    if (!removed->is_watched() && process_) {
      failure_ = "its template has not forked a worker within " + std::to_string(ready_timeout_ms_) + " ms";
      process_->kill(SIGKILL);
    }
    removed->kill(SIGKILL);
    spare_is_lost(std::move(removed), why);
  }
}

void GameTemplate::enclose(const ChildProcess& process, const IncarnationView& region) {
  if (const auto limits = group_limits(config_, region.bytes())) scope_.groups.enclose(process.pid(), process.pidfd(), *limits);
}

void GameTemplate::give(Spare spare) {
  if (waiters_.empty()) {
    // Whoever has prepared gives back what was one more than there are to be.
    if (spares_.size() < std::max<size_t>(config_.spares, 1)) {
      spares_.push_back(std::move(spare));
    } else {
      retire(std::move(spare.process));
    }
    return;
  }
  auto taken = std::move(waiters_.front());
  waiters_.pop_front();
  taken(std::move(spare));
}

// A spare, or a worker that never became one, has died: nothing is lost but itself.
void GameTemplate::spare_ended(ChildProcess* process, Exit exit) {
  log_last_output(*process);
  if (auto removed = remove_forking(process)) {
    retire(std::move(removed));
    if (another_is_lost("it died (" + exit.text() + ")") == Then::goes_on) fork_as_needed();
    return;
  }
  const auto found = std::find_if(spares_.begin(), spares_.end(), [&](const Spare& s) { return s.process.get() == process; });
  if (found == spares_.end()) return;
  log_warning("game={} pid={} msg=\"a spare worker has died ({})\"", game_, process->pid(), exit.text());
  retire(std::move(found->process));
  spares_.erase(found);
  fork_as_needed();
}

void GameTemplate::log_output(const LineRate& rate, uint64_t now_ns, OutputTurn& turn) {
  log_rate_ = rate;
  const auto log = [&](ChildProcess& process) {
    OutputFile* output = process.output();
    if (output == nullptr) return;
    (void)output_log_.read(*output, {"", game_, 0, process.pid()}, rate, now_ns, turn);
    if (output->hold_to_bounds() == OutputFile::Use::printing) return;
    log_error("game={} pid={} msg=\"it keeps memory in the file of its output, and is ended\"", game_, process.pid());
    process.kill(SIGKILL);
  };
  if (process_) log(*process_);
  for (const Spare& spare : spares_) log(*spare.process);
}

void GameTemplate::log_last_output(ChildProcess& process) {
  OutputFile* output = process.output();
  if (output != nullptr) output_log_.read_last(*output, {"", game_, 0, process.pid()}, log_rate_, monotonic_ns());
}

void GameTemplate::fail_waiters(const Error& error) {
  auto waiters = std::move(waiters_);
  waiters_.clear();
  for (auto& waiter : waiters) waiter(error);
}

void GameTemplate::retire(std::unique_ptr<ChildProcess> process) {
  if (!process) return;
  process->listen({});  // what it still has to say is about what is no more
  scope_.facts.post([shared = std::shared_ptr<ChildProcess>(std::move(process))] {});
}

void GameTemplate::end_all() {
  for (const auto& checked : std::exchange(checks_, {})) checked(make_error(ErrorCode::failed, "its template has ended"));
  // Who is being forked now ends when the link does, and nobody may ever hear its pid.
  const bool leaves_strangers = std::ranges::any_of(forking_, [](const auto& f) { return !f.process->is_watched(); });
  for (Forking& forking : forking_) retire(std::move(forking.process));
  forking_.clear();
  if (leaves_strangers) scope_.reaper.expect_strangers();
  for (Spare& spare : spares_) retire(std::move(spare.process));
  spares_.clear();
  retire(std::move(process_));
}

bool GameTemplate::is_steady() const {
  if (state_ == State::absent) return waiters_.empty();
  if (state_ != State::serving || !waiters_.empty() || !checks_.empty() || !forking_.empty()) return false;
  return process_->is_steady() &&
         std::all_of(spares_.begin(), spares_.end(), [](const Spare& spare) { return spare.process->is_steady(); });
}

void GameTemplate::hand_on(wire::TemplateState::Builder to, FdsToKeep& fds) const {
  to.setGame(game_);
  to.setCodeHigh(hash_.high);
  to.setCodeLow(hash_.low);
  process_->hand_on(to.initProcess(), fds);
  to.setOutputRingBytes(config_.output_ring_bytes);
  to.setFrameLogBytes(config_.frame_log_bytes);
  to.setCage(cage_options(config_).text());
  to.setLastRequest(last_request_);
  to.setVersion(game_facts_.version);
  to.setTickHz(game_facts_.tick_hz);
  to.setStateType(game_facts_.state_type);
  to.setRegionBytes(game_facts_.region_bytes);
  to.setModuleFile(game_facts_.module_file);
  to.setRuntimeVersion(game_facts_.runtime_version);
  to.setSchema({reinterpret_cast<const capnp::byte*>(game_facts_.schema.data()), game_facts_.schema.size()});
  auto spares = to.initSpares(static_cast<uint>(spares_.size()));
  for (uint i = 0; i < spares.size(); ++i) {
    spares_[i].process->hand_on(spares[i].initProcess(), fds);
    spares[i].setRegion(fds.add(spares_[i].region.fd()));
  }
}

void GameTemplate::take_on(wire::TemplateState::Reader from, HandedOn& handed) {
  // Its workers would have other regions, or another cage, than the configuration says now: it ends when its link does.
  const std::string cage(from.getCage().begin(), from.getCage().size());
  if (cage != cage_options(config_).text()) return;
  if (from.getOutputRingBytes() != config_.output_ring_bytes || from.getFrameLogBytes() != config_.frame_log_bytes) return;
  last_request_ = from.getLastRequest();
  process_ = ChildProcess::take_on(scope_, from.getProcess(), handed);
  if (!process_) return;
  state_ = State::serving;
  listen_to_template();
  game_facts_.version = from.getVersion();
  game_facts_.tick_hz = from.getTickHz();
  game_facts_.state_type = from.getStateType();
  game_facts_.region_bytes = from.getRegionBytes();
  game_facts_.module_file = from.getModuleFile();
  game_facts_.runtime_version = from.getRuntimeVersion();
  game_facts_.schema.assign(from.getSchema().asChars().begin(), from.getSchema().size());
  for (const auto spare : from.getSpares()) {
    auto process = ChildProcess::take_on(scope_, spare.getProcess(), handed);
    auto region = IncarnationView::map(handed.take(spare.getRegion()));
    if (!process || !region) continue;
    enclose(*process, *region);
    ChildProcess* raw = process.get();
    listen_to_spare(raw);
    spares_.push_back({std::move(process), std::move(*region)});
  }
}

void GameTemplate::rest() {
  if (state_ == State::closed || !waiters_.empty()) return;
  state_ = State::absent;
  deadline_.stop();
  end_all();
}

void GameTemplate::close() {
  state_ = State::closed;
  deadline_.close();
  overdue_.close();
  fail_waiters(make_error(ErrorCode::refused, "arenad is shutting down"));
  end_all();
}

}  // namespace arenad
