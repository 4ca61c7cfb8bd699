#include "supervisor/metrics_address.h"

#include <arpa/inet.h>
#include <charconv>
#include <cstring>

namespace arenad {
namespace {

constexpr std::string_view kUnix = "unix:";

std::optional<uint16_t> parse_port(std::string_view text) {
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

template <class Address>
LoopbackMetrics loopback(const Address& address) {
  LoopbackMetrics metrics{{}, sizeof address};
  std::memcpy(&metrics.address, &address, sizeof address);
  return metrics;
}

std::optional<LoopbackMetrics> parse_loopback(const std::string& host, uint16_t port) {
  sockaddr_in v4{};
  if (::inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
    if (ntohl(v4.sin_addr.s_addr) >> 24 != IN_LOOPBACKNET) return std::nullopt;
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    return loopback(v4);
  }
  if (host != "[::1]") return std::nullopt;
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  v6.sin6_addr = in6addr_loopback;
  return loopback(v6);
}

}  // namespace

std::optional<MetricsAddress> parse_metrics_address(std::string_view text) {
  if (text.empty()) return NoMetrics{};
  if (text.starts_with(kUnix)) {
    const std::string_view path = text.substr(kUnix.size());
    if (path.empty() || path.find('\0') != std::string_view::npos) return std::nullopt;
    return UnixMetrics{std::filesystem::path(path).lexically_normal()};
  }
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = parse_port(text.substr(colon + 1));
  if (!port) return std::nullopt;
  const auto address = parse_loopback(std::string(text.substr(0, colon)), *port);
  if (!address) return std::nullopt;
  return *address;
}

}  // namespace arenad
