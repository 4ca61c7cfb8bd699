// A game that is nothing but what recovery costs: 64 KiB of state, and events that each change a part of it and are answered. It
// has no ticks, so each event that comes alone is a frame of its own.
#include <array>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <stdexcept>

#include "arenad/game.h"
#include "bench/bench.capnp.h"

#ifndef BENCH_VERSION
#define BENCH_VERSION "1.0"
#endif

namespace arenad::bench {

class BenchGame {
 public:
  using State = bench::State;
  using Events = arenad::Events<Poke, Ballast, Say>;
  static constexpr size_t kBodyWords = 64 * 1024 / sizeof(uint64_t);
  static constexpr arenad::GameInfo info{.name = "bench",
                                         .version = BENCH_VERSION,
                                         .tick_hz = 0,
                                         .max_players = 2,
                                         .max_state_bytes = kBodyWords * sizeof(uint64_t) + 1024};

  void on_init(Context&, const Params&) {}
  void on_tick(Context&) {
#if defined(BENCH_DIES)
    if (++frames_ == 10) ::raise(SIGKILL);
#endif
  }

  void on_event(Context& ctx, Seat, Poke::Reader poke) {
    const uint64_t value = poke.getValue();
    uint64_t& word = body_[value % kBodyWords];
    word = word * 6364136223846793005ull + value;
    ++pokes_;
    ctx.send<Echo>(Audience::everyone(), [&](Echo::Builder echo) { echo.setPokes(pokes_); });
  }
  void on_event(Context&, Seat, Ballast::Reader) {}
  void on_event(Context& ctx, Seat, Say::Reader say) {
    const auto text = say.getText();
    ctx.log(ARENAD_LOG_WARNING, {text.begin(), text.size()});  // arenad of a bench logs no less than warnings
  }

  void on_checkpoint(State::Builder state) const {
    state.setPokes(pokes_);
    state.setBody({reinterpret_cast<const capnp::byte*>(body_.data()), sizeof body_});
  }
  void on_restore(Context&, State::Reader state) {
    const auto body = state.getBody();
    if (body.size() != sizeof body_) throw std::invalid_argument("a state of another size");
    pokes_ = state.getPokes();
    std::memcpy(body_.data(), body.begin(), sizeof body_);
  }

 private:
  uint64_t frames_ = 0;  // that this worker has run
  uint64_t pokes_ = 0;
  std::array<uint64_t, kBodyWords> body_{};
};

}  // namespace arenad::bench

ARENAD_GAME(arenad::bench::BenchGame)
