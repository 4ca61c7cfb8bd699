#include "chaos/faults/blocked_log.h"

#include <fcntl.h>
#include <memory>
#include <sys/mman.h>

#include "chaos/preload/faulty_log.h"
#include "chaos/stage.h"

namespace arenad::chaos {
namespace {

constexpr const char* kBlockedLog = "blocked log";

struct BlockedLog {
  explicit BlockedLog(test::LogOrders* mapped) : orders(mapped), number(mapped->last + 1) {
    orders->last = number;
    orders->blocked_by = number;
  }
  BlockedLog(const BlockedLog&) = delete;
  BlockedLog& operator=(const BlockedLog&) = delete;
  ~BlockedLog() {
    orders->blocked_by = 0;
    ::munmap(orders, sizeof *orders);
  }
  test::LogOrders* orders;
  uint32_t number;
};

}  // namespace

std::string cannot_block_log(const Stage& stage) {
  return stage.clock() == nullptr ? "arenad's log does not obey: it is built with sanitizers" : "";
}

Result<void> block_log(Stage& stage, const Strike& strike) {
  const auto path = stage.rig().folder() / "log_orders";
  const Fd file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  void* memory =
      file ? ::mmap(nullptr, sizeof(test::LogOrders), PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0) : MAP_FAILED;
  if (memory == MAP_FAILED) return errno_error("cannot map " + path.string());
  stage.prop(kBlockedLog, strike.arena).reset();  // first: it unblocks when it goes
  stage.prop(kBlockedLog, strike.arena) = std::make_shared<BlockedLog>(static_cast<test::LogOrders*>(memory));
  return {};
}

bool log_is_blocked(const Stage& stage, const Strike& strike) {
  const auto log = std::static_pointer_cast<BlockedLog>(stage.prop(kBlockedLog, strike.arena));
  return log != nullptr && log->orders->met == log->number;
}

Result<void> unblock_log(Stage& stage, const Strike& strike) {
  stage.prop(kBlockedLog, strike.arena).reset();
  return {};
}

}  // namespace arenad::chaos
