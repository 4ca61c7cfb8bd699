// tanks.so and tanks_py.so play the same battle: the same joins, orders and drains, given to both through the interface of module_abi.h, give the same outputs, results and
// states, message by message, whatever language they were written in. The bots hear what tanks.so says.
#include <array>
#include <bit>
#include <dlfcn.h>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <capnp/dynamic.h>
#include <doctest/doctest.h>

#include "arenad/message.h"
#include "arenad/module_abi.h"
#include "examples/tanks/bot_brain.h"
#include "examples/tanks/wire.h"
#include "tanks.capnp.h"

namespace {

using Words = std::vector<uint64_t>;

constexpr size_t kStateWords = 16 * 1024 / 8;

// Field by field: a list that is empty may be written or left out.
bool same_value(const capnp::DynamicValue::Reader& a, const capnp::DynamicValue::Reader& b) {
  if (a.getType() == capnp::DynamicValue::STRUCT) {
    const auto one = a.as<capnp::DynamicStruct>();
    const auto other = b.as<capnp::DynamicStruct>();
    for (const auto field : one.getSchema().getFields()) {
      if (!same_value(one.get(field), other.get(field))) return false;
    }
    return true;
  }
  if (a.getType() == capnp::DynamicValue::LIST) {
    const auto one = a.as<capnp::DynamicList>();
    const auto other = b.as<capnp::DynamicList>();
    bool same = one.size() == other.size();
    for (unsigned i = 0; same && i < one.size(); ++i) same = same_value(one[i], other[i]);
    return same;
  }
  if (a.getType() == capnp::DynamicValue::FLOAT) {
    return std::bit_cast<uint64_t>(a.as<double>()) == std::bit_cast<uint64_t>(b.as<double>());
  }
  return kj::str(a) == kj::str(b);
}

template <class... T>
capnp::StructSchema find_schema(uint64_t type) {
  std::optional<capnp::StructSchema> found;
  ((type == capnp::typeId<T>() ? static_cast<void>(found = capnp::Schema::from<T>()) : static_cast<void>(0)), ...);
  REQUIRE(found);
  return *found;
}

capnp::StructSchema schema_of(uint64_t type) {
  using namespace tanks;
  return find_schema<Assigned, Field, Roster, TeamView, ShotFired, Impact, Destroyed, Contact, Exposed, Capture, Clock,
                     Finished, Result, State>(type);
}

bool same_message(uint64_t type, const Words& a, const Words& b) {
  arenad::MessageView one(a.data(), a.size(), arenad::unbounded_reader_options());
  arenad::MessageView other(b.data(), b.size(), arenad::unbounded_reader_options());
  const auto schema = schema_of(type);
  return same_value(one.root<capnp::AnyPointer>().getAs<capnp::DynamicStruct>(schema),
                    other.root<capnp::AnyPointer>().getAs<capnp::DynamicStruct>(schema));
}

struct Said {
  uint64_t type = 0;
  uint64_t to = 0;  // an audience, or the seat of a result
  Words words;      // as they came
};

// What is not the same; empty: nothing.
std::string difference(const std::vector<Said>& a, const std::vector<Said>& b) {
  if (a.size() != b.size()) return std::to_string(a.size()) + " and " + std::to_string(b.size()) + " messages";
  for (size_t i = 0; i < a.size(); ++i) {
    const std::string which = "message " + std::to_string(i) + " of type " + std::to_string(a[i].type);
    if (a[i].type != b[i].type) return which + " is of type " + std::to_string(b[i].type);
    if (a[i].to != b[i].to) return which + " is for " + std::to_string(a[i].to) + " and " + std::to_string(b[i].to);
    if (!same_message(a[i].type, a[i].words, b[i].words)) return which + " says something else";
  }
  return {};
}

// One arena of a module.
class Arena {
 public:
  explicit Arena(const std::string& module) {
    void* handle = ::dlopen(module.c_str(), RTLD_NOW | RTLD_LOCAL);
    INFO(module, ": ", handle == nullptr ? ::dlerror() : "");
    REQUIRE(handle != nullptr);
    game_ = reinterpret_cast<arenad_game_module_fn>(::dlsym(handle, ARENAD_ENTRY_SYMBOL))(ARENAD_ABI_VERSION);
    REQUIRE(game_ != nullptr);
    host_.abi_version = ARENAD_ABI_VERSION;
    host_.table_bytes = sizeof host_;
    host_.self = this;
    host_.output_reserve = [](void* self, size_t words) -> void* {
      Words& space = static_cast<Arena*>(self)->space_;
      space.assign(words, 0);
      return space.data();
    };
    host_.output_commit = [](void* self, uint64_t type, uint64_t audience, size_t words) {
      auto& arena = *static_cast<Arena*>(self);
      arena.outputs.push_back({type, audience, {arena.space_.begin(), arena.space_.begin() + static_cast<ptrdiff_t>(words)}});
    };
    host_.result = [](void* self, uint32_t seat, uint64_t type, const void* words, size_t count) {
      const auto* begin = static_cast<const uint64_t*>(words);
      static_cast<Arena*>(self)->results.push_back({type, seat, {begin, begin + count}});
      return 0;
    };
    host_.end = [](void* self) { static_cast<Arena*>(self)->ended = true; };
    host_.log = [](void*, arenad_log_level, const char*, size_t) {};
    object_ = game_->create(&host_, &frame_);
  }
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena() { game_->destroy(object_); }

