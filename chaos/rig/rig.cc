#include "chaos/rig/rig.h"

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
#include <unistd.h>

#include "arenad/message.h"
#include "chaos/equipment.h"
#include "chaos/files.h"
#include "chaos/games/ledger.capnp.h"
#include "ipc/clock.h"
#include "ipc/text.h"

namespace arenad::sweep {
namespace {

constexpr uint64_t kPatienceOnceCalledOffMs = 2000;
constexpr uint64_t kLookAroundMs = 50;
constexpr uint64_t kNeverMs = 24 * 3600 * 1000;

std::string config(const std::filesystem::path& folder, const chaos::Equipment& equipment) {
  return fmt::format(
      "[daemon]\ndirectory = \"{0}/state\"\nruntime_directory = \"{0}/run\"\nsocket = \"arenad.sock\"\nworker = \"{1}\"\n"
      "log_format = \"plain\"\n"
      "[checkpoint]\ninterval_ms = 10\n"
      "[arenas]\nkeep_finished = 4\nreclaim_timeout_ms = 1500\n"
      "[restart]\nintensity = 1000\nwindow_ms = 1000\nfirst_delay_ms = 0\nmax_delay_ms = 0\nhealthy_ms = 1\n"
      "[games.ledger]\nmodule = \"{2}/ledger.so\"\nsnapshot_interval_ms = 1\nspares = 1\n"
      "[games.ledger_log]\nmodule = \"{2}/ledger.so\"\nsnapshot_interval_ms = 600000\nspares = 0\n",
      folder.string(), equipment.worker.string(), equipment.games.string());
}

void select(wire::Selection::Builder selection, ArenaId id) {
  selection.initArenas(1).set(0, id.text());
  selection.setFinished(true);
}

Result<std::string> only_item(Result<ControlIncoming> answer) {
  if (!answer) return answer.error();
  const auto items = answer->root().getReply().getItems();
  if (items.size() != 1) return make_error(ErrorCode::failed, "an answer without its item");
  if (items[0].isError()) {
    return make_error(error_code_of(items[0].getError().getCode()), text_of(items[0].getError().getMessage()));
  }
  return text_of(items[0].getOk());
}

struct NewModule {
  std::string file;
  Fd fd;

  static Result<NewModule> open(const std::string& module) {
    auto equipment = chaos::find_equipment();
    if (!equipment) return equipment.error();
    const std::filesystem::path path = equipment->games / (module + ".so");
    Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) return errno_error("cannot read " + path.string());
    return NewModule{path.filename().string(), std::move(fd)};
  }
};

void fill_reload(wire::Reload::Builder reload, const std::string& game, const NewModule& module, const std::string& arena,
                 uint32_t batch, uint64_t probation_ms, uint64_t probation_frames) {
  reload.setGame(game);
  reload.setFile(module.file);
  if (!arena.empty()) reload.initArenas(1).set(0, arena);
  reload.setCanary(1);
  reload.setBatch(batch);
  reload.setProbationMs(probation_ms);
  reload.setProbationFrames(probation_frames);
}

std::vector<pid_t> children_of(pid_t pid) {
  std::vector<pid_t> found;
  std::error_code error;
  for (const auto& task : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task", error)) {
    std::ifstream list(task.path() / "children");
    for (pid_t child = 0; list >> child;) found.push_back(child);
  }
  return found;
}

std::string name_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/comm");
  std::string name;
  std::getline(file, name);
  return name;
}

// Between its execution by a descriptor, in an upgrade, and its first lines it is called by the number of that.
bool is_name_of_arenad(const std::string& name) {
  return name == "arenad" || (!name.empty() && name.find_first_not_of("0123456789") == std::string::npos);
}

// One that has ended and is not reaped yet keeps its name.
bool lives(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string stat;
  std::getline(file, stat);
  const size_t end = stat.rfind(')');
  return end != std::string::npos && end + 2 < stat.size() && stat[end + 2] != 'Z' && stat[end + 2] != 'X';
}

}  // namespace

