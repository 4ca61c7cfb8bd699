#include "chaos/stage.h"

#include <algorithm>
#include <cstdlib>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include "chaos/driver_player.h"
#include "chaos/equipment.h"
#include "chaos/preload/faulty_log.h"
#include "chaos/rig/ledger_player.h"
#include "ipc/clock.h"

namespace arenad::chaos {
namespace {

// Entries of a player that have not come back.
constexpr uint64_t kMostOnTheirWay = 4;

// What the game is called in the configuration, whichever it is.
constexpr const char* kGame = "ledger";

constexpr const char* kConfiguredModule = "ledger.so";

// A hang is found within a moment, a restart waits for no more than a moment, and little memory is all that a worker of the ledger may take;
// otherwise as a service runs.
std::string config(const std::filesystem::path& folder, const std::filesystem::path& worker,
                   const std::filesystem::path& module, bool is_ledger) {
  return fmt::format(
      "[daemon]\ndirectory = \"{0}/state\"\nruntime_directory = \"{0}/run\"\nsocket = \"arenad.sock\"\nworker = \"{1}\"\n"
      "log_format = \"plain\"\n"
      "[checkpoint]\ninterval_ms = 50\n"
      "[arenas]\nkeep_finished = 0\n"
      "[hang]\nsoft_limit_ms = 100\nhard_limit_ms = 1000\n"
      "[restart]\nintensity = 1000\nwindow_ms = 1000\nfirst_delay_ms = 1\nmax_delay_ms = 100\nhealthy_ms = 1\n"
      "[games.{3}]\nmodule = \"{2}\"\nsnapshot_interval_ms = 20\nspares = 2\n{4}",
      folder.string(), worker.string(), module.string(), kGame, is_ledger ? "memory_mib = 64\n" : "");
}

Result<std::unique_ptr<Player>> begin_player(const Plan& plan, const Stage::Arena& arena, const sweep::Rig& rig,
                                             uint64_t seed) {
  if (plan.driver.empty()) {
    auto player = std::make_unique<test::LedgerPlayer>(rig.socket(), "ann");
    if (auto attached = player->attach(arena.id); !attached) return attached.error();
    return std::unique_ptr<Player>(std::move(player));
  }
  auto player = DriverPlayer::start({.program = plan.driver,
                                     .log = rig.folder() / ("driver-" + arena.name + ".log"),
                                     .socket = rig.socket(),
                                     .arena = arena.id.text(),
                                     .player = "ann",
                                     .seed = seed});
  if (!player) return player.error();
  return std::unique_ptr<Player>(std::move(*player));
}

// A file of zeros that other processes map too, for as long as this one lives.
template <class Orders>
Result<Orders*> share(const std::filesystem::path& path) {
  const Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file || ::ftruncate(file.get(), sizeof(Orders)) != 0) return errno_error("cannot make " + path.string());
  void* memory = ::mmap(nullptr, sizeof(Orders), PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  if (memory == MAP_FAILED) return errno_error("cannot map " + path.string());
  return static_cast<Orders*>(memory);
}

// Whatever is started while this lives has these variables.
class Variables {
 public:
  explicit Variables(const std::vector<std::pair<const char*, std::string>>& variables) : variables_(variables) {
    for (const auto& [name, value] : variables_) ::setenv(name, value.c_str(), 1);
  }
  Variables(const Variables&) = delete;
  Variables& operator=(const Variables&) = delete;
  ~Variables() {
    for (const auto& [name, value] : variables_) ::unsetenv(name);
  }

