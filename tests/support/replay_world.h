// One arena in this process, through the ends of its incarnations: what outlives them is its clients' channels and the regions that they leave.
// Game has a State with a Text `name`, in which it keeps what happened, for people.
#pragma once

#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include "arenad/game.h"
#include "worker/arena_runtime.h"
#include "worker/recorder.h"
#include "worker/recovery.h"

namespace arenad::test {

inline Fd copy_of(const Fd& fd) {
  auto copy = fd.duplicate();
  REQUIRE(copy.ok());
  return std::move(*copy);
}

template <class Game>
class ReplayWorld {
 public:
  static constexpr ArenaId kArena = {0x0190'0000'0000'1234, 0x5678};
  static constexpr uint64_t kMaxEventBytes = 1024;

  // A new arena, with its first snapshot.
  ReplayWorld() {
    begin();
    REQUIRE(runtime_->init({}).ok());
    REQUIRE(runtime_->take_snapshot());
  }

  void attach(const ChannelId& id, Seat slot, const std::string& player) {
    auto writer = ChannelWriter::create(limits::kMinChannelBytes);
    REQUIRE(writer.ok());
    attach_view(id, clients_.emplace(id.value, Client{slot, player, std::move(*writer)}).first->second);
  }
  // Gives its sequence.
  uint64_t write(const ChannelId& id, uint64_t type, const std::vector<uint64_t>& words) {
    ChannelWriter& writer = clients_.at(id.value).writer;
    void* space = writer.reserve(words.size());
    REQUIRE(space != nullptr);
    std::memcpy(space, words.data(), words.size() * 8);
    const uint64_t sequence = writer.commit(type, words.size());
    writer.publish();
    return sequence;
  }
  // Of the next frame.
  [[nodiscard]] FrameInputs inputs() const {
    FrameInputs inputs;
    inputs.frame = runtime_->frame().next();
    inputs.time_unix_ns = 1'700'000'000'000'000'000 + inputs.frame.value;
    inputs.seed = frame_seed(kArena, inputs.frame);
    return inputs;
  }
  DecidedFrame decide(const FrameInputs& inputs) { return decide_frame(inputs, runtime_->channels()); }
  void run(const DecidedFrame& frame) {
    runtime_->record(frame);
    auto effects = runtime_->run(frame);
    REQUIRE(effects.ok());
    runtime_->publish(*effects);
  }

  // The next incarnation, from what the last one has left. Gives what it has left itself.
  Fd die() {
    Fd region = copy_of(runtime_->incarnation().fd());
    runtime_.reset();
    return region;
  }
  RecoveryReport recover_from(const Fd& region, const std::vector<EventRef>& quarantined = {}) {
    begin();
    for (const auto& [id, client] : clients_) attach_view({id}, client);
    auto view = IncarnationView::map(copy_of(region));
    REQUIRE(view.ok());
    RecoverySources sources;
    sources.predecessor = std::move(*view);
    for (const EventRef& event : quarantined) sources.quarantined.push_back({event, 1000 + event.sequence});
    const auto result = recover(*runtime_, sources);
    const auto* failure = std::get_if<RecoveryFailure>(&result);
    CAPTURE((failure != nullptr ? failure->message : ""));
    REQUIRE(failure == nullptr);
    return std::get<RecoveryReport>(result);
  }
  RecoveryReport die_and_recover(const std::vector<EventRef>& quarantined = {}) { return recover_from(die(), quarantined); }

  // The state itself.
  std::string diary() {
    std::vector<std::byte> words(Game::info.max_state_bytes);
    const size_t used = runtime_->host().checkpoint(words);
    MessageView view(words.data(), used, unbounded_reader_options());
    return view.root<typename Game::State>().getName();
  }
  ArenaRuntime& runtime() { return *runtime_; }

 private:
  struct Client {
    Seat slot;
    std::string player;
    ChannelWriter writer;
  };
  void begin() {
    auto incarnation = Incarnation::create({.slot_bytes = slot_bytes_for(Game::info.max_state_bytes)});
    REQUIRE(incarnation.ok());
    epoch_ = epoch_.next();
    const arenad_game& game = *game_table<Game>();
    incarnation->assign(kArena, epoch_, {}, game.schema_hash, 1);
    runtime_ = std::make_unique<ArenaRuntime>(game, std::move(*incarnation), ArenaIdentity{kArena, epoch_, game.name},
                                              kMaxEventBytes, [] {});
    Game::begun(runtime_->status());
  }
  void attach_view(const ChannelId& id, const Client& client) {
    auto view = ChannelView::map(copy_of(client.writer.fd()));
    REQUIRE(view.ok());
    runtime_->channels().attach(id, client.slot, client.player, std::move(*view));
  }

  Epoch epoch_;
  std::map<uint64_t, Client> clients_;
  std::unique_ptr<ArenaRuntime> runtime_;
};

}  // namespace arenad::test
