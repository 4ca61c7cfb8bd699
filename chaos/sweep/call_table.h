// Counters and traps of system calls, in a file that arena-chaos and all processes of a run map: the same thing for calls as
// ipc/crash_point.h is for places in the code, but that no program needs to be built for it. Whoever is started with
// call_preload.cc loaded and kCallsVariable in its environment passes each call through `next_call()`.
//
// A trap counts the calls of one kind that processes of one role make, over all of them together, from the arming on. The one
// that makes the n-th dies before it, or is answered with an error and nothing is done; if the trap lasts, so is every later
// one for kLastingMs, as a disk is full for a while. A second trap counts from when the first has gone off.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <filesystem>

#include "arenad/result.h"
#include "chaos/sweep/io_calls.h"

namespace arenad::sweep {

constexpr const char* kCallsVariable = "ARENAD_CHAOS_CALLS";
constexpr uint64_t kCallTableMagic = 0x314C4C4143415241;  // "ARACALL1"

enum class Lasting : uint32_t { once, for_a_while };
constexpr uint64_t kLastingMs = 200;

// What becomes of a call.
struct CallWay {
  int error = 0;  // 0: the process is killed
  Lasting lasting = Lasting::once;
  bool operator==(const CallWay&) const = default;
};

struct CallTrap {
  CallRole role = CallRole::arenad;
  size_t call = 0;
  uint64_t hit = 1;  // from 1 on
  CallWay way;
};

// Written by whoever arms it while `armed` is 0, then by the processes that make the call.
struct CallTrapLayout {
  std::atomic<uint32_t> armed;  // 1 + index in the counts; 0: not armed
  std::atomic<int32_t> error;
  std::atomic<uint32_t> lasting;
  std::atomic<uint32_t> fired_pid;  // the last one that met it
  std::atomic<uint64_t> at_hit;
  std::atomic<uint64_t> hits;
  std::atomic<uint64_t> fired;  // how often
  std::atomic<uint64_t> first_fired_ns;
};
static_assert(sizeof(CallTrapLayout) == 48);

struct CallTableLayout {
  uint64_t magic;
  uint64_t call_count;
  std::array<CallTrapLayout, 2> traps;
  std::array<std::atomic<uint64_t>, kCallRoles.size() * kIoCalls.size()> counts;
};

constexpr size_t count_index(CallRole role, size_t call) {
  return static_cast<size_t>(role) * kIoCalls.size() + call;
}

// The side of those who call: counts a call, and says what becomes of it. Nothing that allocates or waits.
struct CallFate {
  enum class What { done, killed, fails };
  What what = What::done;
  int error = 0;
};
struct Caller {
  CallRole role;
  uint32_t pid;
  uint64_t now_ns;  // monotonic
};
CallFate next_call(CallTableLayout& table, const Caller& caller, size_t call);

// The run's side.
class CallTable {
 public:
  static Result<CallTable> create(const std::filesystem::path& path);
  CallTable(CallTable&& other) noexcept;
  CallTable& operator=(CallTable&&) = delete;
  ~CallTable();

  // The second counts from when the first has gone off. Forgets what was armed before.
  void arm(const CallTrap& trap);
  void arm_second(const CallTrap& trap);
  void disarm();

  [[nodiscard]] uint64_t fired(size_t trap) const { return table_->traps[trap].fired.load(); }
  [[nodiscard]] pid_t fired_pid(size_t trap) const { return static_cast<pid_t>(table_->traps[trap].fired_pid.load()); }
  // Since the file was made.
  [[nodiscard]] uint64_t count(CallRole role, size_t call) const { return table_->counts[count_index(role, call)].load(); }

 private:
  explicit CallTable(CallTableLayout* table) : table_(table) {}
  CallTableLayout* table_;
};

// The file that a variable names; nullptr: it is none.
CallTableLayout* map_call_table(const char* path);

}  // namespace arenad::sweep
