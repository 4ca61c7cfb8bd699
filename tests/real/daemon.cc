#include "tests/real/daemon.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <doctest/doctest.h>

#include "ipc/text.h"
#include "tests/support/why_not.h"

namespace arenad::test {
namespace {

// Where an arenad with the defaults would write.
std::vector<std::string> places_outside() {
  std::vector<std::string> found;
  std::error_code error;
  for (const char* place : {"/run/arenad", "/var/lib/arenad", "/etc/arenad"}) {
    if (std::filesystem::exists(place, error)) found.emplace_back(place);
  }
  for (const auto& entry : std::filesystem::directory_iterator("/dev/shm", error)) {
    if (entry.path().filename().string().starts_with("arena")) found.push_back(entry.path().string());
  }
  return found;
}

const std::vector<std::string> kOutsideBefore = places_outside();

Result<std::string> only_item(Result<ControlIncoming> answer) {
  if (!answer) return answer.error();
  const auto items = answer->root().getReply().getItems();
  REQUIRE(items.size() == 1);
  if (items[0].isError())
    return make_error(error_code_of(items[0].getError().getCode()), text_of(items[0].getError().getMessage()));
  return text_of(items[0].getOk());
}

ArenaFacts facts_of(wire::ArenaStatus::Reader from) {
  ArenaFacts facts;
  facts.id = text_of(from.getId());
  facts.name = text_of(from.getName());
  facts.state = text_of(from.getState());
  facts.reason = text_of(from.getReason());
  facts.last_exit = text_of(from.getLastExit());
  facts.rung = text_of(from.getRung());
  facts.pid = static_cast<pid_t>(from.getPid());
  facts.epoch = from.getEpoch();
  facts.frame = from.getFrame();
  facts.durable_frame = from.getDurableFrame();
  facts.events = from.getEvents();
  facts.rejected = from.getRejected();
  facts.restarts = from.getRestarts();
  facts.restarts_total = from.getRestartsTotal();
  facts.first_divergent_frame = from.getFirstDivergentFrame();
  facts.frames_late = from.getFramesLate();
  facts.frames_slow = from.getFramesSlow();
  facts.quarantined = from.getQuarantined();
  facts.divergences = from.getDivergences();
  facts.clients = from.getClients();
  facts.snapshot_frame = from.getSnapshotFrame();
  facts.snapshots_failed = from.getSnapshotsFailed();
  facts.probation = from.getProbation();
  return facts;
}

bool reap_everything() {
  for (;;) {
    const pid_t pid = ::waitpid(-1, nullptr, WNOHANG);
    if (pid < 0 && errno != EINTR) return true;
    if (pid == 0) return false;
  }
}

std::vector<std::string> content_of(const std::filesystem::path& folder) {
  std::vector<std::string> found;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error))
    found.push_back(entry.path().filename().string());
  std::ranges::sort(found);
  return found;
}

}  // namespace

void select_one(wire::Selection::Builder selection, const std::string& name) {
  selection.initArenas(1).set(0, name);
}

std::string module_path(const std::string& name) {
  return std::string(ARENAD_TEST_GAMES) + "/" + name + ".so";
}

std::string game_section(const std::string& name, const std::string& module, const std::string& more) {
  return "[games." + name + "]\nmodule = \"" + module + "\"\n" + more + "\n";
}

std::string echo_section(const std::string& more) {
  // It removes files of the test's when that tells it to.
  return game_section("echo", module_path("echo"), "writable = [\".\"]\n" + more);
}

Daemon::Daemon(const std::string& sections, Parent parent) : parent_(parent) {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  std::filesystem::create_directory(folder_ / "work");
  reconfigure(sections);
}

void Daemon::reconfigure(const std::string& sections) {
  write_file(folder_ / "arenad.toml",
             "[daemon]\ndirectory = \"state\"\nruntime_directory = \"run\"\nworker = \"" ARENAD_TEST_WORKER
             "\"\nlog_level = \"debug\"\nlog_format = \"plain\"\n" +
                 sections);
}

