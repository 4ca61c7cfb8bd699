// What is taken for a scrape, and where scrapes may come from.
#include <netinet/in.h>

#include <doctest/doctest.h>

#include "supervisor/http_request.h"
#include "supervisor/metrics_address.h"

using namespace arenad;
using What = HttpVerdict::What;

namespace {

int status_of(const std::string& request) {
  const HttpVerdict verdict = judge_http_request(request);
  return verdict.what == What::more ? 0 : verdict.status;
}

}  // namespace

TEST_CASE("http: a scrape, in every piece that it can come in") {
  const std::string whole = "GET /metrics HTTP/1.1\r\nHost: localhost:9464\r\nAccept: */*\r\n\r\n";
  for (size_t bytes = 0; bytes < whole.size(); ++bytes) CHECK(judge_http_request(whole.substr(0, bytes)).what == What::more);
  CHECK(judge_http_request(whole).what == What::metrics);
  CHECK_FALSE(judge_http_request(whole).head_only);
  CHECK(judge_http_request("HEAD /metrics HTTP/1.0\r\n\r\n").head_only);
  CHECK(judge_http_request("GET /metrics?name=a HTTP/1.1\r\n\r\n").what == What::metrics);
}

TEST_CASE("http: everything else is refused") {
  CHECK(status_of("GET / HTTP/1.1\r\n\r\n") == 404);
  CHECK(status_of("GET /metricsandmore HTTP/1.1\r\n\r\n") == 404);
  CHECK(status_of("GET ../metrics HTTP/1.1\r\n\r\n") == 404);
  CHECK(status_of("POST /metrics HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc") == 405);
  CHECK(status_of("GET /metrics HTTP/2.0\r\n\r\n") == 505);
  CHECK(status_of("GET /metrics\r\n\r\n") == 400);
  CHECK(status_of("\r\n\r\n") == 400);
  CHECK(status_of(std::string("\0\xff\x16\x03", 4) + "\r\n\r\n") == 400);
  CHECK(status_of(std::string(kMaxHttpHeadBytes - 1, 'a')) == 0);
  CHECK(status_of(std::string(kMaxHttpHeadBytes, 'a')) == 431);
}

TEST_CASE("http: an answer says how long it is and that it is the last one") {
  CHECK(http_answer_head(200, 5, "text/plain") ==
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nConnection: close\r\n\r\n");
  CHECK(http_refusal(405).find("\r\nAllow: GET, HEAD\r\n") != std::string::npos);
  CHECK(http_refusal(403).ends_with("\r\n\r\nForbidden\n"));
}

TEST_CASE("metrics address: nowhere, a socket, a port of this machine alone") {
  CHECK(std::holds_alternative<NoMetrics>(*parse_metrics_address("")));
  CHECK(std::get<UnixMetrics>(*parse_metrics_address("unix:metrics.sock")).path == "metrics.sock");
  CHECK(std::get<UnixMetrics>(*parse_metrics_address("unix:/run/a/../b.sock")).path == "/run/b.sock");
  for (const char* text : {"127.0.0.1:9464", "127.8.9.10:1", "[::1]:65535"}) {
    const auto address = parse_metrics_address(text);
    REQUIRE_MESSAGE(address, text);
    CHECK(std::holds_alternative<LoopbackMetrics>(*address));
  }
  const auto v4 = std::get<LoopbackMetrics>(*parse_metrics_address("127.0.0.1:9464"));
  CHECK(v4.bytes == sizeof(sockaddr_in));
  CHECK(reinterpret_cast<const sockaddr_in&>(v4.address).sin_port == htons(9464));
}

TEST_CASE("metrics address: whatever others can reach, and whatever is unclear, is none") {
  for (const char* text : {"0.0.0.0:9464", "192.168.0.1:9464", "128.0.0.1:9464", "[::]:9464",       "[::ffff:10.0.0.1]:9464",
                           "::1:9464",     "localhost:9464",   "example.org:80", ":9464",           "9464",
                           "127.0.0.1",    "127.0.0.1:",       "127.0.0.1:0",    "127.0.0.1:65536", "127.0.0.1:9464x",
                           "127.0.0.1:-1", "127.1:9464",       "unix:",          "metrics.sock",    "unix"}) {
    CHECK_MESSAGE(!parse_metrics_address(text), text);
  }
}
