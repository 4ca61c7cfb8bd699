#include "chaos/onlooker.h"

#include "ipc/clock.h"

namespace arenad::chaos {
namespace {

// A stopped arenad takes connections and says nothing; the disk of one that runs may be slow.
constexpr uint64_t kPatienceMs = 200;
constexpr uint64_t kSilenceNs = 2 * kSecond;

}  // namespace

std::optional<ControlIncoming> Onlooker::ask(const std::function<void(wire::Request::Builder)>& fill) {
  if (monotonic_ns() < silent_until_ns_) return std::nullopt;
  if (!control_) {
    auto connected = ControlClient::connect(socket_);
    if (!connected) return std::nullopt;
    control_.emplace(std::move(*connected));
  }
  auto answer = control_->call(fill, {}, kPatienceMs);
  if (answer) return std::move(*answer);
  if (answer.error().code == ErrorCode::timeout) silent_until_ns_ = monotonic_ns() + kSilenceNs;
  control_.reset();
  return std::nullopt;
}

}  // namespace arenad::chaos
