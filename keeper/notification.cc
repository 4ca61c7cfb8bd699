#include "keeper/notification.h"

#include <algorithm>
#include <charconv>

namespace arenad {
namespace {

constexpr size_t kMaxNameBytes = 255;

std::optional<uint64_t> number(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

void take_line(Notification& notification, std::string_view key, std::string_view value) {
  if (key == "READY") notification.ready = value == "1";
  if (key == "STOPPING") notification.stopping = value == "1";
  if (key == "WATCHDOG") {
    notification.watchdog_ping = value == "1";
    notification.watchdog_trigger = value == "trigger";
  }
  if (key == "FDSTORE") notification.store = value == "1";
  if (key == "FDSTOREREMOVE") notification.store_remove = value == "1";
  if (key == "FDPOLL") notification.poll = value != "0";
  if (key == "FDNAME" && is_descriptor_name(value)) notification.name = value;
  if (key == "STATUS") notification.status = value;
  if (key == "WATCHDOG_USEC") notification.watchdog_usec = number(value);
  if (key == "EXTEND_TIMEOUT_USEC") notification.extend_timeout_usec = number(value);
}

}  // namespace

Notification parse_notification(std::string_view datagram) {
  Notification notification;
  while (!datagram.empty()) {
    const size_t end = std::min(datagram.find('\n'), datagram.size());
    const std::string_view line = datagram.substr(0, end);
    datagram.remove_prefix(std::min(end + 1, datagram.size()));
    const size_t equals = line.find('=');
    if (equals != std::string_view::npos) take_line(notification, line.substr(0, equals), line.substr(equals + 1));
  }
  return notification;
}

bool is_descriptor_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxNameBytes &&
         std::all_of(name.begin(), name.end(), [](char c) { return c >= ' ' && c <= '~' && c != ':'; });
}

}  // namespace arenad
