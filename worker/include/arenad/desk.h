// Plays a game class in the process that it is tested in, through the table that a worker would use (module_abi.h), without arenad:
//
//     arenad::Desk<Duel> desk({{"seconds", "10"}});
//     desk.join(0, "anna");
//     desk.event<duel::Aim>(0, [](duel::Aim::Builder aim) { aim.setX(3); });
//     desk.tick(20);
//     desk.restore();              // as after a crash: a new object goes on from the saved state
//     for (auto score : desk.results<duel::Score>()) check(score.read().getHits() == 0);
//
// The same seed, parameters and calls give the same match. What was joined and sent since the last tick is in the next frame. What a game may
// not do, and what ends a worker, is a std::runtime_error here.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "arenad/game.h"

namespace arenad {

// A message that the game has sent or recorded, in memory of its own.
template <class T>
class DeskMessage {
 public:
  DeskMessage(uint64_t audience, const std::vector<uint64_t>& words)
      : audience_(audience),
        words_(std::make_unique<std::vector<uint64_t>>(words)),
        view_(std::make_unique<MessageView>(words_->data(), words_->size(), unbounded_reader_options())) {}

  [[nodiscard]] typename T::Reader read() const { return view_->root<T>(); }
  // An output: one bit for each seat, ARENAD_EVERYONE for all. A result: its seat.
  [[nodiscard]] uint64_t audience() const { return audience_; }
  [[nodiscard]] Seat seat() const { return static_cast<Seat>(audience_); }

 private:
  uint64_t audience_;
  std::unique_ptr<std::vector<uint64_t>> words_;
  std::unique_ptr<MessageView> view_;
};

template <class Game>
class Desk {
 public:
  explicit Desk(std::initializer_list<arenad_param> parameters = {}, uint64_t seed = 1)
      : table_(*game_table<Game>()), seeds_(seed) {
    host_.abi_version = ARENAD_ABI_VERSION;
    host_.table_bytes = sizeof host_;
    host_.self = this;
    host_.output_reserve = [](void* self, size_t words) { return of(self).reserve(words); };
    host_.output_commit = [](void* self, uint64_t type, uint64_t audience, size_t words) {
      of(self).commit(type, audience, words);
    };
    host_.result = [](void* self, uint32_t seat, uint64_t type, const void* words, size_t count) {
      const auto* first = static_cast<const uint64_t*>(words);
      of(self).results_.push_back({type, seat, {first, first + count}});
      return 0;
    };
    host_.end = [](void* self) { of(self).ended_ = true; };
    host_.log = [](void* self, arenad_log_level, const char* text, size_t bytes) {
      of(self).logged_.emplace_back(text, bytes);
    };
    host_.kick = [](void* self, uint32_t seat, const char* reason, size_t bytes) {
      return of(self).kick(static_cast<Seat>(seat), {reason, bytes});
    };
    host_.reply = [](void* self, const char* text, size_t bytes) {
      of(self).reply_.assign(text, bytes);
      return 0;
    };
    frame_.time_unix_ns = 1'700'000'000'000'000'000;
    frame_.seed = seeds_.next();
    game_.reset(table_.create(&host_, &frame_));
    arenad_arena_options options = table_.defaults;
    check(table_.init(game_.get(), parameters.begin(), parameters.size(), &options), "on_init");
    frame_.dt_ns = options.tick_hz == 0 ? 0 : 1'000'000'000 / options.tick_hz;
  }
  Desk(const Desk&) = delete;
  Desk& operator=(const Desk&) = delete;