StoredAward award_of(uint64_t sequence, std::string_view message) {
  std::vector<uint64_t> words(message.size() / 8);
  std::memcpy(words.data(), message.data(), words.size() * 8);
  MessageView view(words.data(), words.size());
  const auto award = view.root<ledger::Award>();
  return {sequence, award.getSeat(), award.getNumber(), award.getBalance()};
}

Result<std::unique_ptr<Rig>> Rig::start(const std::filesystem::path& folder) {
  auto equipment = chaos::find_equipment();
  if (!equipment) return equipment.error();
  return start(folder, config(folder, *equipment));
}

Result<std::unique_ptr<Rig>> Rig::start(const std::filesystem::path& folder, const std::string& config) {
  std::error_code error;
  for (const char* name : {"", "state", "run"}) std::filesystem::create_directory(folder / name, error);
  if (auto written = chaos::write_file(folder / "arenad.toml", config); !written) return written.error();
  auto points = CrashPointTable::create(folder / "points");
  if (!points) return points.error();
  auto keeper = start_keeper(folder);
  if (!keeper) return keeper.error();
  std::unique_ptr<Rig> rig(new Rig(folder, std::move(*points), std::move(*keeper)));
  if (auto answered = rig->wait_for_answer(); !answered) return answered.error();
  return rig;
}

Result<chaos::ChildProcess> Rig::start_keeper(const std::filesystem::path& folder) {
  auto equipment = chaos::find_equipment();
  if (!equipment) return equipment.error();
  ::setenv(kCrashPointsVariable, (folder / "points").c_str(), 1);
  auto keeper = chaos::ChildProcess::start({.program = equipment->keeper,
                                            .arguments = {"--stop-timeout", "20000", "--", equipment->arenad.string(),
                                                          "--config", (folder / "arenad.toml").string()},
                                            .log = folder / "arenad.log",
                                            .signal_if_orphaned = SIGTERM});
  ::unsetenv(kCrashPointsVariable);
  return keeper;
}

Result<void> Rig::wait_for_answer() {
  auto answer = ask_patiently([](wire::Request::Builder request) { request.setVersion(); });
  if (answer) return {};
  return make_error(ErrorCode::failed,
                    "arenad does not answer: " + answer.error().text() + "\n" + chaos::last_lines(log(), 10));
}

Result<void> Rig::begin_again() {
  control_.reset();
  auto keeper = start_keeper(folder_);
  if (!keeper) return keeper.error();
  keeper_.emplace(std::move(*keeper));
  return {};
}

Result<void> Rig::stop() {
  control_.reset();
  points_.disarm();
  keeper_->signal(SIGTERM);
  const auto exit = keeper_->wait(2 * kPatienceMs);
  if (!exit) return make_error(ErrorCode::timeout, "the keeper does not end");
  if (exit->text() != "code=exited, status=0") return make_error(ErrorCode::failed, "the keeper ended with " + exit->text());
  return {};
}

Result<ControlIncoming> Rig::ask(const std::function<void(wire::Request::Builder)>& fill, std::span<const int> fds) {
  if (!control_) {
    auto next = ControlClient::connect(socket());
    if (!next) return make_error(ErrorCode::unreachable, next.error().text());
    control_.emplace(std::move(*next));
  }
  const uint64_t deadline_ns = monotonic_ns() + kPatienceOnceCalledOffMs * kMillisecond;
  control_->while_waiting({.every_ms = kLookAroundMs, .look = [this, deadline_ns]() -> Result<void> {
                             meanwhile_();
                             if (monotonic_ns() < deadline_ns || !is_called_off_()) return {};
                             return make_error(ErrorCode::timeout, "arenad has not answered, and the run is called off");
                           }});
  auto answer = control_->call(fill, fds, kPatienceMs);
  if (!answer && (answer.error().code == ErrorCode::unreachable || answer.error().code == ErrorCode::timeout)) control_.reset();
  return answer;
}

Result<ControlIncoming> Rig::ask_patiently(const std::function<void(wire::Request::Builder)>& fill) {
  const uint64_t began_ns = monotonic_ns();
  const auto is_too_late = [&] {
    const uint64_t patience_ms = is_called_off_() ? kPatienceOnceCalledOffMs : kPatienceMs;
    return monotonic_ns() - began_ns > patience_ms * kMillisecond;
  };
  for (;;) {
    auto answer = ask(fill);
    if (answer || answer.error().code != ErrorCode::unreachable || is_too_late() || is_broken()) return answer;
    meanwhile_();
    ::usleep(1000);
  }
}

