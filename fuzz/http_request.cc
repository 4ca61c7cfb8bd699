// The head of a scrape's request (supervisor/http_request.h): whoever reaches the metrics socket writes it.
#include "supervisor/http_request.h"

#include "fuzz/harness.h"

namespace arenad::fuzz {
namespace {

void run(std::string_view input) {
  const HttpVerdict verdict = judge_http_request(input);
  const bool is_whole = input.find("\r\n\r\n") != std::string_view::npos;
  switch (verdict.what) {
    case HttpVerdict::What::more:
      ARENAD_ASSERT(!is_whole && input.size() < kMaxHttpHeadBytes);
      return;
    case HttpVerdict::What::metrics:
      ARENAD_ASSERT(is_whole && verdict.status == 200);
      ARENAD_ASSERT(input.starts_with(verdict.head_only ? "HEAD /metrics" : "GET /metrics"));
      return;
    case HttpVerdict::What::refusal:
      ARENAD_ASSERT(verdict.status >= 400 && !http_refusal(verdict.status).empty());
      return;
  }
}

std::vector<std::string> seeds() {
  return {"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", "HEAD /metrics?x=1 HTTP/1.0\r\n\r\n", "POST / HTTP/2\r\n\r\n",
          "GET /metrics HTTP/1.1\r\nAccept: */*\r\n"};
}

}  // namespace

extern const Harness http_request_harness;
const Harness http_request_harness{run, seeds, {"GET ", "HEAD ", "/metrics", " HTTP/1.", "\r\n", "\r\n\r\n", "?"}, 512};

}  // namespace arenad::fuzz
