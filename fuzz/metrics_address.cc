// Where metrics are to be had, as the configuration says it (supervisor/metrics_address.h).
#include "supervisor/metrics_address.h"

#include <arpa/inet.h>

#include "fuzz/harness.h"

namespace arenad::fuzz {
namespace {

// No other machine reaches it.
void check(const LoopbackMetrics& tcp) {
  if (tcp.address.ss_family == AF_INET) {
    sockaddr_in four{};
    ARENAD_ASSERT(tcp.bytes == sizeof four);
    std::memcpy(&four, &tcp.address, sizeof four);
    ARENAD_ASSERT(ntohl(four.sin_addr.s_addr) >> 24 == 127);
    return;
  }
  sockaddr_in6 six{};
  ARENAD_ASSERT(tcp.address.ss_family == AF_INET6 && tcp.bytes == sizeof six);
  std::memcpy(&six, &tcp.address, sizeof six);
  ARENAD_ASSERT(IN6_IS_ADDR_LOOPBACK(&six.sin6_addr));
}

void run(std::string_view input) {
  const auto address = parse_metrics_address(input);
  if (!address) return;
  if (std::holds_alternative<NoMetrics>(*address)) ARENAD_ASSERT(input.empty());
  if (const auto* unix_socket = std::get_if<UnixMetrics>(&*address)) ARENAD_ASSERT(!unix_socket->path.empty());
  if (const auto* tcp = std::get_if<LoopbackMetrics>(&*address)) check(*tcp);
}

std::vector<std::string> seeds() {
  return {"", "unix:metrics.sock", "unix:/run/x", "127.0.0.1:9090", "[::1]:9090", "127.255.255.254:1", "[::ffff:127.0.0.1]:80"};
}

}  // namespace

extern const Harness metrics_address_harness;
const Harness metrics_address_harness{run, seeds, {"unix:", "127.", "[::1]:", "65535", ":", "0x7f"}, 64};

}  // namespace arenad::fuzz
