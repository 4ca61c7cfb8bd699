// What the tests of the real programs play: it says what it heard, and does on request what a game must not do. Without the
// parameter `hz` it has no ticks.
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

#include "arenad/game.h"
#include "misbehaviour.h"
#include "tests/games/echo.capnp.h"

namespace arenad::echo {
namespace {

constexpr uint32_t kSeats = 8;
constexpr uint64_t kMaxStateBytes = 64 * 1024;

void hang() {
  for (;;) ::pause();
}

}  // namespace

class EchoGame {
 public:
  using State = echo::State;
  using Events = arenad::Events<Say, Note, Grow, Flood, Ask, Finish, Award, Misbehave, AskTime, Print>;
  using Results = arenad::Results<Score>;
  static constexpr GameInfo info{.name = "echo",
                                 .version = "1.0",
                                 .tick_hz = 0,
                                 .max_players = kSeats,
                                 .max_state_bytes = kMaxStateBytes,
                                 .max_frame_output_bytes = 64 * 1024};

  // init: ok, throw, crash, hang. grow: bytes of the first state. hz. end: the frame after which the match is over. chatter: lines on standard
  // output in each frame.
  void on_init(Context&, const Params& params, arenad_arena_options& options) {
    const std::string init(params.text("init", "ok"));
    if (init == "throw") throw std::invalid_argument("parameter init=throw: there is no such match");
    if (init == "crash") ::raise(SIGSEGV);
    if (init == "hang") hang();
    burden_.resize(static_cast<size_t>(params.number("grow", 0, 0, 1 << 20)), 'b');
    chatter_ = static_cast<uint32_t>(params.number("chatter", 0, 0, 1 << 20));
    end_frame_ = static_cast<uint64_t>(params.number("end", 0, 0, INT64_MAX));
    options.tick_hz = static_cast<uint32_t>(params.number("hz", 0, 0, 128));
  }

  void on_join_attempt(Context&, Seat, std::string_view name) {
    if (name == banned_) throw Refused("you are banned");
  }

  // count; ban NAME; kick SEAT; misbehave HOW; raise.
  std::string on_signal(Context& ctx, std::string_view name, std::string_view payload) {
    const std::string text(payload);
    if (name == "count") return std::to_string(++told_);
    if (name == "misbehave") misbehave({text, "", Misbehaviour::File::stays, 0});
    if (name == "raise") throw std::runtime_error("this signal fails");
    if (name == "ban") {
      ++told_;
      banned_ = text;
      return "";
    }
    if (name == "kick") {
      ++told_;
      return ctx.kick(static_cast<Seat>(std::stoul(text)), "an operator has said so") ? "kicked" : "nobody is there";
    }
    throw Refused("what is " + std::string(name) + "?");
  }

  void on_join(Context& ctx, Seat seat, std::string_view name) {
    ++joins_;
    last_[seat] = 0;
    ctx.send<Arrived>(Audience::everyone(), [&](Arrived::Builder to) {
      to.setSeat(seat);
      to.setName(capnp::Text::Reader(std::string(name).c_str()));
    });
  }

  void on_leave(Context& ctx, Seat seat, arenad_leave_reason reason) {
    switch (reason) {
      case ARENAD_LEFT:
        ++left_;
        break;
      case ARENAD_DROPPED:
        ++dropped_;
        break;
      case ARENAD_EXPELLED:
        ++expelled_;
        break;
      case ARENAD_KICKED:
        ++kicked_;
        break;
    }
    ctx.send<Departed>(Audience::everyone(), [&](Departed::Builder to) {
      to.setSeat(seat);
      to.setReason(reason);
    });
  }