Result<void> Rig::start_arena(ArenaId id, const std::string& name, const std::string& game, uint32_t hz) {
  return start_arena(id, name, game, hz == 0 ? Params() : Params{{"hz", std::to_string(hz)}});
}

Result<void> Rig::start_arena(ArenaId id, const std::string& name, const std::string& game, const Params& given) {
  auto answer = ask([&](wire::Request::Builder request) {
    auto start = request.initStart();
    start.setGame(game);
    start.setName(name);
    start.setId(id.text());
    auto params = start.initParams(static_cast<unsigned>(given.size()));
    for (unsigned i = 0; i < params.size(); ++i) {
      params[i].setKey(given[i].first);
      params[i].setValue(given[i].second);
    }
  });
  if (!answer) return answer.error();
  return {};
}

std::optional<Rig::RolloutStatus> Rig::rollout(const std::string& game) {
  auto answer = ask_patiently([&](wire::Request::Builder request) { request.setRollouts(game); });
  if (!answer) return std::nullopt;
  const auto rollouts = answer->root().getReply().getRollouts();
  if (rollouts.size() != 1) return std::nullopt;
  return RolloutStatus{text_of(rollouts[0].getState()), rollouts[0].getPassed(), rollouts[0].getFailures().size(),
                       rollouts[0].getIsOver()};
}

Result<void> Rig::reload(const std::string& game, const std::string& module, const std::string& arena, uint32_t batch,
                         Probation probation) {
  auto file = NewModule::open(module);
  if (!file) return file.error();
  const int fd = file->fd.get();
  auto answer = ask(
      [&](wire::Request::Builder request) {
        fill_reload(request.initReload(), game, *file, arena, batch, probation.ms, probation.frames);
      },
      {&fd, 1});
  if (!answer) return answer.error();
  return {};
}

Result<Rig::Posted> Rig::post_reload(const std::string& game, const std::string& module, const std::string& arena) const {
  auto file = NewModule::open(module);
  if (!file) return file.error();
  auto control = ControlClient::connect(socket());
  if (!control) return make_error(ErrorCode::unreachable, control.error().text());
  const int fd = file->fd.get();
  const Probation probation;
  auto id = control->post(
      [&](wire::Request::Builder request) {
        fill_reload(request.initReload(), game, *file, arena, 1, probation.ms, probation.frames);
      },
      {&fd, 1});
  if (!id) return id.error();
  return Posted{std::move(*control), *id};
}

Result<void> Rig::reload_config() {
  auto answer = ask([](wire::Request::Builder request) { request.initReloadConfig(); });
  if (!answer) return answer.error();
  const auto problems = answer->root().getReply().getConfigReloaded().getProblems();
  if (problems.size() == 0) return {};
  return make_error(ErrorCode::invalid, text_of(problems[0].getMessage()));
}

Result<void> Rig::shut_down() {
  auto answer = ask([](wire::Request::Builder request) { request.setShutdown(); });
  if (!answer) return answer.error();
  return {};
}

// It is answered when all have ended, which they do not.
Result<void> Rig::drain_all() {
  auto control = ControlClient::connect(socket());
  if (!control) return make_error(ErrorCode::unreachable, control.error().text());
  auto begun = control->begin(
      [](wire::Request::Builder request) {
        auto drain = request.initDrain();
        drain.initSelection().setAll(true);
        drain.setDeadlineMs(kNeverMs);
      },
      {}, kPatienceMs);
  if (!begun) return begun.error();
  return {};
}

Result<void> Rig::undrain_all() {
  auto answer = ask([](wire::Request::Builder request) { request.initUndrain().setAll(true); });
  if (!answer) return answer.error();
  return {};
}

Result<void> Rig::upgrade() {
  auto answer = ask([](wire::Request::Builder request) { request.initUpgrade(); });
  if (!answer) return answer.error();
  return {};
}

