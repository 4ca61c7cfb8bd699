// The game for proofs (ledger.capnp). Parameter hz: ticks in a second; 0, no ticks, if it is not given. Parameter whims: 1, and
// each tick is another one when it is run again, by the clock; 2, by chance. What it says then is no ledger's: nobody may play.
//
// Built several times: as it is, and as versions that do the same until what their name says happens, for tests of changes of code.
#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <random>
#include <stdexcept>
#include <unistd.h>

#include "arenad/game.h"
#include "chaos/games/ledger.capnp.h"
#include "ledger_state.h"

namespace arenad::ledger {
namespace {

constexpr uint32_t kSeats = 8;
#if defined(LEDGER_GROWS)
constexpr uint32_t kSeatsInState = 100'000;  // more than fits into max_state_bytes
#else
constexpr uint32_t kSeatsInState = kSeats;
#endif
#ifndef LEDGER_VERSION
#define LEDGER_VERSION "1.0"
#endif

// frames: that this worker has run since it took the state over.
void misbehave([[maybe_unused]] uint64_t frames) {
#if defined(LEDGER_DIES_AT_ONCE)
  ::raise(SIGSEGV);
#elif defined(LEDGER_DIES_LATER)
  if (frames == 30) ::raise(SIGSEGV);
#elif defined(LEDGER_HANGS)
  while (frames == 30) ::usleep(1000);
#endif
}

void die_of(Poison::How how) {
  switch (how) {
    case Poison::How::SEGV:
      ::raise(SIGSEGV);
      break;
    case Poison::How::ABORT:
      std::abort();
    case Poison::How::THROW:
      throw std::runtime_error("this entry is poison");
    case Poison::How::BLAME:
      throw EventToBlame("this entry is to blame");
    case Poison::How::EXIT:
      std::exit(0);  // NOLINT(concurrency-mt-unsafe)
    case Poison::How::HANG:
      for (;;) ::usleep(1000);
  }
}

// Lies where it outlives a worker, which its parameters do not: in the balance of a seat that nobody has.
constexpr uint32_t kSeatOfWhims = kSeats - 1;
constexpr uint64_t kWhims = 0x57484D5359000000;

// What a game must not ask for: it is not what it was when the frame is run again.
uint64_t whim(uint64_t balance) {
  switch (balance - kWhims) {
    case 1:
      return static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
    case 2:
      return std::random_device()();
    default:
      return 0;
  }
}

uint64_t mix(uint64_t digest, uint64_t value) {
  const uint64_t z = (digest ^ value) * 0x9E3779B97F4A7C15ull;
  return (z ^ z >> 32) * 0xD6E8FEB86659FD93ull + 1;
}

}  // namespace

class LedgerGame {
 public:
  using State = LedgerState;
  using Events = arenad::Events<Entry, Poison>;
  static constexpr GameInfo info{.name = "ledger",
                                 .version = LEDGER_VERSION,
                                 .tick_hz = 0,
                                 .max_players = kSeats,
                                 .max_state_bytes = 1024,
                                 .max_frame_output_bytes = 16 * 1024};

  void on_init(Context&, const Params& params, arenad_arena_options& options) {
    options.tick_hz = static_cast<uint32_t>(params.number("hz", 0, 0, 128));
    if (const auto whims = static_cast<uint64_t>(params.number("whims", 0, 0, 2)); whims != 0)
      balances_[kSeatOfWhims] = kWhims + whims;
  }

  void on_event(Context& ctx, Seat seat, Entry::Reader entry) {
    balances_[seat] += entry.getAmount();
    ++count_;
    digest_ = mix(mix(mix(digest_, seat), entry.getNumber()), balances_[seat]);
    ctx.send<Booked>(Audience::everyone(), [&](Booked::Builder to) {
      to.setSeat(seat);
      to.setNumber(entry.getNumber());
      to.setAmount(entry.getAmount());
    });
    if (entry.getNumber() % 4 != 0) return;
    ctx.result<Award>(seat, [&](Award::Builder to) {
      to.setSeat(seat);
      to.setNumber(entry.getNumber());
      to.setBalance(balances_[seat]);
    });
  }

  void on_event(Context&, Seat, Poison::Reader poison) { die_of(poison.getHow()); }

  void on_tick(Context& ctx) {
    misbehave(++frames_);
    digest_ = mix(digest_, ctx.frame().value + whim(balances_[kSeatOfWhims]));
    ctx.send<Closed>(Audience::everyone(), [&](Closed::Builder to) {
      to.setFrame(ctx.frame().value);
      to.setDigest(digest_);
      to.setCount(count_);
    });
  }

  void on_checkpoint(State::Builder state) const {
#if defined(LEDGER_CANNOT_SAVE)
    throw std::runtime_error("this state cannot be written");
#endif
    state.setDigest(digest_);
    write_count(state, count_, handovers_);
    auto balances = state.initBalances(kSeatsInState);
    for (uint32_t seat = 0; seat < kSeats; ++seat) balances.set(seat, balances_[seat]);
  }

  void on_restore(Context&, State::Reader state) {
#if defined(LEDGER_REFUSES)
    throw std::runtime_error("this state is not for me");
#endif
    take_over(state);
  }

#if defined(LEDGER_MIGRATES)
  void on_migrate(Context& ctx, const Migration& from) {
    if (from.old_version() != "1.0") return on_restore(ctx, from.state<State>());
    take_over(from.state<ledger::State>());
  }
#endif

 private:
  template <class Reader>
  void take_over(Reader state) {
    ++handovers_;
    digest_ = state.getDigest();
    count_ = read_count(state);
    for (uint32_t seat = 0; seat < kSeats; ++seat) balances_[seat] = state.getBalances()[seat];
  }

  uint32_t handovers_ = 0;
  uint64_t digest_ = 0;
  uint64_t count_ = 0;
  uint64_t frames_ = 0;
  std::array<uint64_t, kSeats> balances_{};
};

}  // namespace arenad::ledger

ARENAD_GAME(arenad::ledger::LedgerGame)
