// What becomes of a worker whose arenad is gone: it runs frames as before and offers itself to the next arenad, until one takes it or
// nobody has in time.
//
//   state    | the link breaks | a try is due          | adopted
//   ---------+-----------------+-----------------------+---------
//   watched  | alone           | -                     | -
//   alone    | -               | connects: offered     | -
//   offered  | alone           | -                     | watched
//
// The time that nobody has taken it counts from the first break on, also over offers that came to nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "ipc/link.h"
#include "worker/arena_runtime.h"

namespace arenad {

class Orphan {
 public:
  Orphan(std::string socket_path, uint64_t timeout_ns) : socket_path_(std::move(socket_path)), timeout_ns_(timeout_ns) {}

  void link_broke(uint64_t now_ns);
  void adopted();
  [[nodiscard]] bool is_watched() const { return state_ == State::watched; }
  [[nodiscard]] bool is_alone() const { return state_ == State::alone; }
  // Nobody has come in time.
  [[nodiscard]] bool gave_up(uint64_t now_ns) const { return alone_since_ns_ && now_ns - *alone_since_ns_ >= timeout_ns_; }
  // The link to an arenad that has been offered this worker, if one was reached; at most once in a while. output: the file of its output, if
  // it has one.
  std::optional<Link> try_offer(uint64_t now_ns, ArenaRuntime& runtime, const Fd& output);
  // When there is something to do next, if nothing happens.
  [[nodiscard]] uint64_t next_look_ns() const { return next_try_ns_; }

 private:
  enum class State { watched, alone, offered };
  std::string socket_path_;
  uint64_t timeout_ns_;
  State state_ = State::watched;
  std::optional<uint64_t> alone_since_ns_;
  uint64_t next_try_ns_ = 0;
};

}  // namespace arenad
