// The store on a disk that fails: at every single I/O call of a life of it, in every way. After each, nothing that was acknowledged is
// missing, nothing is there that was never written, and nothing is half.
#include <filesystem>
#include <semaphore>
#include <stdlib.h>

#include <doctest/doctest.h>

#include "chaos/disk/faulty_vfs.h"
#include "state/store_thread.h"
#include "tests/support/seed.h"
#include "tests/support/store_steps.h"

namespace {

using namespace arenad;
using namespace arenad::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

using Survival = UnsyncedDisk::Survival;

constexpr uint64_t kOldSteps = 2;  // in the database before the faults begin
constexpr uint64_t kSteps = 4;

const StoreOptions kImpatient{.busy_timeout = 1ms};
const StoreRetry kSoon{.first_delay = 1ms, .longest_delay = 4ms, .tries_when_stopping = 3};

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (fs::temp_directory_path() / "arenad-faults-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  [[nodiscard]] std::string file() const { return (path_ / "arenad.db").string(); }
  [[nodiscard]] std::string list() const {
    std::string names;
    for (const auto& entry : fs::directory_iterator(path_)) names += entry.path().filename().string() + " ";
    return names;
  }
  [[nodiscard]] size_t files() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(path_), fs::directory_iterator()));
  }

 private:
  fs::path path_;
};

// A closed database of kOldSteps.
struct OldDatabase {
  TemporaryFolder folder;
  OldDatabase() {
    auto opened = Store::open(folder.file());
    REQUIRE(opened.ok());
    for (uint64_t step = 1; step <= kOldSteps; ++step) REQUIRE(opened->store.commit(step_batch(step)).ok());
  }
};

enum class Beginning { new_database, old_database };

// The disk of one case.
struct Machine {
  TemporaryFolder folder;
  FaultOrders orders;
  UnsyncedDisk disk;
  FaultyVfs vfs{orders, &disk};

  explicit Machine(Beginning beginning, const OldDatabase& old) {
    if (beginning == Beginning::old_database) fs::copy_file(old.folder.file(), folder.file());
  }
};

struct Progress {
  uint64_t acknowledged = 0;
  uint64_t attempted = 0;
  uint64_t failures = 0;
};

enum class AfterFailure { heal_after_three, give_up };

// A life of the store: opened, some steps, closed. What fails is tried again, as the store's thread does.
Progress live(const std::string& path, FaultOrders& orders, uint64_t from, AfterFailure after) {
  Progress progress{from, from, 0};
  std::optional<Store> store;
  while (progress.acknowledged < kSteps) {
    bool is_done = false;
    if (!store) {
      auto opened = Store::open(path, kImpatient);
      if (opened) {
        store = std::move(opened->store);
        continue;
      }
    } else {
      progress.attempted = progress.acknowledged + 1;
      is_done = store->commit(step_batch(progress.attempted)).ok();
    }
    if (is_done) {
      ++progress.acknowledged;
      continue;
    }
    ++progress.failures;
    REQUIRE(progress.failures < 20);
    if (after == AfterFailure::give_up) break;
    if (progress.failures == 3) orders.heal();
  }
  return progress;
}

std::string name_of(Beginning beginning) {
  return beginning == Beginning::old_database ? "old database" : "new database";
}

uint64_t steps_at(Beginning beginning) {
  return beginning == Beginning::old_database ? kOldSteps : 0;
}

// Runs one life with this fault at each call for which there is one. judge(machine, progress, nth) looks at what is left.
template <class Judge>
uint64_t at_every_call(Beginning beginning, const OldDatabase& old, Fault fault, AfterFailure after, Judge judge) {
  for (fault.nth = 1;; ++fault.nth) {
    CAPTURE(fault.nth);
    Machine machine(beginning, old);
    machine.orders.arm(fault);
    const Progress progress = live(machine.folder.file(), machine.orders, steps_at(beginning), after);
    const bool has_fired = machine.orders.fired() > 0;
    machine.orders.heal();
    judge(machine, progress, fault.nth);
    if (!has_fired) return fault.nth - 1;
  }
}

