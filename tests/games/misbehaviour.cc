#include "misbehaviour.h"

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <thread>
#include <unistd.h>

#include "arenad/game.h"
#include "attacks.h"

namespace arenad::echo {
namespace {

using Clock = std::chrono::steady_clock;

void write_to_nowhere() {
  // Through volatile, so that the compiler cannot know what comes.
  volatile uintptr_t address = 0x10;
  *reinterpret_cast<volatile int*>(address) = 1;
}

void divide_by_zero() {
  volatile int divisor = 0;
  volatile int quotient = 42 / divisor;
  (void)quotient;
}

unsigned recurse(unsigned depth) {
  if (depth == 0) return 0;  // never
  std::array<char, 4096> frame{};
  volatile char* const place = &frame[depth % frame.size()];
  *place = static_cast<char>(depth);
  return recurse(depth + 1) + static_cast<unsigned char>(*place);
}

void burn_until(Clock::time_point end) {
  volatile uint64_t turns = 0;
  while (Clock::now() < end) turns = turns + 1;
}

void take_all_memory() {
  constexpr size_t kBytes = size_t{4} << 20;
  for (;;) {
    char* volatile taken = new char[kBytes];  // seen from outside, so that the compiler leaves nothing out
    std::memset(taken, 'm', kBytes);
  }
}

}  // namespace

void misbehave(const Misbehaviour& misbehaviour) {
  const std::string& how = misbehaviour.how;
  if (!misbehaviour.while_file.empty() && ::access(misbehaviour.while_file.c_str(), F_OK) != 0) return;
  if (misbehaviour.file == Misbehaviour::File::goes) ::unlink(misbehaviour.while_file.c_str());
  const auto end = Clock::now() + std::chrono::milliseconds(misbehaviour.ms);
  if (how == "segv") ::raise(SIGSEGV);
  if (how == "write") write_to_nowhere();
  if (how == "abort") std::abort();
  if (how == "throw") throw std::runtime_error("the rules do not allow that");
  if (how == "blame") throw EventToBlame("no such move");
  if (how == "fpe") divide_by_zero();
  if (how == "ill") __builtin_trap();
  if (how == "overflow") recurse(1);
  if (how == "exit") std::exit(0);  // NOLINT(concurrency-mt-unsafe)
  if (how == "_exit") ::_exit(7);
  if (how == "kill") ::raise(SIGKILL);
  if (how == "hang") burn_until(Clock::time_point::max());
  if (how == "sleep") std::this_thread::sleep_until(end);
  if (how == "burn") burn_until(end);
  if (how == "memory") take_all_memory();
  attack(how, static_cast<pid_t>(misbehaviour.ms), misbehaviour.while_file);
}

}  // namespace arenad::echo