bool Rig::is_rolling_out() {
  auto answer = ask_patiently([](wire::Request::Builder request) { request.setRollouts(""); });
  if (!answer) return true;
  for (const auto rollout : answer->root().getReply().getRollouts()) {
    if (!rollout.getIsOver()) return true;
  }
  return false;
}

Result<std::string> Rig::stop_arena(ArenaId id) {
  return only_item(ask([&](wire::Request::Builder request) { select(request.initStop(), id); }));
}

Result<std::string> Rig::restart_arena(ArenaId id) {
  return only_item(ask([&](wire::Request::Builder request) { select(request.initRestart(), id); }));
}

bool Rig::answers() {
  return ask([](wire::Request::Builder request) { request.setVersion(); }).ok();
}

std::optional<ArenaStatus> Rig::status(ArenaId id) {
  auto answer = ask_patiently([&](wire::Request::Builder request) { select(request.initStatus(), id); });
  if (!answer) return std::nullopt;
  const auto arenas = answer->root().getReply().getStatus().getArenas();
  if (arenas.size() != 1) return std::nullopt;
  const auto from = arenas[0];
  return ArenaStatus{text_of(from.getState()),
                     text_of(from.getReason()),
                     text_of(from.getRung()),
                     text_of(from.getLastExit()),
                     text_of(from.getGameVersion()),
                     static_cast<pid_t>(from.getPid()),
                     from.getEpoch(),
                     from.getFrame(),
                     from.getDurableFrame(),
                     from.getClients(),
                     from.getEvents(),
                     from.getRejected(),
                     from.getReplayedFrames(),
                     from.getDivergences(),
                     from.getFirstDivergentFrame(),
                     from.getProbation()};
}

std::optional<std::vector<StoredAward>> Rig::awards(ArenaId id) {
  auto answer = ask_patiently([&](wire::Request::Builder request) { request.setResults(id.text()); });
  if (!answer) return std::nullopt;
  std::vector<StoredAward> awards;
  for (const auto result : answer->root().getReply().getResults()) {
    const auto bytes = result.getMessage().asChars();
    awards.push_back(award_of(result.getSequence(), {bytes.begin(), bytes.size()}));
  }
  return awards;
}

std::optional<std::vector<QuarantinedEvent>> Rig::quarantine(ArenaId id) {
  auto answer = ask_patiently([&](wire::Request::Builder request) { select(request.initQuarantine(), id); });
  if (!answer) return std::nullopt;
  std::vector<QuarantinedEvent> events;
  for (const auto event : answer->root().getReply().getQuarantine()) {
    events.push_back({event.getId(), text_of(event.getPlayer()), event.getChannel(), event.getSequence(), event.getType()});
  }
  return events;
}

Result<std::string> Rig::drop_quarantined(uint64_t event) {
  return only_item(ask([&](wire::Request::Builder request) { request.initQuarantineDrop(1).set(0, event); }));
}

std::optional<std::vector<PastCommand>> Rig::history(uint32_t limit) {
  auto answer = ask_patiently([&](wire::Request::Builder request) { request.initHistory().setLimit(limit); });
  if (!answer) return std::nullopt;
  std::vector<PastCommand> commands;
  for (const auto one : answer->root().getReply().getHistory()) {
    commands.push_back({one.getUid(), text_of(one.getVerb()), text_of(one.getOutcome())});
  }
  return commands;
}

pid_t Rig::arenad() const {
  // A child that ends while the list is read can hide another one (proc(5), children).
  constexpr int kLooks = 3;
  for (int look = 0; look < kLooks; ++look) {
    for (const pid_t child : children_of(keeper_->pid())) {
      if (is_name_of_arenad(name_of(child)) && lives(child)) return child;
    }
  }
  return 0;
}

std::vector<pid_t> Rig::processes_named(const std::string& name) const {
  std::vector<pid_t> found;
  for (const pid_t child : children_of(keeper_->pid())) {
    if (name_of(child) == name && lives(child)) found.push_back(child);
    for (const pid_t grandchild : children_of(child)) {
      if (name_of(grandchild) == name && lives(grandchild)) found.push_back(grandchild);
    }
  }
  return found;
}

}  // namespace arenad::sweep
