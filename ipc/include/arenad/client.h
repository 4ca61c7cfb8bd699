// The client library: attach to arenas, send them typed events, receive their outputs.
//
//     auto client = arenad::Client::connect("/run/arenad/arenad.sock");
//     auto arena = (*client)->attach({.arena = "duel-1", .player = "ann"});
//     (*arena)->send<duel::Aim>([](duel::Aim::Builder aim) { aim.setX(3); });
//     switch ((*arena)->receive()) { case arenad::Incoming::output: ... }
//
// A whole client is in docs/writing-a-client.md.
//
// An event that send() has taken is applied exactly once, whatever happens to the worker, and outputs come without gap
// or repeat: when an arena's worker dies, the next one goes on in the same place, and nothing of it shows here but a pause.
// When arenad dies, its arenas go on without it, and the client finds the next arenad by itself, provided that receive() or a
// wait is called now and then. Only an arena that ends, is stopped, or is set back to a checkpoint leaves events behind; then
// the attachment is gone.
//
// A Client and its Attachments are used by one thread. Attachments must not outlive their Client.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "arenad/ids.h"
#include "arenad/message.h"
#include "arenad/result.h"

namespace arenad {

enum class Sent {
  ok,         // it will be applied
  full,       // the channel holds too much that is not durable yet; nothing was sent, try again later
  too_large,  // larger than the channel takes; nothing was sent
  closed,     // the arena runs no more, or this attachment is an observer's
};

enum class Incoming {
  none,    // nothing now
  output,  // output() is the next one
  lagged,  // outputs were overwritten before they were read, or their memory was damaged; lag() tells how many bytes. Ask the game for its
  // state anew
  rejected,  // an event was not applied; rejection() tells which and why
  rolled_back,  // new code of the game was taken back: what it made of the frames after rolled_back_to() is not the arena's state. What it
                // had given out stands; ask the game for its state anew
  gone,          // the arena runs no more; departure() tells why. Nothing follows
  disconnected,  // arenad is gone and no other has come in time. Nothing follows
};

struct Output {
  uint64_t sequence = 0;        // in the arena's whole output; with gaps where outputs were for others
  uint64_t type = 0;            // Cap'n Proto type id
  uint64_t audience = 0;        // 0: everyone; else one bit for each seat
  const void* words = nullptr;  // a private copy; valid until the next receive()
  size_t word_count = 0;
};

struct Rejection {
  enum class Reason {
    malformed,
    unknown_type,
    broken_ring,
    damaged,      // its memory changed between send() and the frame that took it: what was sent is not known any more
    quarantined,  // applying it killed the arena's worker, twice, or the game blames it: the arena goes on without it
  };
  uint64_t sequence = 0;  // of the event, as send() counted it
  Reason reason = Reason::malformed;
};

struct Departure {
  std::string state;  // of the arena: ended, stopped, failed, lost; or of the player: dropped, expelled, kicked, denied
  std::string reason;
};

struct ConnectOptions {
  uint64_t reconnect_ms = 30'000;  // so long another arenad is looked for when this one is gone; 0: not at all
};

struct AttachOptions {
  std::string arena;                    // an id or a name
  std::string player;                   // the game sees it; the same name gets the same seat again
  bool observer = false;                // no seat, no events, all outputs whomever they are for
  uint64_t channel_bytes = 256 * 1024;  // a power of two
};

class Client;

class Attachment {
 public:
  ~Attachment();
  Attachment(const Attachment&) = delete;
  Attachment& operator=(const Attachment&) = delete;

  // Builds an event in place in the channel: fill(T::Builder), and makes it visible to the arena.
  template <class T, class Fill>
  Sent send(Fill&& fill, size_t words_hint = 128);

  // The same in steps, for bridges that have messages already and for sending many at once: reserve, write one segment of at most
  // word_count words (not zeroed), commit; publish makes all that is committed visible. nullptr: full or too large.
  void* reserve(size_t word_count, Sent& why_not);
  uint64_t commit(uint64_t type, size_t word_count);
  void publish();

  Incoming receive();
  // What the last receive() gave. Valid until the next one.
  [[nodiscard]] const Output& output() const;
  [[nodiscard]] uint64_t lag() const;
  // How often it lagged because an output was damaged in shared memory, which only a fault of the memory or of the worker can do.
  [[nodiscard]] uint64_t outputs_damaged() const;
  [[nodiscard]] const Rejection& rejection() const;
  [[nodiscard]] FrameNumber rolled_back_to() const;
  [[nodiscard]] const Departure& departure() const;

  // Sleeps until receive() may have something, or for timeout_ms.
  void wait(uint64_t timeout_ms);

  [[nodiscard]] ArenaId arena() const;
  [[nodiscard]] const std::string& arena_name() const;
  [[nodiscard]] Seat seat() const;
  [[nodiscard]] ChannelId channel() const;
  [[nodiscard]] uint64_t events_sent() const;        // sequence of the last one
  [[nodiscard]] uint64_t full_count() const;         // how often a channel was full
  [[nodiscard]] uint64_t bytes_not_applied() const;  // published and not taken by the arena yet
  [[nodiscard]] Epoch epoch() const;

  // For tools that look into an incarnation's region themselves: called with the region's descriptor (borrowed) for the present
  // incarnation and then for each new one, in order.
  void on_incarnation(std::function<void(int region_fd, Epoch epoch)> hook);

 private:
  friend class Client;
  struct State;
  explicit Attachment(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

class Client {
 public:
  // The socket of arenad. ErrorCode::unreachable if it does not answer.
  static Result<std::unique_ptr<Client>> connect(const std::string& socket_path, const ConnectOptions& options = {});
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  Result<std::unique_ptr<Attachment>> attach(const AttachOptions& options, uint64_t timeout_ms = 10'000);

  // Sleeps until one of the attachments may have something, or for timeout_ms. Of more than 60 attachments, those beyond are looked at
  // every 2 ms.
  static void wait_any(std::span<Attachment* const> attachments, uint64_t timeout_ms);

  struct State;

 private:
  explicit Client(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

template <class T, class Fill>
Sent Attachment::send(Fill&& fill, size_t words_hint) {
  Sent why_not = Sent::ok;
  size_t capacity = is_flat<T> ? flat_word_count<T> : words_hint;
  void* space = reserve(capacity, why_not);
  if (space == nullptr) return why_not;
  std::memset(space, 0, capacity * 8);
  InPlaceBuilder message(space, capacity);
  fill(message.initRoot<T>());
  if (!message.fits()) {
    // Larger than the hint: what was built is copied once, into space of the right size.
    const auto root = message.template getRoot<T>().asReader();
    capacity = root.totalSize().wordCount + 1;
    capnp::MallocMessageBuilder copy(static_cast<unsigned>(capacity));
    copy.setRoot(root);
    space = reserve(capacity, why_not);
    if (space == nullptr) return why_not;
    std::memset(space, 0, capacity * 8);
    InPlaceBuilder exact(space, capacity);
    exact.setRoot(copy.getRoot<T>().asReader());
    commit(capnp::typeId<T>(), exact.used_words());
  } else {
    commit(capnp::typeId<T>(), message.used_words());
  }
  publish();
  return Sent::ok;
}

}  // namespace arenad
