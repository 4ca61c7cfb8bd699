// The C table (module_abi.h) of a game class (game.h). Included by game.h; game programmers need not read it.
#pragma once

#include <charconv>
#include <cstddef>
#include <set>
#include <stdexcept>

#include "arenad/game.h"
#include "arenad/game_schema.h"
#include "arenad/message_check.h"

namespace arenad {

inline int64_t Params::number(std::string_view key, int64_t otherwise, int64_t low, int64_t high) const {
  const std::string_view given = text(key, {});
  if (given.data() == nullptr) return otherwise;
  int64_t value = 0;
  const auto [end, error] = std::from_chars(given.data(), given.data() + given.size(), value);
  if (error != std::errc() || end != given.data() + given.size() || value < low || value > high) {
    throw std::invalid_argument("parameter " + std::string(key) + "=" + std::string(given) + ": expected a number from " +
                                std::to_string(low) + " to " + std::to_string(high));
  }
  return value;
}

template <class T, class Fill>
bool Context::send(Audience audience, Fill&& fill, size_t words_hint) {
  if (audience.is_nobody()) return true;
  const size_t capacity = is_flat<T> ? flat_word_count<T> : words_hint;
  void* space = host_.output_reserve(host_.self, capacity);
  if (space == nullptr) return false;
  InPlaceBuilder message(space, capacity);
  fill(message.initRoot<T>());
  if (message.fits()) {
    host_.output_commit(host_.self, capnp::typeId<T>(), audience.mask(), message.used_words());
    return true;
  }
  // Larger than the hint: what was built is copied once, into space of the right size.
  const size_t exact = message.template getRoot<T>().asReader().totalSize().wordCount + 1;
  capnp::MallocMessageBuilder copy(static_cast<uint>(exact));
  copy.setRoot(message.template getRoot<T>().asReader());
  space = host_.output_reserve(host_.self, exact);
  if (space == nullptr) return false;
  InPlaceBuilder target(space, exact);
  target.setRoot(copy.getRoot<T>().asReader());
  if (!target.fits()) return false;
  host_.output_commit(host_.self, capnp::typeId<T>(), audience.mask(), target.used_words());
  return true;
}

template <class T, class Fill>
bool Context::result(Seat seat, Fill&& fill) {
  capnp::MallocMessageBuilder built;
  fill(built.initRoot<T>());
  const size_t exact = built.getRoot<T>().asReader().totalSize().wordCount + 1;
  auto words = kj::heapArray<capnp::word>(exact);
  std::memset(static_cast<void*>(words.begin()), 0, exact * sizeof(capnp::word));
  InPlaceBuilder target(words.begin(), exact);
  target.setRoot(built.getRoot<T>().asReader());
  return target.fits() && host_.result(host_.self, seat, capnp::typeId<T>(), words.begin(), target.used_words()) == 0;
}

inline bool Context::kick(Seat seat, std::string_view reason) {
  if (host_.table_bytes <= offsetof(arenad_host, kick))
    throw std::runtime_error("this arena-worker is of a version that cannot kick");
  return host_.kick(host_.self, seat, reason.data(), reason.size()) == 0;
}

namespace detail {

// FNV-1a (datatracker.ietf.org/doc/html/draft-eastlake-fnv) over what decides the layout of a struct and of all structs in it.
class SchemaHash {
 public:
  void add(const capnp::StructSchema& schema) {
    const auto proto = schema.getProto();
    mix(proto.getId());
    if (!seen_.insert(proto.getId()).second) return;  // schemas may refer to themselves
    mix(proto.getStruct().getDataWordCount());
    mix(proto.getStruct().getPointerCount());
    for (const auto field : schema.getFields()) {
      mix(field.getIndex());
      if (field.getProto().isSlot()) mix(field.getProto().getSlot().getOffset());
      add(field.getType());
    }
  }
  [[nodiscard]] uint64_t value() const { return hash_; }