Daemon::~Daemon() {
  if (program_) stop();
  check_nothing_left();
  if (::getenv("ARENAD_TEST_LOG") != nullptr) MESSAGE(log());
}

void Daemon::start(const std::vector<std::string>& prefix) {
  REQUIRE(!program_);
  std::vector<std::string> command = prefix;
  if (parent_ == Parent::keeper) command.insert(command.end(), {ARENAD_TEST_KEEPER, "--"});
  command.insert(command.end(), {ARENAD_TEST_ARENAD, "--config", config()});
  program_ = std::make_unique<Program>(ProgramCall{command, folder_ / "work", folder_ / "arenad.log", folder_ / "arenad.log"});
  await_arenad(0);
}

void Daemon::await_arenad(pid_t other_than) {
  const bool answers = eventually([&] {
    if (program_->ended()) return true;
    auto client = ControlClient::connect(socket());
    if (!client) return false;
    auto version = client->call([](wire::Request::Builder request) { request.setVersion(); }, {}, kPatienceMs);
    return version && version->root().getReply().getVersion().getPid() != static_cast<uint32_t>(other_than);
  });
  INFO(log());
  REQUIRE(answers);
  REQUIRE(!program_->ended());
  control_.emplace(connect());
}

pid_t Daemon::pid() const {
  if (parent_ == Parent::test) return program_->pid();
  for (const pid_t child : children_of(program_->pid())) {
    if (name_of(child) == "arenad") return child;
  }
  return 0;
}

Finished Daemon::start_in_vain() {
  return run_to_end({ARENAD_TEST_ARENAD, "--config", config()}, folder_);
}

void Daemon::stop() {
  program_->signal(SIGTERM);
  await_end();
}

void Daemon::await_end() {
  control_.reset();
  const auto exit = program_->wait();
  {
    INFO(log());
    CHECK(exit.has_value());
    if (exit) CHECK(exit->text() == "code=exited, status=0");
  }
  CHECK_FALSE(std::filesystem::exists(socket()));
  program_.reset();
}

void Daemon::crash(const std::function<void()>& then) {
  control_.reset();
  const pid_t arenad = pid();
  REQUIRE(arenad != 0);
  ::kill(arenad, SIGSTOP);
  // A worker that is being forked at this moment may be missed once.
  for (int round = 0; round < 2; ++round) {
    for (const pid_t child : children_of(arenad)) ::kill(child, SIGKILL);
    for (const pid_t child : children_of(program_->pid())) {
      if (child != arenad) ::kill(child, SIGKILL);  // adopted ones, whose parent is the keeper
    }
  }
  is_gone(arenad, then);
}

void Daemon::kill_arenad(const std::function<void()>& then) {
  control_.reset();
  const pid_t arenad = pid();
  REQUIRE(arenad != 0);
  is_gone(arenad, then);
}

void Daemon::is_gone(pid_t arenad, const std::function<void()>& then) {
  ::kill(arenad, SIGKILL);
  then();
  if (parent_ == Parent::keeper) return await_arenad(arenad);
  REQUIRE(program_->wait());
  program_.reset();
}

