// As much of HTTP as a scrape of metrics takes (RFC 9112): the head of one request, and the head of its answer. Pure.
//
// What a request carries beside its first line is not looked at: there is one thing to be had, in one form, and the connection is closed
// after it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace arenad {

constexpr size_t kMaxHttpHeadBytes = 16 * 1024;

struct HttpVerdict {
  enum class What {
    more,     // it has not come whole yet
    metrics,  // GET or HEAD of /metrics
    refusal,  // with this status
  } what = What::more;
  int status = 200;
  bool head_only = false;
};
HttpVerdict judge_http_request(std::string_view received);

// With the empty line. Of a refusal the text is the body.
std::string http_answer_head(int status, size_t content_bytes, std::string_view content_type);
std::string http_refusal(int status);

}  // namespace arenad