 private:
  void add(const capnp::Type& type) {
    mix(static_cast<uint64_t>(type.which()));
    if (type.isStruct()) add(type.asStruct());
    if (type.isList()) add(type.asList().getElementType());
  }
  void mix(uint64_t value) {
    for (int i = 0; i < 8; ++i) hash_ = (hash_ ^ (value >> (8 * i) & 0xFF)) * 1099511628211ull;
  }
  uint64_t hash_ = 14695981039346656037ull;
  std::set<uint64_t> seen_;
};

inline uint64_t schema_hash(const capnp::StructSchema& schema) {
  SchemaHash hash;
  hash.add(schema);
  return hash.value();
}

template <template <class...> class Types, class... T>
void add_types(SchemaNodes& nodes, Types<T...>) {
  (add_type<T>(nodes), ...);
}

template <class Game>
const void* game_schema(size_t* bytes) {
  static const auto message = [] {
    SchemaNodes nodes;
    add_type<typename Game::State>(nodes);
    if constexpr (requires { typename Game::Events; }) add_types(nodes, typename Game::Events{});
    if constexpr (requires { typename Game::Results; }) add_types(nodes, typename Game::Results{});
    return nodes.message();
  }();
  *bytes = message.asBytes().size();
  return message.begin();
}

}  // namespace detail

// One arena's game object together with its context.
template <class Game>
class GameBox {
 public:
  GameBox(const arenad_host* host, const arenad_frame* frame) : context_(*host, *frame) {}

  template <class Call>
  arenad_verdict guarded(arenad_verdict on_failure, Call&& call) {
    try {
      call(game_, context_);
      return ARENAD_OK;
    } catch (const std::exception& e) {
      error_ = e.what();
    } catch (const kj::Exception& e) {
      error_ = e.getDescription().cStr();
    } catch (...) {
      error_ = "an exception of an unknown type";
    }
    return on_failure;
  }

  arenad_verdict event(const arenad_event& event) {
    try {
      return dispatch(event, typename Game::Events{});
    } catch (const EventToBlame& e) {
      error_ = e.what();
      return ARENAD_BLAMED;
    }
  }
  // An answer of the game's is none of its failures: what it throws else ends the worker.
  template <class Call>
  arenad_verdict answered(Call&& call) {
    try {
      call(game_, context_);
      return ARENAD_OK;
    } catch (const Refused& e) {
      error_ = e.what();
      return ARENAD_REFUSED;
    }
  }
  Game& game() { return game_; }
  Context& context() { return context_; }
  const char* error() const { return error_.c_str(); }
  void forget_error() { error_.clear(); }

 private:
  template <class... T>
  arenad_verdict dispatch(const arenad_event& event, Events<T...>) {
    arenad_verdict verdict = ARENAD_UNKNOWN;
    (void)((event.type == capnp::typeId<T>() && (verdict = apply<T>(event), true)) || ...);
    return verdict;
  }

  template <class T>
  arenad_verdict apply(const arenad_event& event) {
    if constexpr (is_flat<T>) {
      static thread_local FlatReader<T> flat;
      if (const auto* reader = flat.read(event.words, event.word_count)) {
        game_.on_event(context_, static_cast<Seat>(event.seat), *reader);
        return ARENAD_OK;
      }
    }
    try {
      MessageView suspect(event.words, event.word_count);
      detail::check_struct(suspect.root<T>());
    } catch (const kj::Exception& e) {
      error_ = e.getDescription().cStr();
      return ARENAD_MALFORMED;
    }
    MessageView checked(event.words, event.word_count, unbounded_reader_options());
    game_.on_event(context_, static_cast<Seat>(event.seat), checked.root<T>());
    return ARENAD_OK;
  }

