// Faults of the disk, below SQLite: a VFS over the system's that fails, delays or forgets what a test orders, by position: "the third
// write to the -wal from now on".
//
//   effect        the call is                            reports        what it stands for
//   ------------  -------------------------------------  -------------  -------------------------------------------
//   refused       not done                               the error      an I/O error, a full disk, a lock (of Call::lock)
//   done          done                                   the error      an outcome that nobody knows
//   delayed       done, after a time                     success        a slow disk
//   power_cut     not done, nor is any later one         an I/O error   the machine dies; power_on() shows what is left
//   lost          not done, and what waits for this      the error      a failed sync, after which the system takes the pages for
//                 sync never reaches the disk                           clean: the next sync "succeeds" without them
//   denied        not done                               success        a disk that lies about its syncs
//
// The orders lie in memory that may be shared with another process: a test gives them to an arenad which has this loaded
// (faulty_vfs_preload.cc). power_cut, lost and denied need an UnsyncedDisk, and so stay within one process.
//
// Shared memory between connections (xShm*) is passed through, but for the taking of exclusive locks, which is Call::lock.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include <sqlite3.h>

#include "chaos/disk/unsynced_disk.h"

namespace arenad::test {

enum class Call : uint32_t { open, read, write, sync, truncate, remove, lock };
constexpr size_t kCalls = 7;
enum class FileKind : uint32_t { database, wal, other };
constexpr size_t kFileKinds = 3;

const char* to_string(Call call);
const char* to_string(FileKind kind);

// Sets of them.
constexpr uint32_t bit(Call call) {
  return 1U << static_cast<uint32_t>(call);
}
constexpr uint32_t bit(FileKind kind) {
  return 1U << static_cast<uint32_t>(kind);
}
constexpr uint32_t kAllFiles = bit(FileKind::database) | bit(FileKind::wal) | bit(FileKind::other);
constexpr uint32_t kChangingCalls =
    bit(Call::open) | bit(Call::write) | bit(Call::sync) | bit(Call::truncate) | bit(Call::remove);
constexpr uint32_t kIoCalls = kChangingCalls | bit(Call::read);

enum class Effect : uint32_t { refused, done, delayed, power_cut, lost, denied };
enum class Lasting : uint32_t { once, until_healed };

struct Fault {
  uint32_t calls = kIoCalls;
  uint32_t files = kAllFiles;
  uint64_t nth = 1;  // of these calls on these files
  Effect effect = Effect::refused;
  Lasting lasting = Lasting::once;
  int code = 0;  // 0: SQLite's for an I/O error of this call
  uint64_t delay_ms = 0;
};

// Written by the test, read by the VFS, but for the counts. A page of zeros is valid: no fault.
class FaultOrders {
 public:
  void arm(const Fault& fault);
  void heal() { armed_.store(0); }
  [[nodiscard]] uint64_t fired() const { return fired_.load(); }  // since arm()
  [[nodiscard]] uint64_t count(Call call, FileKind kind) const;   // of calls, ever

  struct Order {
    bool is_due = false;
    Effect effect = Effect::refused;
    int code = SQLITE_OK;
    uint64_t delay_ms = 0;
  };
  // The VFS's: counts a call and says what becomes of it.
  Order next(Call call, FileKind kind);

 private:
  std::atomic<uint32_t> armed_{0};
  std::atomic<uint32_t> calls_{0};
  std::atomic<uint32_t> files_{0};
  std::atomic<uint32_t> effect_{0};
  std::atomic<uint32_t> lasting_{0};
  std::atomic<int32_t> code_{0};
  std::atomic<uint64_t> delay_ms_{0};
  std::atomic<uint64_t> before_{0};  // so many calls are let pass
  std::atomic<uint64_t> fired_{0};
  std::array<std::atomic<uint64_t>, kCalls * kFileKinds> counts_{};
};
static_assert(std::atomic<uint64_t>::is_always_lock_free);

// Stands before the system's VFS while it lives; one at a time in a process.
class FaultyVfs {
 public:
  explicit FaultyVfs(FaultOrders& orders, UnsyncedDisk* disk = nullptr);
  FaultyVfs(const FaultyVfs&) = delete;
  FaultyVfs& operator=(const FaultyVfs&) = delete;
  ~FaultyVfs();

  [[nodiscard]] bool has_power() const;
  // After a power cut, and when every connection is closed: puts on the disk what has survived.
  void power_on(uint64_t seed, UnsyncedDisk::Survival survival);

  struct File;
  struct Calls;
};

}  // namespace arenad::test
