#include "supervisor/kept_names.h"

#include <charconv>
#include <vector>

#include "ipc/limits.h"

namespace arenad {
namespace {

std::string hexadecimal(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    text += kDigits[static_cast<unsigned char>(c) >> 4];
    text += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

template <class T>
bool parse_number(std::string_view text, T& value, int base = 10) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return error == std::errc() && end == text.data() + text.size();
}

std::optional<std::string> from_hexadecimal(std::string_view text) {
  if (text.size() % 2 != 0 || text.size() > 2 * limits::kMaxPlayerNameBytes) return std::nullopt;
  std::string bytes;
  for (size_t i = 0; i < text.size(); i += 2) {
    unsigned value = 0;
    if (!parse_number(text.substr(i, 2), value, 16)) return std::nullopt;
    bytes += static_cast<char>(value);
  }
  return bytes;
}

std::vector<std::string_view> parts_of(std::string_view text) {
  std::vector<std::string_view> parts;
  for (size_t dot = 0; (dot = text.find('.')) != std::string_view::npos; text.remove_prefix(dot + 1)) {
    parts.push_back(text.substr(0, dot));
  }
  parts.push_back(text);
  return parts;
}

}  // namespace

std::string KeptName::text() const {
  const std::string head = "arena." + arena.text();
  switch (kind) {
    case KeptKind::region:
      return head + ".region." + std::to_string(epoch.value);
    case KeptKind::process:
      return head + ".process." + std::to_string(epoch.value);
    case KeptKind::channel:
      return head + ".channel." + std::to_string(channel.value) + "." + std::to_string(slot) + "." + hexadecimal(player);
  }
  return head;
}

std::optional<KeptName> KeptName::parse(std::string_view text) {
  const auto parts = parts_of(text);
  if (parts.size() < 4 || parts[0] != "arena") return std::nullopt;
  const auto id = ArenaId::parse(parts[1]);
  if (!id) return std::nullopt;
  KeptName name{.arena = *id};
  if (parts.size() == 4 && (parts[2] == "region" || parts[2] == "process")) {
    name.kind = parts[2] == "region" ? KeptKind::region : KeptKind::process;
    if (!parse_number(parts[3], name.epoch.value) || name.epoch.value == 0) return std::nullopt;
    return name;
  }
  if (parts.size() != 6 || parts[2] != "channel") return std::nullopt;
  name.kind = KeptKind::channel;
  auto player = from_hexadecimal(parts[5]);
  if (!parse_number(parts[3], name.channel.value) || !parse_number(parts[4], name.slot) || !player) return std::nullopt;
  if (name.slot >= limits::kMaxSlots) return std::nullopt;
  name.player = std::move(*player);
  return name;
}

}  // namespace arenad