  Game game_;
  Context context_;
  std::string error_;
};

// An exception from a callback that may not fail ends the worker, and with it begins the recovery.
template <class Game>
const arenad_game* game_table() {
  using Box = GameBox<Game>;
  static arenad_game table = [] {
    arenad_game t{};
    t.abi_version = ARENAD_ABI_VERSION;
    t.table_bytes = sizeof t;
    t.name = Game::info.name;
    t.version = Game::info.version;
    t.state_type = capnp::typeId<typename Game::State>();
    t.schema_hash = detail::schema_hash(capnp::Schema::from<typename Game::State>());
    t.defaults = {Game::info.tick_hz, Game::info.max_players};
    t.max_state_bytes = Game::info.max_state_bytes;
    t.max_frame_output_bytes = Game::info.max_frame_output_bytes;
    if constexpr (requires { Game::warm_up(); }) t.warm_up = [] { Game::warm_up(); };
    t.create = [](const arenad_host* host, const arenad_frame* frame) -> void* { return new Box(host, frame); };
    t.destroy = [](void* box) { delete static_cast<Box*>(box); };
    t.init = [](void* box, const arenad_param* params, size_t count, arenad_arena_options* options) {
      return static_cast<Box*>(box)->guarded(ARENAD_REFUSED, [&](Game& game, Context& context) {
        if constexpr (requires { game.on_init(context, Params(params, count), *options); }) {
          game.on_init(context, Params(params, count), *options);
        } else {
          game.on_init(context, Params(params, count));
        }
      });
    };
    t.restore = [](void* box, const void* words, size_t word_count, uint64_t) {
      return static_cast<Box*>(box)->guarded(ARENAD_REFUSED, [&](Game& game, Context& context) {
        // Bytes that this game wrote, and that passed their checksum.
        MessageView view(words, word_count, unbounded_reader_options());
        game.on_restore(context, view.root<typename Game::State>());
      });
    };
    if constexpr (requires(Game g, Context & c, const Migration& from) { g.on_migrate(c, from); }) {
      t.migrate = [](void* box, const char* old_version, uint64_t old_schema_hash, const void* words, size_t word_count,
                     uint64_t) {
        return static_cast<Box*>(box)->guarded(ARENAD_REFUSED, [&](Game& game, Context& context) {
          game.on_migrate(context, Migration(old_version, old_schema_hash, words, word_count));
        });
      };
    }
    if constexpr (requires(Game g, Context & c) { g.on_join(c, Seat{}, std::string_view{}); }) {
      t.join = [](void* box, uint32_t seat, const char* player, size_t bytes) {
        auto& b = *static_cast<Box*>(box);
        b.game().on_join(b.context(), static_cast<Seat>(seat), std::string_view(player, bytes));
        return ARENAD_OK;
      };
    }
    if constexpr (requires(Game g, Context & c) { g.on_leave(c, Seat{}, ARENAD_LEFT); }) {
      t.leave = [](void* box, uint32_t seat, uint32_t reason) {
        auto& b = *static_cast<Box*>(box);
        b.game().on_leave(b.context(), static_cast<Seat>(seat), static_cast<arenad_leave_reason>(reason));
        return ARENAD_OK;
      };
    }
    if constexpr (requires(Game g, Context & c) { g.on_join_attempt(c, Seat{}, std::string_view{}); }) {
      t.join_attempt = [](void* box, uint32_t seat, const char* player, size_t bytes) {
        return static_cast<Box*>(box)->answered([&](Game& game, Context& context) {
          game.on_join_attempt(context, static_cast<Seat>(seat), std::string_view(player, bytes));
        });
      };
    }
    if constexpr (requires(Game g, Context & c) { g.on_signal(c, std::string_view{}, std::string_view{}); }) {
      t.signal = [](void* box, const char* name, size_t name_bytes, const char* payload, size_t payload_bytes) {
        return static_cast<Box*>(box)->answered([&](Game& game, Context& context) {
          context.reply(game.on_signal(context, std::string_view(name, name_bytes), std::string_view(payload, payload_bytes)));
        });
      };
    }
    if constexpr (requires { typename Game::Events; }) {
      t.event = [](void* box, const arenad_event* event) { return static_cast<Box*>(box)->event(*event); };
    }
    t.tick = [](void* box) {
      auto& b = *static_cast<Box*>(box);
      b.game().on_tick(b.context());
      return ARENAD_OK;
    };
    if constexpr (requires(Game g, Context & c) { g.on_drain(c, uint64_t{}); }) {
      t.drain = [](void* box, uint64_t deadline_unix_ns) {
        auto& b = *static_cast<Box*>(box);
        b.game().on_drain(b.context(), deadline_unix_ns);
        return ARENAD_OK;
      };
    }
    t.checkpoint = [](void* box, void* words, size_t capacity_words) -> size_t {
      auto& b = *static_cast<Box*>(box);
      b.forget_error();
      InPlaceBuilder message(words, capacity_words);
      std::as_const(b.game()).on_checkpoint(message.initRoot<typename Game::State>());
      return message.fits() ? message.used_words() : 0;
    };
    t.last_error = [](void* box) { return static_cast<Box*>(box)->error(); };
    t.schema = detail::game_schema<Game>;
    return t;
  }();
  return &table;
}

}  // namespace arenad
