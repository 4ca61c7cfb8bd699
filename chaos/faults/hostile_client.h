// A client of an arena that keeps to the control protocol and to nothing else: it writes into its channel what it likes.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "chaos/fault.h"
#include "ipc/channel.h"
#include "ipc/control_client.h"

namespace arenad::chaos {

// At the seat of `mallory`.
class HostileClient {
 public:
  static Result<std::unique_ptr<HostileClient>> attach(const Stage& stage, size_t arena);

  // The first record, as the header says, with these words; not visible before publish().
  void write(RecordHeader header, std::span<const uint64_t> words);
  // An event as everyone sends it, but for what is in it.
  void send(uint64_t type, std::span<const uint64_t> words);
  [[nodiscard]] ChannelHeader& header() { return writer_.header(); }
  [[nodiscard]] uint64_t seat() const { return seat_; }
  // arenad has told it that, or has hung up.
  [[nodiscard]] bool is_expelled();
  void publish(uint64_t position) { writer_.header().published.store(position, std::memory_order_release); }

 private:
  HostileClient(ControlClient control, ChannelWriter writer, uint64_t seat)
      : control_(std::move(control)), writer_(std::move(writer)), seat_(seat) {}
  ControlClient control_;
  ChannelWriter writer_;
  uint64_t seat_;
  bool is_expelled_ = false;
};

// An event of the ledger as it would lie in a channel: root pointer, number, amount.
constexpr uint64_t kHonestWords[] = {uint64_t{2} << 32, 1, 1};
uint64_t honest_type();
constexpr uint32_t kHonestBytes = static_cast<uint32_t>(record_bytes(std::size(kHonestWords)));

// Fault::inject of a client that attaches and does something to its channel: it stays until it is undone.
using Evil = std::function<void(HostileClient&, uint64_t draw)>;
std::function<Result<void>(Stage&, const Strike&)> attach_and(Evil evil);
// The client that it has attached, as long as it stays.
std::shared_ptr<HostileClient> hostile_client(const Stage& stage, const Strike& strike);
// Fault::fired.
bool hostile_client_is_expelled(const Stage& stage, const Strike& strike);
// Fault::heal: it goes.
Result<void> hostile_client_goes(Stage& stage, const Strike& strike);

}  // namespace arenad::chaos