void check_left(Machine& machine, const Progress& progress) {
  CHECK(fault_of(look_at(machine.folder.file()), progress.acknowledged, progress.attempted) == "");
  CAPTURE(machine.folder.list());
  CHECK(machine.folder.files() == 1);  // nothing was moved aside, no -wal is left
}

}  // namespace

TEST_CASE("store faults: an error at any call, once and until it heals") {
  const OldDatabase old;
  struct Way {
    std::string name;
    Fault fault;
  };
  const Way ways[] = {
      {"I/O error once", {}},
      {"I/O error until healed", {.lasting = Lasting::until_healed}},
      {"full once", {.calls = bit(Call::write), .code = SQLITE_FULL}},
      {"full until healed", {.calls = bit(Call::write), .lasting = Lasting::until_healed, .code = SQLITE_FULL}},
      {"locked once", {.calls = bit(Call::lock)}},
      {"locked until healed", {.calls = bit(Call::lock), .lasting = Lasting::until_healed}},
      {"done, but failed, once", {.effect = Effect::done}},
      {"done, but failed, until healed", {.effect = Effect::done, .lasting = Lasting::until_healed}},
      {"no memory once", {.code = SQLITE_IOERR_NOMEM}},
  };
  for (const Beginning beginning : {Beginning::new_database, Beginning::old_database}) {
    for (const Way& way : ways) {
      CAPTURE(way.name);
      const bool lasts = way.fault.lasting == Lasting::until_healed;
      uint64_t failures = 0;
      const uint64_t calls = at_every_call(beginning, old, way.fault, AfterFailure::heal_after_three,
                                           [&](Machine& machine, const Progress& progress, uint64_t) {
                                             CHECK(progress.acknowledged == kSteps);
                                             failures += progress.failures;
                                             check_left(machine, progress);
                                           });
      CHECK(calls > 10);
      MESSAGE(way.name, ", ", name_of(beginning), ": ", calls, " calls, ", failures, " failed opens and commits");
      if (lasts) CHECK(failures > 0);
    }
  }
}

TEST_CASE("store faults: an error at any call, and then the process dies") {
  const OldDatabase old;
  for (const Effect effect : {Effect::refused, Effect::done}) {
    for (const Beginning beginning : {Beginning::new_database, Beginning::old_database}) {
      uint64_t unknown = 0;
      const uint64_t calls = at_every_call(beginning, old, {.effect = effect, .lasting = Lasting::until_healed},
                                           AfterFailure::give_up, [&](Machine& machine, const Progress& progress, uint64_t) {
                                             const Found found = look_at(machine.folder.file());
                                             CHECK(fault_of(found, progress.acknowledged, progress.attempted) == "");
                                             unknown += found.steps > progress.acknowledged ? 1 : 0;
                                           });
      const std::string way = effect == Effect::done ? "done, but failed" : "refused";
      MESSAGE(way, ", ", name_of(beginning), ": ", calls, " calls; ", unknown, " times a commit that had failed was there");
      if (effect == Effect::done) CHECK(unknown > 0);
    }
  }
}

TEST_CASE("store faults: the power goes at any call, and any part of what was not synced survives") {
  const OldDatabase old;
  Random seeds(test_seed());
  const Fault cut{.calls = kChangingCalls, .effect = Effect::power_cut};
  for (const Beginning beginning : {Beginning::new_database, Beginning::old_database}) {
    uint64_t cases = 0;
    uint64_t calls = 0;
    uint64_t ahead = 0;
    for (int round = 0; round < 5; ++round) {
      const Survival survival = round == 0 ? Survival::nothing : round == 1 ? Survival::everything : Survival::any_part;
      calls =
          at_every_call(beginning, old, cut, AfterFailure::give_up, [&](Machine& machine, const Progress& progress, uint64_t) {
            const uint64_t seed = seeds();
            CAPTURE(seed);
            machine.vfs.power_on(seed, survival);
            const Found found = look_at(machine.folder.file());
            CHECK(fault_of(found, progress.acknowledged, progress.attempted) == "");
            ahead += found.steps > progress.acknowledged ? 1 : 0;
            ++cases;
          });
    }
    CHECK(calls > 20);
    MESSAGE(name_of(beginning), ": ", calls, " calls, ", cases, " power cuts; ", ahead,
            " times a commit that was not acknowledged was there");
  }
}