  // Refused, with the game's reason, if it does not let this player in.
  void join(Seat seat, std::string_view name) {
    begin_frame();
    if (std::find(leaving_.begin(), leaving_.end(), seat) != leaving_.end())
      leave(seat, ARENAD_KICKED);  // before another has the seat
    if (table_.join_attempt != nullptr) {
      const arenad_verdict verdict = table_.join_attempt(game_.get(), seat, name.data(), name.size());
      if (verdict == ARENAD_REFUSED) throw Refused(table_.last_error(game_.get()));
      check(verdict, "on_join_attempt");
    }
    present_ |= uint64_t{1} << seat;
    out_ &= ~(uint64_t{1} << seat);
    if (table_.join != nullptr) check(table_.join(game_.get(), seat, name.data(), name.size()), "on_join");
  }
  void leave(Seat seat, arenad_leave_reason reason = ARENAD_LEFT) {
    begin_frame();
    present_ &= ~(uint64_t{1} << seat);
    std::erase(leaving_, seat);  // it leaves once
    if (table_.leave != nullptr) check(table_.leave(game_.get(), seat, reason), "on_leave");
  }
  // fill(T::Builder). Of a player who was kicked in an earlier frame nothing comes any more.
  template <class T, class Fill>
  void event(Seat seat, Fill&& fill) {
    begin_frame();
    if (seat < 64 && (out_ >> seat & 1) != 0) return;
    capnp::MallocMessageBuilder message;
    fill(message.initRoot<T>());
    std::vector<uint64_t> words(message.getRoot<T>().asReader().totalSize().wordCount + 1);
    InPlaceBuilder copy(words.data(), words.size());
    copy.setRoot(message.getRoot<T>().asReader());
    const arenad_event event{capnp::typeId<T>(), ++sequence_, words.data(), copy.used_words(), seat};
    check(table_.event == nullptr ? ARENAD_UNKNOWN : table_.event(game_.get(), &event), "on_event");
  }
  void drain(uint64_t deadline_unix_ns) {
    begin_frame();
    if (table_.drain != nullptr) check(table_.drain(game_.get(), deadline_unix_ns), "on_drain");
  }
  // What `arenactl tell` would be answered. Refused, with the reason, if the game does not do it.
  std::string signal(std::string_view name, std::string_view payload = {}) {
    begin_frame();
    reply_.clear();
    const arenad_verdict verdict = table_.signal == nullptr
                                       ? ARENAD_UNKNOWN
                                       : table_.signal(game_.get(), name.data(), name.size(), payload.data(), payload.size());
    if (verdict == ARENAD_UNKNOWN) throw Refused("the game knows no signal " + std::string(name));
    if (verdict == ARENAD_REFUSED) throw Refused(table_.last_error(game_.get()));
    check(verdict, "on_signal");
    return reply_;
  }
  // Ends so many frames, none after the game has ended.
  void tick(unsigned count = 1) {
    for (; count > 0 && !ended_; --count) {
      begin_frame();
      check(table_.tick(game_.get()), "on_tick");
      is_in_frame_ = false;
    }
  }
  // Between frames: as after a crash, and as when another version takes over.
  void restore() {
    if (is_in_frame_) throw std::runtime_error("a game is restored between two frames: tick() first");
    std::vector<uint64_t> state(table_.max_state_bytes / sizeof(uint64_t));
    const size_t words = table_.checkpoint(game_.get(), state.data(), state.size());
    if (words == 0) throw std::runtime_error("the state is larger than max_state_bytes");
    game_.reset();
    game_.reset(table_.create(&host_, &frame_));
    check(table_.restore(game_.get(), state.data(), words, 2), "on_restore");
  }

  // Of this type, since the last clear().
  template <class T>
  [[nodiscard]] std::vector<DeskMessage<T>> outputs() const {
    return of_type<T>(outputs_);
  }
  template <class T>
  [[nodiscard]] std::vector<DeskMessage<T>> results() const {
    return of_type<T>(results_);
  }
  void clear() { outputs_.clear(); }
  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] const std::vector<std::string>& logged() const { return logged_; }
  // Whom the game has kicked, and why.
  [[nodiscard]] const std::vector<std::pair<Seat, std::string>>& kicked() const { return kicked_; }
  [[nodiscard]] FrameNumber frame() const { return {frame_.number}; }

 private:
  struct Sent {
    uint64_t type;
    uint64_t audience;
    std::vector<uint64_t> words;
  };

  static Desk& of(void* self) { return *static_cast<Desk*>(self); }

  void begin_frame() {
    if (ended_) throw std::runtime_error("the game has ended: nothing that comes later is applied");
    if (is_in_frame_) return;
    is_in_frame_ = true;
    ++frame_.number;
    frame_.time_unix_ns += frame_.dt_ns;
    frame_.seed = seeds_.next();
    for (const Seat seat : std::exchange(leaving_, {})) {
      out_ |= uint64_t{1} << seat;
      leave(seat, ARENAD_KICKED);
    }
  }
  int kick(Seat seat, std::string_view reason) {
    if (seat >= 64 || (present_ >> seat & 1) == 0) return -1;
    present_ &= ~(uint64_t{1} << seat);
    leaving_.push_back(seat);
    kicked_.emplace_back(seat, reason);
    return 0;
  }
  void* reserve(size_t words) {
    space_.assign(words, 0);
    return space_.data();
  }
  void commit(uint64_t type, uint64_t audience, size_t words) {
    space_.resize(words);
    outputs_.push_back({type, audience, std::move(space_)});
  }
  void check(arenad_verdict verdict, const char* what) {
    if (verdict == ARENAD_OK) return;
    std::string why = table_.last_error == nullptr ? "" : table_.last_error(game_.get());
    if (verdict == ARENAD_UNKNOWN) why = "the game has no such event: Events lists them";
    throw std::runtime_error(std::string(what) + ": " + why);
  }
  template <class T>
  [[nodiscard]] static std::vector<DeskMessage<T>> of_type(const std::vector<Sent>& all) {
    std::vector<DeskMessage<T>> found;
    for (const Sent& one : all) {
      if (one.type == capnp::typeId<T>()) found.emplace_back(one.audience, one.words);
    }
    return found;
  }

  const arenad_game& table_;
  arenad_host host_{};
  arenad_frame frame_{};
  Random seeds_;
  bool is_in_frame_ = false;
  bool ended_ = false;
  uint64_t sequence_ = 0;
  uint64_t present_ = 0;       // one bit for each seat that somebody has
  uint64_t out_ = 0;           // one bit for each seat whose player was kicked
  std::vector<Seat> leaving_;  // with the next frame: they were kicked
  std::vector<std::pair<Seat, std::string>> kicked_;
  std::string reply_;
  std::vector<uint64_t> space_;
  std::vector<Sent> outputs_;
  std::vector<Sent> results_;
  std::vector<std::string> logged_;
  std::unique_ptr<void, void (*)(void*)> game_{nullptr, table_.destroy};  // last: it may use the others until its end
};

}  // namespace arenad