void Daemon::check_nothing_left() const {
  const bool reaped = eventually(reap_everything, 10'000);
  if (!reaped) {
    for (const pid_t pid : children_of(::getpid())) {
      FAIL_CHECK("a process is left: ", name_of(pid), " (", pid, ")");
      ::kill(pid, SIGKILL);
    }
    CHECK(eventually(reap_everything, 10'000));
  }
  CHECK(content_of(folder_ / "work").empty());
  CHECK(places_outside() == kOutsideBefore);
}

ControlClient Daemon::connect() const {
  auto client = ControlClient::connect(socket());
  REQUIRE(client.ok());
  return std::move(*client);
}

Finished Daemon::arenactl(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), {ARENAD_TEST_ARENACTL, "--socket", socket()});
  return run_to_end(arguments, folder_);
}

Result<ControlIncoming> Daemon::ask(const std::function<void(wire::Request::Builder)>& fill) {
  return control_->call(fill, {}, kPatienceMs);
}

Result<std::string> Daemon::try_start_arena(const std::string& name, const Params& params, const std::string& game,
                                            const std::string& id) {
  auto answer = ask([&](wire::Request::Builder request) {
    auto start = request.initStart();
    start.setGame(game);
    start.setName(name);
    start.setId(id);
    auto list = start.initParams(static_cast<unsigned>(params.size()));
    for (unsigned i = 0; i < list.size(); ++i) {
      list[i].setKey(params[i].first);
      list[i].setValue(params[i].second);
    }
  });
  if (!answer) return answer.error();
  return text_of(answer->root().getReply().getStarted().getId());
}

std::string Daemon::start_arena(const std::string& name, const Params& params, const std::string& game) {
  auto started = try_start_arena(name, params, game);
  INFO(log());
  REQUIRE_MESSAGE(started.ok(), why_not(started));
  return *started;
}

ArenaFacts Daemon::arena(const std::string& name) {
  auto answer = ask([&](wire::Request::Builder request) {
    auto selection = request.initStatus();
    select_one(selection, name);
    selection.setFinished(true);
  });
  REQUIRE_MESSAGE(answer.ok(), why_not(answer));
  const auto arenas = answer->root().getReply().getStatus().getArenas();
  REQUIRE(arenas.size() == 1);
  return facts_of(arenas[0]);
}

bool Daemon::knows(const std::string& name) {
  auto answer = ask([&](wire::Request::Builder request) { select_one(request.initStatus(), name); });
  return answer.ok();
}

DaemonFacts Daemon::facts() {
  auto answer = ask([&](wire::Request::Builder request) { request.initStatus().setAll(true); });
  REQUIRE_MESSAGE(answer.ok(), why_not(answer));
  const auto from = answer->root().getReply().getStatus().getDaemon();
  DaemonFacts facts;
  for (const auto notice : from.getNotices()) facts.notices.push_back(text_of(notice));
  facts.store_error = text_of(from.getStoreError());
  facts.running = from.getRunning();
  facts.recoveries = from.getRecoveries();
  facts.checkpoint_lag_ms = from.getCheckpointLagMs();
  facts.checkpoint_alarm = from.getCheckpointAlarm();
  return facts;
}

std::vector<StoredResult> Daemon::results(const std::string& name) {
  auto answer = ask([&](wire::Request::Builder request) { request.setResults(name); });
  REQUIRE_MESSAGE(answer.ok(), why_not(answer));
  std::vector<StoredResult> found;
  for (const auto result : answer->root().getReply().getResults()) {
    const auto bytes = result.getMessage().asChars();
    found.push_back({result.getSequence(), result.getSeat(), std::string(bytes.begin(), bytes.end())});
  }
  return found;
}

Result<std::string> Daemon::restart(const std::string& name) {
  return only_item(ask([&](wire::Request::Builder request) { select_one(request.initRestart(), name); }));
}

Result<std::string> Daemon::stop_arena(const std::string& name) {
  return only_item(ask([&](wire::Request::Builder request) { select_one(request.initStop(), name); }));
}

uint64_t Daemon::kill_worker(const std::string& name) {
  const ArenaFacts facts = arena(name);
  REQUIRE(facts.pid > 0);
  ::kill(facts.pid, SIGKILL);
  return facts.epoch;
}

bool Daemon::runs_again(const std::string& name, uint64_t after_epoch) {
  return becomes(name, [&](const ArenaFacts& facts) { return facts.state == "running" && facts.epoch > after_epoch; });
}

}  // namespace arenad::test
