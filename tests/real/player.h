// A client of the echo game that checks what it is told: each of its numbers comes back once, in order.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "arenad/client.h"
#include "tests/games/echo.capnp.h"
#include "tests/real/process.h"

namespace arenad::test {

class Player {
 public:
  Player(const std::string& socket, AttachOptions options);
  Player(const std::string& socket, const std::string& arena, const std::string& name);

  Attachment& arena() { return *attachment_; }
  // Says the next number, waiting while the channel is full.
  void say();
  // The same once; nothing is said unless Sent::ok.
  Sent try_say();
  // Takes in what is there now. Echoes are counted, and checked to be the next ones.
  void listen();
  bool hears_all(uint64_t patience_ms = kPatienceMs);
  // Listens until this holds.
  bool listens_until(const std::function<bool()>& holds, uint64_t patience_ms = kPatienceMs);
  // The game's state, as it tells it.
  struct State {
    uint64_t applied = 0, joins = 0, left = 0, dropped = 0, expelled = 0;
    std::vector<uint64_t> last;
  };
  State ask();
  // Leaves in order, as the destructor does.
  void leave() { attachment_.reset(); }

  [[nodiscard]] uint64_t said() const { return said_; }
  [[nodiscard]] uint64_t heard() const { return heard_; }
  [[nodiscard]] const std::vector<Rejection>& rejections() const { return rejections_; }
  [[nodiscard]] const std::vector<Departure>& departures() const { return departures_; }  // of this player
  [[nodiscard]] bool is_gone() const { return !departures_.empty(); }
  struct Departed {
    uint64_t seat = 0;
    uint64_t reason = 0;
  };
  [[nodiscard]] const std::vector<Departed>& departed() const { return departed_; }  // players, as the game tells
  [[nodiscard]] uint64_t times_rolled_back() const { return times_rolled_back_; }
  [[nodiscard]] uint64_t times_lagged() const { return times_lagged_; }
  [[nodiscard]] uint64_t lag_bytes() const { return lag_bytes_; }
  [[nodiscard]] uint64_t pieces() const { return pieces_; }
  // Of a number that came twice, too late or too early; empty if all was well.
  [[nodiscard]] const std::string& complaint() const { return complaint_; }
  [[nodiscard]] bool disconnected() const { return disconnected_; }
  // Continues with the number of another player's life.
  void go_on_after(uint64_t number) { said_ = heard_ = number; }

 private:
  void take_output(const Output& output);

  std::unique_ptr<Client> client_;
  std::unique_ptr<Attachment> attachment_;
  uint64_t said_ = 0;
  uint64_t heard_ = 0;
  uint64_t asked_ = 0;
  uint64_t answered_ = 0;
  State state_;
  std::vector<Rejection> rejections_;
  std::vector<Departure> departures_;
  std::vector<Departed> departed_;
  uint64_t times_lagged_ = 0;
  uint64_t times_rolled_back_ = 0;
  uint64_t lag_bytes_ = 0;
  uint64_t pieces_ = 0;
  std::string complaint_;
  bool disconnected_ = false;
};

}  // namespace arenad::test