 private:
  const std::vector<std::pair<const char*, std::string>>& variables_;
};

}  // namespace

Result<std::unique_ptr<Stage>> Stage::set(const std::filesystem::path& folder, const Plan& plan,
                                          std::function<bool()> is_called_off) {
  auto equipment = find_equipment();
  if (!equipment) return equipment.error();
  test::FaultOrders* disk = nullptr;
  test::ClockOrders* clock = nullptr;
  std::vector<std::pair<const char*, std::string>> variables;
  if (!equipment->disk.empty() && !equipment->clock.empty()) {
    auto obedient_disk = share<test::FaultOrders>(folder / "faults");
    if (!obedient_disk) return obedient_disk.error();
    auto obedient_clock = share<test::ClockOrders>(folder / "clock");
    if (!obedient_clock) return obedient_clock.error();
    auto obedient_log = share<test::LogOrders>(folder / "log_orders");
    if (!obedient_log) return obedient_log.error();
    disk = *obedient_disk;
    clock = *obedient_clock;
    variables = {{"LD_PRELOAD", equipment->disk.string() + ":" + equipment->clock.string()},
                 {"ARENAD_TEST_PRELOAD_OF_CHILDREN", equipment->clock.string()},
                 {"ARENAD_TEST_FAULTS", (folder / "faults").string()},
                 {test::kClockVariable, (folder / "clock").string()},
                 {test::kLogVariable, (folder / "log_orders").string()}};
  }
  std::filesystem::path module = plan.game;
  if (plan.game.empty()) {
    // One of its own, that may be spoiled.
    module = folder / kConfiguredModule;
    std::error_code error;
    std::filesystem::copy_file(equipment->games / "ledger.so", module, error);
    if (error) return make_error(ErrorCode::failed, "cannot make " + module.string() + ": " + error.message());
  }
  const Variables set_now(variables);
  auto rig = sweep::Rig::start(folder, config(folder, equipment->worker, module, plan.game.empty()));
  if (!rig) return rig.error();
  std::unique_ptr<Stage> stage(new Stage(std::move(*rig)));
  stage->rig().call_off_when(is_called_off);
  stage->is_called_off_ = std::move(is_called_off);
  stage->disk_ = disk;
  stage->clock_ = clock;
  stage->variables_ = variables;
  for (const PlannedArena& planned : plan.arenas) {
    if (stage->is_called_off()) return make_error(ErrorCode::failed, "it was called off while the stage was set");
    // Its ticks are a parameter of the ledger; a studio's game has its own.
    const uint32_t hz = plan.game.empty() ? planned.hz : 0;
    Arena arena{.id = ArenaId::make(unix_ms(), stage->arenas_.size(), random_u64()),
                .name = planned.name,
                .hz = hz,
                .entries = planned.entries,
                .planned = planned.entries,
                .player = nullptr};
    if (auto started = stage->rig().start_arena(arena.id, arena.name, kGame, hz); !started) return started.error();
    auto player = begin_player(plan, arena, stage->rig(), plan.seed + stage->arenas_.size());
    if (!player) return player.error();
    arena.player = std::move(*player);
    stage->arenas_.push_back(std::move(arena));
  }
  return stage;
}

std::filesystem::path Stage::ledger_module() const {
  return rig_->folder() / kConfiguredModule;
}

Result<void> Stage::begin_again() {
  const Variables set_now(variables_);
  return rig_->begin_again();
}

void Stage::do_meanwhile(std::function<void()> work) {
  rig_->do_meanwhile(work);
  meanwhile_ = std::move(work);
}

void Stage::turn() {
  meanwhile_();
  for (Arena& arena : arenas_) {
    Player& player = *arena.player;
    // How much is said beyond the plan is a matter of moments: what the plan has come to is what a seed always comes to.
    const bool is_at_plan = player.said() == arena.planned;
    if (is_at_plan && !arena.planned_state && player.hears_all()) arena.planned_state = player.digest();
    const bool may_say = !is_at_plan || arena.planned_state;
    if (may_say && player.said() < std::min(arena.entries, arena.limit) &&
        player.said() - player.heard_back() < kMostOnTheirWay) {
      (void)player.say();
    }
    player.listen();
    arena.worker = player.worker();
  }
  ::usleep(1000);
}

std::optional<std::vector<sweep::StoredAward>> Stage::stored_awards(size_t arena) {
  auto stored = rig_->awards(arenas_[arena].id);
  if (!stored) return stored;
  // One that is in two of them is there twice, unless it says the same in both.
  for (const auto& [sequence, bytes] : former_databases_.results(arenas_[arena].id)) {
    const sweep::StoredAward former = sweep::award_of(sequence, bytes);
    if (std::ranges::find(*stored, former) == stored->end()) stored->push_back(former);
  }
  std::ranges::sort(*stored, {}, &sweep::StoredAward::sequence);
  return stored;
}

Result<void> Stage::strike() {
  props_.clear();
  if (disk_ != nullptr) disk_->heal();
  if (clock_ != nullptr) clock_->ahead_ns = 0;
  for (Arena& arena : arenas_) arena.player->leave();
  return rig_->stop();
}

}  // namespace arenad::chaos
