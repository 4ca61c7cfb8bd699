#include <memory>
#include <sys/mman.h>
#include <vector>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/faults/keeper_socket.h"
#include "chaos/faults/processes.h"
#include "chaos/random.h"
#include "chaos/stage.h"

namespace arenad::chaos {
namespace {

constexpr const char* kToldByStrangers = "keeper.told_by_strangers";
constexpr int kTold = 2000;
constexpr size_t kDescriptorsOfOne = 20;
// Descriptors come and go with workers; it is fewer than would be kept.
constexpr size_t kFewMore = 12;

// What each of them would do if arenad said it (keeper/notification.h).
constexpr const char* kLies[] = {"WATCHDOG=trigger",
                                 "WATCHDOG_USEC=1\nWATCHDOG=1",
                                 "STOPPING=1",
                                 "READY=1",
                                 "EXTEND_TIMEOUT_USEC=999999999",
                                 "MAINPID=1",
                                 "FDSTORE=1\nFDNAME=lie",
                                 "FDSTORE=1\nFDPOLL=0",
                                 "FDSTOREREMOVE=1\nFDNAME=lie"};

}  // namespace

Fault keeper_told_by_strangers() {
  return {.name = kToldByStrangers,
          .does =
              "Somebody who is not arenad tells the keeper, two thousand times, to end arenad, to keep descriptors or to "
              "forget some, and "
              "garbage",
          .holds = "the keeper listens to arenad alone, and keeps nothing of it",
          .prepare = wait_for_arenad,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            auto socket = KeeperSocket::connect(stage.rig().keeper());
            if (!socket) return socket.error();
            stage.prop(kToldByStrangers, strike.arena) = std::make_shared<size_t>(open_descriptors(stage.rig().keeper()));
            Random random(strike.draw, "strangers");
            std::vector<Fd> files;
            std::vector<int> fds;
            for (size_t i = 0; i < kDescriptorsOfOne; ++i) {
              files.emplace_back(::memfd_create("of a stranger", MFD_CLOEXEC));
              if (!files.back()) return errno_error("cannot make a file in memory");
              fds.push_back(files.back().get());
            }
            for (int told = 0; told < kTold; ++told) {
              const std::string lie = kLies[random.below(std::size(kLies))];
              const bool is_garbage = random.below(4) == 0;
              const std::string datagram = is_garbage ? random_bytes(random, 1 + random.below(70'000)) : lie;
              // What it does not take now it need not take.
              (void)socket->send(datagram, lie.starts_with("FDSTORE=1") ? std::span<const int>(fds) : std::span<const int>());
            }
            return {};
          },
          .plays_on = 5,
          .settled =
              [](Stage& stage, const Strike& strike) {
                const auto before = std::static_pointer_cast<size_t>(stage.prop(kToldByStrangers, strike.arena));
                return before == nullptr || open_descriptors(stage.rig().keeper()) <= *before + kFewMore;
              }};
}

}  // namespace arenad::chaos
