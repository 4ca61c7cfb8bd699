#include "supervisor/metrics_server.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "supervisor/http_request.h"

namespace arenad {
namespace {

// Prometheus has one, and whoever looks at it by hand another.
constexpr size_t kMaxConnections = 32;
constexpr uint64_t kRequestLimitMs = 5000;
constexpr uint64_t kAnswerLimitMs = 10'000;
constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

// What an earlier arenad has left is removed, and nothing else.
Result<void> check_free(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0 || S_ISSOCK(status.st_mode)) return {};
  return make_error(ErrorCode::invalid, "there is a file " + path + ", which is no socket");
}

bool would_wait(ssize_t done) {
  return done < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
}

}  // namespace

MetricsServer::MetricsServer(uv_loop_t* loop, FactQueue& facts, std::function<void()> wanted)
    : loop_(loop), facts_(facts), wanted_(std::move(wanted)) {}

Result<void> MetricsServer::listen(const MetricsAddress& address) {
  auto next = std::make_unique<Acceptor>(loop_, facts_);
  std::string path;
  if (const auto* unix_socket = std::get_if<UnixMetrics>(&address)) {
    path = unix_socket->path.string();
    // In other words the same: whoever gave the place up would take the file along.
    if (acceptor_ && path == path_) return {};
    auto listening = check_free(path);
    if (listening) {
      listening =
          next->listen(path, SocketKind::stream, [this](Fd socket) { accepted(std::move(socket), Origin::unix_socket); });
    }
    if (!listening) return listening;
  } else if (const auto* loopback = std::get_if<LoopbackMetrics>(&address)) {
    auto listener = listen_tcp(reinterpret_cast<const sockaddr*>(&loopback->address), loopback->bytes);
    if (!listener) return listener.error();
    next->take_on(std::move(*listener), {}, [this](Fd socket) { accepted(std::move(socket), Origin::loopback); });
  }
  if (acceptor_) acceptor_->close();
  // What it has posted comes first.
  if (acceptor_) facts_.post([last = std::shared_ptr<Acceptor>(std::move(acceptor_))] {});
  acceptor_ = std::move(next);
  path_ = std::move(path);
  acceptor_->begin();
  return {};
}

void MetricsServer::close() {
  if (acceptor_) acceptor_->close();
  connections_.clear();
}

bool MetricsServer::may_read(const Fd& socket) const {
  auto peer = peer_of(socket);
  return peer && access_.allows(*peer, Right::read);
}

void MetricsServer::accepted(Fd socket, Origin origin) {
  if (connections_.size() >= kMaxConnections) return;  // closed again by its owner
  const uint64_t id = next_id_++;
  auto& connection = *(connections_[id] = std::make_unique<Connection>());
  connection.socket = std::move(socket);
  connection.limit = UvTimer(loop_, [this, id] { facts_.post([this, id] { drop(id); }); });
  connection.limit.start(kRequestLimitMs);
  connection.poll = UvPoll(loop_, connection.socket.get(), [this, id](int events) {
    if ((events & UV_READABLE) != 0) facts_.post([this, id] { read(id); });
    if ((events & UV_WRITABLE) != 0) facts_.post([this, id] { write(id); });
  });
  connection.may_read = origin == Origin::loopback || may_read(connection.socket);
  connection.poll.watch(UV_READABLE);
}

void MetricsServer::read(uint64_t id) {
  const auto found = connections_.find(id);
  if (found == connections_.end() || found->second->waits || !found->second->head.empty()) return;
  Connection& connection = *found->second;
  char bytes[4096];
  const ssize_t got = ::read(connection.socket.get(), bytes, sizeof bytes);
  if (would_wait(got)) return;
  if (got <= 0) return drop(id);
  connection.received.append(bytes, static_cast<size_t>(got));
  const HttpVerdict verdict = judge_http_request(connection.received);
  switch (verdict.what) {
    case HttpVerdict::What::more:
      return;
    case HttpVerdict::What::refusal:
      return refuse(id, verdict.status);
    case HttpVerdict::What::metrics:
      break;
  }
  // Not sooner: closed before it has been read, a request takes the answer to it along.
  if (!connection.may_read) return refuse(id, 403);
  connection.waits = true;
  connection.head_only = verdict.head_only;
  connection.poll.watch(0);
  connection.limit.start(kAnswerLimitMs);
  wanted_();
}

void MetricsServer::serve(const Text& text) {
  std::vector<uint64_t> waiting;
  for (const auto& [id, connection] : connections_) {
    if (connection->waits) waiting.push_back(id);
  }
  for (const uint64_t id : waiting) {
    const bool head_only = connections_.at(id)->head_only;
    answer(id, http_answer_head(200, text->size(), kContentType), head_only ? nullptr : text);
  }
}

void MetricsServer::refuse(uint64_t id, int status) {
  answer(id, http_refusal(status), nullptr);
}

void MetricsServer::answer(uint64_t id, std::string head, Text text) {
  Connection& connection = *connections_.at(id);
  connection.waits = false;
  connection.head = std::move(head);
  connection.text = std::move(text);
  connection.limit.start(kAnswerLimitMs);
  write(id);
}

void MetricsServer::write(uint64_t id) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  Connection& connection = *found->second;
  const size_t body = connection.text ? connection.text->size() : 0;
  while (connection.sent < connection.head.size() + body) {
    const bool in_head = connection.sent < connection.head.size();
    const std::string& part = in_head ? connection.head : *connection.text;
    const size_t offset = in_head ? connection.sent : connection.sent - connection.head.size();
    const ssize_t done = ::send(connection.socket.get(), part.data() + offset, part.size() - offset, MSG_NOSIGNAL);
    if (would_wait(done)) return connection.poll.watch(UV_WRITABLE);
    if (done <= 0) return drop(id);
    connection.sent += static_cast<size_t>(done);
  }
  drop(id);
}

void MetricsServer::drop(uint64_t id) {
  connections_.erase(id);
}

}  // namespace arenad
