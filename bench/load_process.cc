#include "bench/load_process.h"

#include <cerrno>
#include <fmt/format.h>
#include <memory>
#include <time.h>

#include "arenad/client.h"
#include "ipc/clock.h"
#include "ipc/process.h"
#include "tanks.capnp.h"

namespace arenad::bench {
namespace {

constexpr uint64_t kAttachTimeoutMs = 60'000;
constexpr uint64_t kTurnsPerPeriod = 10;  // the players of a process do not all send at once
constexpr uint64_t kTurnNs = kSecond / kOrdersPerSecond / kTurnsPerPeriod;
constexpr uint64_t kOpenFiles = 65'536;

struct Player {
  std::unique_ptr<Attachment> attachment;
  bool reads = false;
};

void sleep_until(uint64_t monotonic_time_ns) {
  const timespec time{static_cast<time_t>(monotonic_time_ns / kSecond), static_cast<long>(monotonic_time_ns % kSecond)};
  while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nullptr) == EINTR) {
  }
}

class LoadPlayers {
 public:
  LoadPlayers(LoadProgress& progress, uint64_t seed) : progress_(progress), random_(seed) {}

  Result<void> attach_all(Client& client, const LoadOptions& options) {
    for (const std::string& arena : options.arenas) {
      for (uint32_t i = 0; i < kPlayersPerArena; ++i) {
        auto attachment = client.attach(
            {.arena = arena, .player = fmt::format("p{}", i), .channel_bytes = options.channel_bytes}, kAttachTimeoutMs);
        if (!attachment) return attachment.error();
        players_.push_back({std::move(*attachment), i == 0});
        progress_.attached.fetch_add(1, std::memory_order_relaxed);
      }
    }
    return {};
  }

  Result<void> play() {
    uint64_t due_ns = monotonic_ns();
    for (uint64_t turn = 0;; ++turn) {
      due_ns += kTurnNs;
      const uint64_t now = monotonic_ns();
      if (now > due_ns + kSecond) {
        progress_.late.fetch_add((now - due_ns) / kTurnNs, std::memory_order_relaxed);
        due_ns = now;
      }
      sleep_until(due_ns);
      for (size_t i = turn % kTurnsPerPeriod; i < players_.size(); i += kTurnsPerPeriod) {
        if (auto done = take_turn(players_[i]); !done) return done;
      }
    }
  }

 private:
  uint64_t next_random() { return random_ = random_ * 6364136223846793005ull + 1442695040888963407ull; }

  Result<void> take_turn(Player& player) {
    const uint64_t bits = next_random() >> 24;
    const Sent sent = player.attachment->send<tanks::Order>([&](tanks::Order::Builder order) {
      order.setThrottle(static_cast<int8_t>(bits % 200) - 100);
      order.setTurn(static_cast<int8_t>((bits >> 8) % 200) - 100);
      order.setTurret(static_cast<uint16_t>(bits >> 16));
      order.setFire((bits >> 32 & 1) != 0);
    });
    if (sent == Sent::closed) return make_error(ErrorCode::failed, "arena " + player.attachment->arena_name() + " is gone");
    (sent == Sent::ok ? progress_.sent : progress_.full).fetch_add(1, std::memory_order_relaxed);
    return player.reads ? read(*player.attachment) : Result<void>{};
  }

  Result<void> read(Attachment& attachment) {
    uint64_t outputs = 0;
    for (;;) {
      switch (attachment.receive()) {
        case Incoming::none:
          progress_.outputs.fetch_add(outputs, std::memory_order_relaxed);
          return {};
        case Incoming::output:
          ++outputs;
          continue;
        case Incoming::lagged:
          progress_.lagged.fetch_add(1, std::memory_order_relaxed);
          continue;
        case Incoming::rejected:
          return make_error(ErrorCode::failed, attachment.arena_name() + " has rejected an order");
        case Incoming::rolled_back:
          continue;
        case Incoming::gone:
          return make_error(ErrorCode::failed, "arena " + attachment.arena_name() + " is " + attachment.departure().state);
        case Incoming::disconnected:
          return make_error(ErrorCode::unreachable, "arenad is gone");
      }
    }
  }

  LoadProgress& progress_;
  uint64_t random_;
  std::vector<Player> players_;
};

}  // namespace

Result<void> play_load(const LoadOptions& options, LoadProgress& progress) {
  raise_open_files_limit(kOpenFiles);
  auto client = Client::connect(options.socket);
  if (!client) return client.error();
  LoadPlayers players(progress, options.seed);
  if (auto attached = players.attach_all(**client, options); !attached) return attached;
  return players.play();
}

}  // namespace arenad::bench