TEST_CASE("store faults: a disk that lies about its syncs is found out") {
  const OldDatabase old;
  Machine machine(Beginning::old_database, old);
  machine.orders.arm({.calls = bit(Call::sync), .effect = Effect::denied, .lasting = Lasting::until_healed});
  const Progress progress = live(machine.folder.file(), machine.orders, kOldSteps, AfterFailure::give_up);
  CHECK(progress.acknowledged == kSteps);
  machine.orders.heal();
  machine.vfs.power_on(1, Survival::nothing);
  CHECK(fault_of(look_at(machine.folder.file()), progress.acknowledged, progress.attempted).starts_with("lost"));
}

// After a failed sync the system takes the pages for clean, though the disk does not have them: whoever syncs again is told that all is
// well. So what the failed commit wrote has to be written anew.
TEST_CASE("store faults: what a failed sync has lost is not taken for durable by a later one") {
  const OldDatabase old;
  for (const Beginning beginning : {Beginning::new_database, Beginning::old_database}) {
    const uint64_t calls =
        at_every_call(beginning, old, {.calls = bit(Call::sync), .effect = Effect::lost}, AfterFailure::heal_after_three,
                      [&](Machine& machine, const Progress& progress, uint64_t) {
                        CHECK(progress.acknowledged == kSteps);
                        machine.vfs.power_on(1, Survival::nothing);
                        CHECK(fault_of(look_at(machine.folder.file()), progress.acknowledged, progress.attempted) == "");
                      });
    CHECK(calls >= kSteps);
    MESSAGE(name_of(beginning), ": ", calls, " syncs");
  }
}

// As arenad does it: everything is submitted at once, nobody waits, and the thread tries until the disk is well.
TEST_CASE("store faults: the store's thread makes up for what failed, in order and once") {
  const OldDatabase old;
  for (const Effect effect : {Effect::refused, Effect::done}) {
    uint64_t failed = 0;
    uint64_t nth = 0;
    for (bool has_fired = true; has_fired;) {
      ++nth;
      CAPTURE(nth);
      Machine machine(Beginning::old_database, old);
      auto opened = Store::open(machine.folder.file(), kImpatient);
      REQUIRE(opened.ok());
      machine.orders.arm({.calls = kChangingCalls, .nth = nth, .effect = effect, .lasting = Lasting::until_healed});
      std::counting_semaphore woken(0);
      uint64_t completed = kOldSteps;
      {
        StoreThread store(
            std::move(opened->store), [&] { woken.release(); }, kSoon);
        uint64_t submitted = kOldSteps;
        const auto submit_next = [&] {
          ++submitted;
          store.submit(step_batch(submitted), [&completed, step = submitted](const Result<void>& result) {
            CHECK(result.ok());
            CHECK(step == ++completed);
          });
        };
        while (completed < kSteps) {
          if (submitted == completed) submit_next();
          REQUIRE(woken.try_acquire_for(60s));
          if (store.health().failed_commits >= 2) machine.orders.heal();
          store.run_completions();
        }
        CHECK_FALSE(store.health().failing_since_ns);
        failed += store.health().failed_commits;
        has_fired = machine.orders.fired() > 0;
        machine.orders.heal();
        store.stop(Drain::commit_queued);
      }
      CHECK(fault_of(look_at(machine.folder.file()), kSteps, kSteps) == "");
      CHECK(machine.folder.files() == 1);
    }
    CHECK(failed > nth);
    MESSAGE("the thread: ", nth - 1, " calls, ", failed, " failed commits");
  }
}
