#include "supervisor/http_request.h"

#include <array>
#include <utility>

namespace arenad {
namespace {

constexpr std::array<std::pair<int, std::string_view>, 8> kReasons{{{200, "OK"},
                                                                    {400, "Bad Request"},
                                                                    {403, "Forbidden"},
                                                                    {404, "Not Found"},
                                                                    {405, "Method Not Allowed"},
                                                                    {431, "Request Header Fields Too Large"},
                                                                    {503, "Service Unavailable"},
                                                                    {505, "HTTP Version Not Supported"}}};

std::string_view reason_of(int status) {
  for (const auto& [known, reason] : kReasons) {
    if (known == status) return reason;
  }
  return "Error";
}

HttpVerdict refusal(int status) {
  return {HttpVerdict::What::refusal, status, false};
}

// Up to the next blank, which is taken too.
std::string_view take_word(std::string_view& line) {
  const size_t end = line.find(' ');
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
  return word;
}

HttpVerdict judge_line(std::string_view line) {
  const std::string_view method = take_word(line);
  std::string_view target = take_word(line);
  const std::string_view version = line;
  if (method.empty() || target.empty() || !version.starts_with("HTTP/")) return refusal(400);
  if (!version.starts_with("HTTP/1.")) return refusal(505);
  target = target.substr(0, target.find('?'));
  if (target != "/metrics") return refusal(404);
  if (method != "GET" && method != "HEAD") return refusal(405);
  return {HttpVerdict::What::metrics, 200, method == "HEAD"};
}

}  // namespace

HttpVerdict judge_http_request(std::string_view received) {
  const size_t end = received.find("\r\n\r\n");
  if (end == std::string_view::npos) {
    return received.size() >= kMaxHttpHeadBytes ? refusal(431) : HttpVerdict{};
  }
  return judge_line(received.substr(0, received.find("\r\n")));
}

std::string http_answer_head(int status, size_t content_bytes, std::string_view content_type) {
  std::string head = "HTTP/1.1 " + std::to_string(status) + " ";
  head += reason_of(status);
  head += "\r\nContent-Type: ";
  head += content_type;
  head += "\r\nContent-Length: " + std::to_string(content_bytes);
  if (status == 405) head += "\r\nAllow: GET, HEAD";
  return head + "\r\nConnection: close\r\n\r\n";
}

std::string http_refusal(int status) {
  std::string text(reason_of(status));
  if (status == 404) text += ": there is /metrics";
  text += "\n";
  return http_answer_head(status, text.size(), "text/plain; charset=utf-8") + text;
}

}  // namespace arenad