  void on_event(Context& ctx, Seat seat, Say::Reader say) {
    ++applied_;
    last_[seat] = say.getNumber();
    sum_ = (sum_ ^ say.getNumber()) * 1099511628211U + seat;
    ctx.send<Echo>(Audience::seat(seat), [&](Echo::Builder to) {
      to.setSeat(seat);
      to.setNumber(say.getNumber());
      to.setFrame(ctx.frame().value);
    });
  }
  void on_event(Context&, Seat, Note::Reader note) { applied_ += note.getText().size() != 0 ? 1 : 0; }
  void on_event(Context&, Seat, Grow::Reader grow) { burden_.resize(grow.getBytes(), 'g'); }
  void on_event(Context& ctx, Seat, Flood::Reader flood) {
    const std::vector<capnp::byte> bytes(flood.getBytes(), 'f');
    for (uint32_t i = 0; i < flood.getOutputs(); ++i) {
      const auto fill = [&](Piece::Builder to) {
        to.setIndex(i);
        to.setBytes({bytes.data(), bytes.size()});
      };
      ctx.send<Piece>(Audience::everyone(), fill, bytes.size() / 8 + 8);
    }
  }
  void on_event(Context& ctx, Seat seat, Ask::Reader ask) {
    ctx.send<Report>(Audience::seat(seat), [&](Report::Builder to) {
      to.setNumber(ask.getNumber());
      save(to.initState(), Burden::left_out);
    });
  }
  void on_event(Context&, Seat, Misbehave::Reader wanted) {
    Misbehaviour misbehaviour{wanted.getHow(), wanted.getWhileFile(),
                              wanted.getOnce() ? Misbehaviour::File::goes : Misbehaviour::File::stays, wanted.getMs()};
    if (wanted.getInTick()) {
      in_tick_ = std::move(misbehaviour);
    } else {
      misbehave(misbehaviour);
    }
  }
  void on_event(Context& ctx, Seat, Print::Reader print) {
    const std::string how = print.getHow();
    const std::string text(print.getBytes().asChars().begin(), print.getBytes().size());
    for (uint32_t i = 0; i < print.getTimes(); ++i) {
      if (how == "out") std::fwrite(text.data(), 1, text.size(), stdout);
      if (how == "err") std::fwrite(text.data(), 1, text.size(), stderr);
      if (how == "cout") std::cout << text;
      if (how == "log") ctx.log(ARENAD_LOG_WARNING, text);
    }
  }
  // Not deterministic: a replay gives another time.
  void on_event(Context& ctx, Seat seat, AskTime::Reader) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    ctx.send<Time>(Audience::seat(seat), [&](Time::Builder to) { to.setUnixNs(static_cast<uint64_t>(now.count())); });
  }
  void on_event(Context& ctx, Seat, Finish::Reader) { finish(ctx); }

  void on_event(Context& ctx, Seat seat, Award::Reader) { score(ctx, seat); }

  void on_drain(Context& ctx, uint64_t) { finish(ctx); }

  void on_tick(Context& ctx) {
    ++frames_;
    for (uint32_t i = 0; i < chatter_; ++i)
      std::printf("chatter %u of frame %llu\n", i, static_cast<unsigned long long>(frames_));
    if (in_tick_) misbehave(*std::exchange(in_tick_, std::nullopt));
    if (end_frame_ != 0 && ctx.frame().value >= end_frame_) finish(ctx);
  }

  void on_checkpoint(State::Builder state) const { save(state, Burden::included); }

  void on_restore(Context&, State::Reader state) {
    frames_ = state.getFrames();
    applied_ = state.getApplied();
    joins_ = state.getJoins();
    left_ = state.getLeft();
    dropped_ = state.getDropped();
    expelled_ = state.getExpelled();
    for (uint32_t seat = 0; seat < kSeats; ++seat) last_[seat] = state.getLast()[seat];
    sum_ = state.getSum();
    burden_.assign(state.getBurden().begin(), state.getBurden().end());
    end_frame_ = state.getEndFrame();
    kicked_ = state.getKicked();
    told_ = state.getTold();
    banned_ = state.getBanned();
  }

 private:
  enum class Burden { included, left_out };

  void save(State::Builder state, Burden burden) const {
    state.setFrames(frames_);
    state.setApplied(applied_);
    state.setJoins(joins_);
    state.setLeft(left_);
    state.setDropped(dropped_);
    state.setExpelled(expelled_);
    auto last = state.initLast(kSeats);
    for (uint32_t seat = 0; seat < kSeats; ++seat) last.set(seat, last_[seat]);
    state.setSum(sum_);
    state.setEndFrame(end_frame_);
    state.setKicked(kicked_);
    state.setTold(told_);
    state.setBanned(banned_);
    if (burden == Burden::included) state.setBurden({burden_.data(), burden_.size()});
  }

  void score(Context& ctx, Seat seat) {
    ctx.result<Score>(seat, [&](Score::Builder to) {
      to.setSeat(seat);
      to.setLast(last_[seat]);
    });
  }

  void finish(Context& ctx) {
    for (Seat seat = 0; seat < kSeats; ++seat) {
      if (last_[seat] != 0) score(ctx, seat);
    }
    ctx.end();
  }

  uint64_t frames_ = 0;
  uint64_t applied_ = 0;
  uint64_t joins_ = 0;
  uint64_t left_ = 0;
  uint64_t dropped_ = 0;
  uint64_t expelled_ = 0;
  std::array<uint64_t, kSeats> last_{};
  uint64_t sum_ = 0;
  std::vector<capnp::byte> burden_;
  uint64_t end_frame_ = 0;
  uint64_t kicked_ = 0;
  uint64_t told_ = 0;
  std::string banned_;
  uint32_t chatter_ = 0;                 // lines of each frame; not over a recovery
  std::optional<Misbehaviour> in_tick_;  // of this frame
};

}  // namespace arenad::echo

ARENAD_GAME(arenad::echo::EchoGame)