  void begin(const std::vector<arenad_param>& params) {
    arenad_arena_options options = game_->defaults;
    check(game_->init(object_, params.data(), params.size(), &options));
  }
  void begin_frame(uint64_t number) {
    frame_ = {number, 1'700'000'000'000'000'000 + number * 50'000'000, number * 0x9E3779B97F4A7C15, 50'000'000};
    outputs.clear();
  }
  void join(uint32_t seat, const std::string& name) { check(game_->join(object_, seat, name.data(), name.size())); }
  void leave(uint32_t seat) { check(game_->leave(object_, seat, ARENAD_LEFT)); }
  void drain(uint64_t deadline_unix_ns) { check(game_->drain(object_, deadline_unix_ns)); }
  void event(uint32_t seat, const Words& words) {
    const arenad_event event{capnp::typeId<tanks::Order>(), 1, words.data(), words.size(), seat};
    check(game_->event(object_, &event));
  }
  void tick() { check(game_->tick(object_)); }
  Words state() {
    Words words(kStateWords);
    const size_t used = game_->checkpoint(object_, words.data(), words.size());
    REQUIRE(used != 0);
    words.resize(used);
    return words;
  }
  // Goes on in a new object, as after a crash, from a state that may be another module's.
  void restore(const Words& state) {
    game_->destroy(object_);
    object_ = game_->create(&host_, &frame_);
    check(game_->restore(object_, state.data(), state.size(), 2));
  }
  [[nodiscard]] uint64_t now_unix_ns() const { return frame_.time_unix_ns; }

  std::vector<Said> outputs;  // of the frame that runs
  std::vector<Said> results;
  bool ended = false;

 private:
  void check(arenad_verdict verdict) {
    INFO(game_->last_error(object_));
    REQUIRE(verdict == ARENAD_OK);
  }

  const arenad_game* game_ = nullptr;
  arenad_host host_{};
  arenad_frame frame_{};
  void* object_ = nullptr;
  Words space_;
};

class Players {
 public:
  explicit Players(uint32_t count) {
    for (uint32_t seat = 0; seat < count; ++seat) bots_.push_back(std::make_unique<tanks::BotBrain>(seat + 1));
  }
  void hear(const std::vector<Said>& outputs) {
    for (const Said& said : outputs) {
      arenad::MessageView view(said.words.data(), said.words.size(), arenad::unbounded_reader_options());
      const auto message = view.root<capnp::AnyPointer>();
      for (size_t seat = 0; seat < bots_.size(); ++seat) {
        if (said.to == ARENAD_EVERYONE || (said.to >> seat & 1) != 0) bots_[seat]->hear(said.type, message);
      }
    }
  }
  Words order(uint32_t seat) {
    const tanks::sim::Order wanted = bots_[seat]->decide();
    Words words(8);
    arenad::InPlaceBuilder message(words.data(), words.size());
    auto order = message.initRoot<tanks::Order>();
    order.setThrottle(wanted.throttle_percent);
    order.setTurn(wanted.turn_percent);
    order.setTurret(wanted.turret);
    order.setFire(wanted.fire);
    words.resize(message.used_words());
    return words;
  }

 private:
  std::vector<std::unique_ptr<tanks::BotBrain>> bots_;
};

struct Plan {
  const char* seed;
  uint32_t players;
  const char* seconds;
  bool comes_and_goes;
};

void play(const Plan& plan) {
  INFO("seed ", std::string(plan.seed));
  std::array<Arena, 2> arenas{{Arena(ARENAD_TEST_GAMES "/tanks.so"), Arena(ARENAD_TEST_GAMES "/tanks_py.so")}};
  const std::string players = std::to_string(plan.players);
  const std::vector<arenad_param> params{{"seed", plan.seed}, {"seconds", plan.seconds}, {"players", players.c_str()}};
  for (Arena& arena : arenas) arena.begin(params);
  Players bots(plan.players);
  uint64_t outputs = 0;
  for (uint64_t frame = 1; !arenas[0].ended; ++frame) {
    INFO("frame ", frame);
    REQUIRE(frame < 4000);
    for (Arena& arena : arenas) arena.begin_frame(frame);
    if (frame == 1) {
      for (uint32_t seat = 0; seat < plan.players; ++seat) {
        for (Arena& arena : arenas) arena.join(seat, "player " + std::to_string(seat));
      }
    }
    if (plan.comes_and_goes && frame % 90 == 45) {
      for (Arena& arena : arenas) arena.leave(3);
    }
    if (plan.comes_and_goes && frame % 90 == 60) {
      for (Arena& arena : arenas) arena.join(3, "another");
    }
    for (uint32_t seat = 0; frame > 1 && seat < plan.players; ++seat) {
      const Words order = bots.order(seat);
      for (Arena& arena : arenas) arena.event(seat, order);
    }
    if (plan.comes_and_goes && frame == 400) {
      for (Arena& arena : arenas) arena.drain(arena.now_unix_ns() + 20'000'000'000);
    }
    for (Arena& arena : arenas) arena.tick();
    REQUIRE(difference(arenas[0].outputs, arenas[1].outputs) == "");
    REQUIRE(arenas[0].ended == arenas[1].ended);
    bots.hear(arenas[0].outputs);
    outputs += arenas[0].outputs.size();
    if (frame % 100 != 0) continue;
    const Words ours = arenas[0].state();
    const Words theirs = arenas[1].state();
    REQUIRE(same_message(capnp::typeId<tanks::State>(), ours, theirs));
    // Each goes on from the other one's.
    arenas[0].restore(theirs);
    arenas[1].restore(ours);
  }
  CHECK(difference(arenas[0].results, arenas[1].results) == "");
  CHECK(arenas[0].results.size() == plan.players);
  CHECK(outputs > 1000);
}

}  // namespace

TEST_CASE("a battle in Python is the battle in C++, bit for bit") {
  play({"1", 30, "60", false});
  play({"2", 30, "90", true});
  play({"3", 4, "120", false});
}
