#include "chaos/demo_run.h"

#include <algorithm>
#include <fmt/format.h>
#include <poll.h>

#include "chaos/files.h"
#include "chaos/litter.h"
#include "chaos/tally.h"
#include "chaos/trial.h"
#include "ipc/clock.h"

namespace arenad::chaos {
namespace {

constexpr uint64_t kDeadlineMs = 60'000;
constexpr uint64_t kDeadlineNs = kDeadlineMs * kMillisecond;
constexpr uint64_t kShortPatienceMs = 3000;
constexpr uint64_t kRestMs = 10;
constexpr uint64_t kLookAtBotsNs = 50 * kMillisecond;
constexpr uint64_t kGraceMs = 5000;            // for processes of arenad's to end after it
constexpr const char* kLongestMatch = "3600";  // seconds; no run takes so long
// All of them, however few have a bot: those without one stand in their base, and it cannot be captured before they are destroyed.
constexpr const char* kMostTanks = "30";

std::string state_of(const ArenaObserver& observer) {
  if (observer.departure()) return observer.departure()->state;
  const WorkerStatus* status = observer.status();
  if (status == nullptr) return "starting";
  switch (static_cast<Stage>(status->stage.load(std::memory_order_acquire))) {
    case Stage::blank:
      return "starting";
    case Stage::recovering:
      return "recovering";
    case Stage::live:
      return "running";
    case Stage::finished:
      return "stopped";
    case Stage::ended:
      return "ended";
  }
  return "?";
}

}  // namespace

DemoRun::DemoRun(const RunOptions& options, const Programs& programs, std::filesystem::path folder, StopSignals& signals,
                 std::vector<ReloadStep> script)
    : options_(options),
      programs_(programs),
      folder_(std::move(folder)),
      signals_(signals),
      script_(std::move(script)),
      screen_(stdout),
      crew_(programs.self, folder_) {
  summary_.options = options;
}

RunSummary DemoRun::run() {
  auto course = prepare();
  if (course) course = play();
  if (course) course = wind_down();
  count();
  take_down();
  // Without its end a match cannot be judged: the logs are cut off, and everything behind would seem to be missing.
  if (course) course = try_all();
  summary_.judged = course.ok();
  if (!course && !summary_.cut_short) complain(course.error());
  note_what_is_vacuous(crew_, summary_);
  return std::move(summary_);
}

// ---- prepare ------------------------------------------------------------------------------------------------------------

Result<void> DemoRun::prepare() {
  if (options_.victims != Victims::workers) {
    auto pacers = Pacers::start();
    if (!pacers) return pacers.error();
    pacers_.emplace(std::move(*pacers));
  }
  if (auto started = start_daemon(); !started) return started;
  if (auto started = start_arenas(); !started) return started;
  return start_bots();
}

Result<void> DemoRun::start_daemon() {
  auto daemon = DaemonProcess::start(programs_, folder_);
  if (!daemon) return daemon.error();
  daemon_.emplace(std::move(*daemon));
  return wait_until("arenad to answer", [this] {
    auto control = Control::connect(daemon_->socket());
    if (!control || !control->greet()) return false;
    control_.emplace(std::move(*control));
    return true;
  });
}

Result<void> DemoRun::start_arenas() {
  auto client = Client::connect(daemon_->socket());
  if (!client) return client.error();
  client_ = std::move(*client);
  Random random(options_.seed, "arenas");
  for (size_t i = 0; i < options_.arenas; ++i) {
    auto arena = control_->start(
        fmt::format("tanks-{}", i + 1),
        {{"seconds", kLongestMatch}, {"players", kMostTanks}, {"seed", std::to_string(random.below(INT64_MAX))}});
    if (!arena) return arena.error();
    // At once, while the log still has the first frames.
    const auto log = folder_ / (arena->name + ".observer.log");
    auto observer = ArenaObserver::attach(*client_, std::move(*arena), log);
    if (!observer) return observer.error();
    observers_.push_back(std::move(*observer));
    for (const auto& watched : observers_) watched->look();
    if (wish() != Wish::go_on) return cut_short();
  }
  return {};
}

Result<void> DemoRun::start_bots() {
  screen_.say(
      fmt::format("{} arenas run; {} bots join, each a process of its own", options_.arenas, options_.arenas * options_.bots));
  Random random(options_.seed, "bots");
  for (size_t bot = 0; bot < options_.bots; ++bot) {
    for (size_t i = 0; i < observers_.size(); ++i) {
      auto started = crew_.start(i, {.socket = daemon_->socket(),
                                     .arena = observers_[i]->arena().name,
                                     .player = fmt::format("bot-{:02}", bot + 1),
                                     .log = "",
                                     .seed = random.next(),
                                     .channel_bytes = options_.channel_bytes});
      if (!started) return started;
      if (wish() != Wish::go_on) return cut_short();
    }
    for (const auto& observer : observers_) observer->look();
  }
  return wait_until("all bots to be in their arenas", [this] { return crew_.all_reached(BotStage::attached); });
}

// ---- play ---------------------------------------------------------------------------------------------------------------

Result<void> DemoRun::choose_killers() {
  const bool workers = options_.victims == Victims::workers;
  const bool workers_too = workers || options_.victims == Victims::mixed;
  const uint64_t every_ns = options_.kill_every_ms * kMillisecond;
  const uint64_t count = options_.kills == 0 ? UINT64_MAX : options_.kills;
  const KillPlan plan{.every_ns = workers_too ? every_ns : 0, .count = workers ? count : UINT64_MAX, .aim_at = options_.aim};
  killer_.emplace(*control_, observers_, plan, options_.seed, [this] { look_at_all(); });
  if (!workers && every_ns != 0) {
    daemon_killer_.emplace(daemon_->keeper(), *control_, *killer_, *pacers_, observers_,
                           DaemonKiller::Plan{options_.victims, every_ns, count}, options_.seed);
  }
  if (options_.gauge) {
    auto arenad = control_->greet();
    if (!arenad) return arenad.error();
    gauge_.emplace(*arenad, options_.kills);
  }
  return {};
}

void DemoRun::choose_changes() {
  if (options_.subject != Subject::changes_of_code) return;
  const auto rest_ns = static_cast<uint64_t>(options_.seconds * kSecond);
  changes_.emplace(std::move(script_), ReloadShow::Place{programs_.arenactl, daemon_->socket(), folder_ / "arenactl.log"},
                   rest_ns, *control_, screen_);
  changes_->begin(monotonic_ns());
}

Result<void> DemoRun::play() {
  if (auto chosen = choose_killers(); !chosen) return chosen;
  choose_changes();
  stage_ = Stage::playing;
  began_ns_ = monotonic_ns();
  killer_->begin(began_ns_);
  if (daemon_killer_) daemon_killer_->begin(began_ns_);
  Result<void> course;
  while (course && !play_is_over(monotonic_ns())) {
    turn();
    course = check_health();
    if (course) course = changes_ ? changes_->turn(monotonic_ns()) : kill_if_due();
  }
  summary_.seconds = static_cast<double>(monotonic_ns() - began_ns_) / kSecond;
  return course;
}

Result<void> DemoRun::kill_if_due() {
  const uint64_t now = monotonic_ns();
  killer_->note_recoveries();
  const Gauge::Kills so_far{killer_->kills().size(), killer_->fewest_kills()};
  if (gauge_ && gauge_->look(now, so_far, killer_->all_are_up())) return {};
  if (daemon_killer_) {
    if (auto course = daemon_killer_->turn(now); !course) return course;
    if (daemon_killer_->in_round() || daemon_killer_->is_due(now)) return {};
  }
  return killer_->turn(now);
}

bool DemoRun::play_is_over(uint64_t now_ns) {
  const bool amid = daemon_killer_ && daemon_killer_->in_round();
  if (wish() != Wish::go_on && (!amid || wish() == Wish::end_at_once)) {
    summary_.cut_short = true;
    return true;
  }
  if (all_departed()) return true;
  if (amid) return false;
  if (changes_) return changes_->done();
  if (options_.kills == 0 || options_.kill_every_ms == 0) {
    return static_cast<double>(now_ns - began_ns_) >= options_.seconds * kSecond;
  }
  return daemon_killer_ ? daemon_killer_->done() : killer_->done() && (!gauge_ || gauge_->done());
}

void DemoRun::look_at_all() {
  for (const auto& observer : observers_) observer->look();
}

// ---- wind down ----------------------------------------------------------------------------------------------------------

Result<void> DemoRun::wind_down() {
  stage_ = Stage::winding_down;
  if (changes_) changes_->stop();
  screen_.say("bots stop sending; everything that they sent has to arrive");
  crew_.stop_sending();
  if (auto quiet = wait_until("all bots to stop sending", [this] { return crew_.all_reached(BotStage::quiet); }); !quiet)
    return quiet;
  auto up = wait_until("all arenas to be back", [this] {
    killer_->note_recoveries();
    return killer_->all_are_up();
  });
  if (!up) return up;
  // Who comes back to an arena that is stopped by then does not get its last outputs.
  auto back = wait_until("all clients to be back", [this] {
    auto clients = control_->clients();
    return clients && *clients >= clients_there();
  });
  if (!back) return back;
  // What never arrives is lost, and is counted as that when the arena is tried.
  if (auto taken = wait_until("every event to be in a frame", [this] { return all_taken(); }); !taken) complain(taken.error());
  return stop_arenas();
}

Result<void> DemoRun::stop_arenas() {
  std::vector<ArenaId> running;
  for (const auto& observer : observers_) {
    if (!observer->departure()) running.push_back(observer->arena().id);
  }
  if (!running.empty()) {
    if (auto stopped = control_->stop(running); !stopped) return stopped;
  }
  auto departed = wait_until("all arenas to be gone", [this] { return all_departed(); });
  if (!departed) return departed;
  auto finished = wait_until("all bots to read to the end", [this] { return crew_.all_reached(BotStage::finished); });
  if (!finished) return finished;
  for (const std::string& failure : crew_.wait_for_all(monotonic_ns() + kDeadlineNs)) summary_.findings.problem(failure);
  return {};
}

uint64_t DemoRun::clients_there() const {
  uint64_t count = 0;
  for (const auto& observer : observers_) count += observer->departure() ? 0 : 1 + options_.bots;
  return count;
}

bool DemoRun::all_taken() const {
  return std::all_of(crew_.bots().begin(), crew_.bots().end(), [this](const BotCrew::Bot& bot) {
    const ArenaObserver& observer = *observers_[bot.arena];
    const FrameHistory::Part* part = observer.history().part({bot.report.channel});
    return observer.departure() || (part != nullptr && part->taken >= bot.report.event_bytes_sent);
  });
}

bool DemoRun::all_departed() const {
  return std::all_of(observers_.begin(), observers_.end(),
                     [](const auto& observer) { return observer->departure().has_value(); });
}

// ---- take down ----------------------------------------------------------------------------------------------------------

void DemoRun::take_down() {
  for (const auto& observer : observers_) {
    if (auto closed = observer->close_log(); !closed) complain(closed.error());
  }
  crew_.dismiss();
  pacers_.reset();
  const Peace peace = stop_daemon();
  for (const std::string& process : clear_litter(kGraceMs)) {
    if (peace == Peace::kept) summary_.findings.problem("litter: " + process + " was left over");
  }
}

// What is not given the time to end in order has done nothing wrong if it does not.
DemoRun::Peace DemoRun::stop_daemon() {
  if (!daemon_) return Peace::kept;
  const bool hurried = wish() == Wish::end_at_once;
  const bool greeted = control_.has_value();
  auto stopped = daemon_->stop(hurried ? kShortPatienceMs : kDeadlineMs);
  const bool broken = !stopped && (hurried ? stopped.error().code == ErrorCode::timeout : summary_.cut_short && !greeted);
  if (!broken) {
    if (!stopped) complain(stopped.error());
    const uint64_t killed = daemon_killer_ ? daemon_killer_->arenads_killed() : 0;
    for (const std::string& trouble : daemon_->troubles(killed)) summary_.findings.problem(trouble);
  }
  daemon_.reset();
  return broken ? Peace::broken : Peace::kept;
}

// ---- try ----------------------------------------------------------------------------------------------------------------

Result<void> DemoRun::try_all() {
  screen_.say(fmt::format("running the same frames of {} arenas again without a crash", observers_.size()));
  for (size_t i = 0; i < observers_.size(); ++i) {
    std::vector<std::filesystem::path> logs;
    for (const BotCrew::Bot& bot : crew_.bots()) {
      if (bot.arena == i) logs.push_back(bot.log);
    }
    summary_.findings += try_arena(programs_, folder_, *observers_[i], logs);
    if (wish() == Wish::end_at_once) return cut_short();
  }
  return {};
}

// ---- the loop -----------------------------------------------------------------------------------------------------------

void DemoRun::turn() {
  for (const auto& observer : observers_) observer->look();
  const uint64_t now = monotonic_ns();
  if (now - looked_at_bots_ns_ >= kLookAtBotsNs) {
    looked_at_bots_ns_ = now;
    crew_.look();
  }
  if (stage_ != Stage::preparing && screen_.is_due(now)) show();
  rest();
}

// An attachment whose arena is gone has something to tell for ever.
void DemoRun::rest() {
  std::vector<Attachment*> attachments;
  for (const auto& observer : observers_) {
    if (!observer->departure()) attachments.push_back(&observer->attachment());
  }
  const bool in_haste = daemon_killer_ && daemon_killer_->is_away();
  if (!attachments.empty()) return Client::wait_any(attachments, in_haste ? 1 : kRestMs);
  pollfd end{daemon_->pidfd().get(), POLLIN, 0};
  ::poll(&end, 1, static_cast<int>(kRestMs));
}

Result<void> DemoRun::check_health() {
  if (const auto exit = daemon_->ended()) {
    return make_error(ErrorCode::failed, "arenad has ended: " + exit->text() + "\n" + last_lines(daemon_->log(), 10));
  }
  // Its keeper starts another one, but nobody has killed it.
  const bool is_killed = daemon_killer_ && daemon_killer_->is_away();
  if (control_ && !is_killed && !control_->is_connected()) {
    return make_error(ErrorCode::failed, "arenad has died, or has hung up on us:\n" + last_lines(daemon_->log(), 10));
  }
  for (const auto& observer : observers_) {
    if (!observer->trouble().empty()) return make_error(ErrorCode::failed, observer->trouble());
    const auto& departure = observer->departure();
    if (stage_ != Stage::winding_down && departure && departure->state != "ended") {
      return make_error(ErrorCode::failed, observer->arena().name + " is " + departure->state + ": " + departure->reason);
    }
  }
  if (killer_) {
    if (std::string overdue = killer_->overdue(monotonic_ns(), kDeadlineNs); !overdue.empty()) {
      return make_error(ErrorCode::timeout, std::move(overdue));
    }
  }
  if (std::string casualty = crew_.casualty(); !casualty.empty()) {
    return make_error(ErrorCode::failed, casualty + "\n" + last_lines(crew_.complaints(), 5));
  }
  return {};
}

Result<void> DemoRun::wait_until(const std::string& what, const std::function<bool()>& is_there) {
  const uint64_t deadline_ns = monotonic_ns() + kDeadlineNs;
  while (!is_there()) {
    const Wish enough = stage_ == Stage::preparing ? Wish::end : Wish::end_at_once;
    if (wish() >= enough) return cut_short();
    if (auto healthy = check_health(); !healthy) return healthy;
    if (monotonic_ns() >= deadline_ns) {
      return make_error(ErrorCode::timeout, fmt::format("waited {} s in vain for {}", kDeadlineMs / 1000, what));
    }
    turn();
  }
  return {};
}

// ---- what is shown and counted ------------------------------------------------------------------------------------------

ArenaPicture DemoRun::picture_of(size_t arena) const {
  const ArenaObserver& observer = *observers_[arena];
  ArenaPicture picture{.name = observer.arena().name, .state = state_of(observer), .epoch = observer.epoch().value};
  if (const WorkerStatus* status = observer.status()) {
    picture.frame = status->frame_done.load(std::memory_order_relaxed);
    picture.events = status->events_applied.load(std::memory_order_relaxed);
    picture.outputs = status->outputs_count.load(std::memory_order_relaxed);
  }
  for (const Kill& kill : killer_->kills()) {
    if (kill.arena != arena) continue;
    ++picture.kills;
    if (kill.to_frame_ns) picture.last_recovery_ms = static_cast<double>(*kill.to_frame_ns) / kMillisecond;
  }
  if (!observer.lives().empty()) picture.version = observer.lives().back().version;
  if (picture.state == "running" && !killer_->is_up(arena)) picture.state = "killed";
  return picture;
}

void DemoRun::show() {
  const uint64_t now = monotonic_ns();
  Picture picture{.subject = options_.subject,
                  .seconds = static_cast<double>(now - began_ns_) / kSecond,
                  .bots = crew_.bots().size(),
                  .kills = killer_->kills().size()};
  for (size_t i = 0; i < observers_.size(); ++i) picture.arenas.push_back(picture_of(i));
  screen_.show(picture, now);
}

void DemoRun::count() {
  crew_.look();
  for (const auto& observer : observers_) observer->look();
  tally_traffic(crew_, observers_, summary_);
  if (!killer_) return;
  killer_->note_recoveries();
  tally_kills(*killer_, observers_, summary_);
  if (daemon_killer_) summary_.daemon = tally_daemon(*daemon_killer_, *killer_);
  if (gauge_) summary_.growth = tally_growth(*gauge_);
  if (summary_.daemon.workers_changed != 0) summary_.findings.problem("workers that were left alone were others afterwards");
  if (changes_) {
    summary_.reload = changes_->tally();
    summary_.findings += changes_->findings();
  }
  if (summary_.set_back != 0) summary_.findings.problem("arenas were set back to a checkpoint");
  if (!changes_) count_deaths_of_others();
}

// Each incarnation but the last was killed, or else a worker has died by itself. Where arenad lived all the time, each that began
// counts, whether it was seen or not.
void DemoRun::count_deaths_of_others() {
  for (size_t i = 0; i < observers_.size(); ++i) {
    const std::vector<Kill>& kills = killer_->kills();
    const auto killed =
        static_cast<uint64_t>(std::count_if(kills.begin(), kills.end(), [i](const Kill& kill) { return kill.arena == i; }));
    const std::vector<Life>& lives = observers_[i]->lives();
    const auto died = std::count_if(lives.begin(), lives.end(), [&](const Life& life) {
      return life.epoch < lives.back().epoch && !killer_->has_killed(i, life);
    });
    const uint64_t epoch = observers_[i]->epoch().value;
    if (died == 0 && (daemon_killer_ || epoch <= killed + 1)) continue;
    const std::string& name = observers_[i]->arena().name;
    summary_.findings.problem(
        fmt::format("{} is in epoch {} after {} kills: a worker has died by itself", name, epoch, killed));
    for (const std::string& line : lines_with(daemon_->log(), "arena=" + name + " ")) {
      if (line.find("recovered in") == std::string::npos && line.find("signal=KILL") == std::string::npos) screen_.say(line);
    }
  }
}

// ---- asked to end -------------------------------------------------------------------------------------------------------

// Says what comes of it when somebody asks for the end.
Wish DemoRun::wish() {
  const Wish wish = signals_.look();
  if (wish > heard_) {
    heard_ = wish;
    screen_.say(answer_to(wish));
  }
  return wish;
}

std::string DemoRun::answer_to(Wish wish) const {
  if (wish == Wish::end_at_once) return "ending at once, without judging";
  switch (stage_) {
    case Stage::preparing:
      return "ending: nothing was played, and so there is nothing to judge";
    case Stage::playing:
      return "ending early: what was played is judged; Ctrl-C once more leaves that out";
    case Stage::winding_down:
      return "the play is over and is judged; Ctrl-C once more leaves that out";
  }
  return "ending";
}

Error DemoRun::cut_short() {
  summary_.cut_short = true;
  return make_error(ErrorCode::failed, "cut short");
}

}  // namespace arenad::chaos
