#include "supervisor/control_server.h"

#include <algorithm>
#include <utility>

#include "ipc/control_client.h"
#include "supervisor/log.h"

namespace arenad {
namespace {

constexpr size_t kMaxUnsentBytes = 64 * 1024 * 1024;
constexpr size_t kMaxConnections = 20'000;
// So that nobody takes all of them.
constexpr size_t kMaxConnectionsOfUser = 15'000;
// What the loop spends on requests before it looks after everything else again.
constexpr uint64_t kTurnNs = 4 * kMillisecond;
constexpr uint64_t kRequestTimeoutMs = 30'000;
// No user and no group has this number.
const Peer kNobody{0, static_cast<uid_t>(-1), static_cast<gid_t>(-1), {}};

}  // namespace

ControlServer::ControlServer(uv_loop_t* loop, FactQueue& facts)
    : loop_(loop), facts_(facts), acceptor_(loop, facts), next_turn_(loop, [this] { facts_.post([this] { take_turns(); }); }) {}

Result<void> ControlServer::listen(const std::string& path, Handlers handlers) {
  handlers_ = std::move(handlers);
  auto listening = acceptor_.listen(path, SocketKind::stream, [this](Fd socket) { accepted(std::move(socket)); });
  if (listening) acceptor_.begin();
  return listening;
}

void ControlServer::listen_on(Fd listener, const std::string& path, Handlers handlers) {
  handlers_ = std::move(handlers);
  acceptor_.take_on(std::move(listener), path, [this](Fd socket) { accepted(std::move(socket)); });
  hold(false);
}

void ControlServer::hold(bool held) {
  held_ = held;
  if (held) {
    acceptor_.pause();
  } else {
    acceptor_.begin();
  }
  for (const auto& [id, connection] : connections_) {
    watch(*connection);
    // Requests may have arrived whole before it was held.
    if (!held) wait(id);
  }
  if (!held) call_turn();
}

void ControlServer::close() {
  acceptor_.close();
  next_turn_.close();
  for (auto& [id, connection] : connections_) connection->stream.flush();
  connections_.clear();
  waiting_.clear();
}

void ControlServer::accepted(Fd socket) {
  const auto peer = peer_of(socket);
  const uid_t user = peer ? peer.value().uid : kNobody.uid;
  const auto of_user = connections_of_.find(user);
  if (connections_.size() < kMaxConnections && (of_user == connections_of_.end() || of_user->second < kMaxConnectionsOfUser)) {
    add(next_id_++, std::make_unique<Connection>(std::move(socket)));
    return;
  }
  // Closed again by its owner.
  if (const auto times = turned_away_.happened(monotonic_ns()))
    log_warning("msg=\"a connection of user {} to the control socket was closed: there are too many ({} times)\"", user,
                *times);
}

void ControlServer::add(uint64_t id, std::unique_ptr<Connection> connection) {
  const auto peer = peer_of(connection->stream.fd());
  connection->peer = peer ? peer.value() : kNobody;
  connection->poll = UvPoll(loop_, connection->stream.fd().get(), [this, id](int events) {
    if ((events & UV_READABLE) != 0) facts_.post([this, id] { wait(id); });
    if ((events & UV_WRITABLE) != 0) facts_.post([this, id] { write(id); });
  });
  watch(*connection);
  ++connections_of_[connection->peer.uid];
  connections_[id] = std::move(connection);
}

// Not before there is somebody to be told that a connection is gone.
void ControlServer::watch(Connection& connection) const {
  if (!handlers_.closed) return;
  const bool unsent = connection.stream.unsent_bytes() != 0;
  const bool listens = !held_ && !connection.waits && !connection.ended;
  connection.is_heard = listens;
  connection.poll.watch((listens ? UV_READABLE : 0) | (unsent ? UV_WRITABLE : 0));
}

void ControlServer::wait(uint64_t id) {
  const auto found = connections_.find(id);
  if (found == connections_.end() || found->second->waits) return;
  found->second->waits = true;
  waiting_[found->second->peer.uid].push_back(id);
  call_turn();
}

void ControlServer::call_turn() {
  if (!std::exchange(turn_is_due_, true)) facts_.post([this] { take_turns(); });
}

void ControlServer::take_turns() {
  // Stays due until the end: who has more to ask must not bring the next turn into this one.
  const uint64_t end_ns = monotonic_ns() + kTurnNs;
  while (!held_ && !waiting_.empty() && monotonic_ns() < end_ns) {
    auto user = waiting_.upper_bound(served_);
    if (user == waiting_.end()) user = waiting_.begin();
    served_ = user->first;
    const uint64_t id = user->second.front();
    user->second.pop_front();
    if (user->second.empty()) waiting_.erase(user);
    serve(id);
  }
  if (held_ || waiting_.empty()) {
    turn_is_due_ = false;
    return;
  }
  // Nobody who waits is listened to: the kernel keeps what they say.
  for (const auto& [user, ids] : waiting_) {
    for (const uint64_t id : ids) {
      const auto found = connections_.find(id);
      if (found != connections_.end() && found->second->is_heard) watch(*found->second);
    }
  }
  next_turn_.start(0);
}

void ControlServer::serve(uint64_t id) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  Connection& connection = *found->second;
  ControlStream& stream = connection.stream;
  connection.waits = false;
  try {
    if (!stream.has_next() && !stream.broken()) connection.ended = stream.receive() == ControlStream::Io::closed;
    if (const auto message = stream.next()) {
      const auto request = message->root<wire::Request>();
      std::vector<Fd> fds;
      for (uint16_t i = 0; i < request.getFds(); ++i) fds.push_back(stream.take_fd());
      unfinished_.erase(id);
      ++connection.unanswered;
      handlers_.request({id, request.getId()}, request, std::move(fds));
      if (connections_.count(id) == 0) return;
    }
  } catch (const kj::Exception& e) {
    cut_off(id, "it sent something that is not a request");
    return;
  }
  if (stream.has_next()) {
    wait(id);
  } else if (stream.broken()) {
    cut_off(id, "it broke the protocol");
  } else if (connection.ended) {
    drop(id);
  } else {
    if (stream.has_begun_one()) unfinished_.emplace(id, 0);
    watch(connection);
  }
}

void ControlServer::watch_unfinished() {
  std::vector<uint64_t> late;
  // Looks, not time: after arenad was stopped nobody is late.
  for (auto& [id, looks] : unfinished_) {
    // Who waits for his turn may have said the rest.
    const auto found = connections_.find(id);
    if (held_ || found == connections_.end() || found->second->waits) continue;
    if (++looks * Arena::kWatchIntervalMs > kRequestTimeoutMs) late.push_back(id);
  }
  for (const uint64_t id : late) cut_off(id, "it began a request and did not end it");
}

void ControlServer::cut_off(uint64_t id, const char* why) {
  if (const auto times = cut_off_.happened(monotonic_ns())) {
    log_warning("msg=\"a connection of user {} to the control socket was closed: {} ({} times)\"", caller(id).uid, why, *times);
  }
  drop(id);
}

void ControlServer::write(uint64_t id) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  if (found->second->stream.flush() != ControlStream::Io::ok) {
    drop(id);
    return;
  }
  watch(*found->second);
}

void ControlServer::send(uint64_t id, capnp::MessageBuilder& message, std::span<const int> fds) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  ControlStream& stream = found->second->stream;
  if (stream.send(message, fds) != ControlStream::Io::ok || stream.unsent_bytes() > kMaxUnsentBytes) {
    facts_.post([this, id] { drop(id); });
    return;
  }
  if (stream.unsent_bytes() != 0) watch(*found->second);
}

Peer ControlServer::caller(uint64_t connection) const {
  const auto found = connections_.find(connection);
  return found == connections_.end() ? kNobody : found->second->peer;
}

void ControlServer::was_asked(RequestId from) {
  if (const auto found = connections_.find(from.connection); found != connections_.end()) ++found->second->unanswered;
}

size_t ControlServer::unanswered() const {
  size_t total = 0;
  for (const auto& [id, connection] : connections_) total += connection->unanswered;
  return total;
}

void ControlServer::drop(uint64_t id) {
  if (!handlers_.closed) return;  // it is found again, at the end of what it has sent
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  const auto of_user = connections_of_.find(found->second->peer.uid);
  if (--of_user->second == 0) connections_of_.erase(of_user);
  unfinished_.erase(id);
  connections_.erase(found);
  handlers_.closed(id);
}

void ControlServer::reply(RequestId to, const std::function<void(wire::Reply::Builder)>& fill, std::span<const int> fds) {
  capnp::MallocMessageBuilder message;
  auto root = message.initRoot<wire::FromDaemon>();
  root.setFds(static_cast<uint16_t>(fds.size()));
  auto reply = root.initReply();
  reply.setId(to.request);
  fill(reply);
  if (handlers_.answered) handlers_.answered(to, reply.asReader());
  if (const auto asked = connections_.find(to.connection); asked != connections_.end()) --asked->second->unanswered;
  send(to.connection, message, fds);
}

void ControlServer::fail(RequestId to, const Error& error) {
  reply(to, [&](wire::Reply::Builder reply) {
    auto failure = reply.initError();
    failure.setCode(failure_code_of(error.code));
    failure.setMessage(error.text());
  });
}

void ControlServer::incarnation(uint64_t connection, uint32_t attachment, Epoch epoch, const Fd& region) {
  capnp::MallocMessageBuilder message;
  auto root = message.initRoot<wire::FromDaemon>();
  root.setFds(1);
  auto notice = root.initNotice();
  notice.setAttachment(attachment);
  notice.setIncarnation(epoch.value);
  const int fd = region.get();
  send(connection, message, {&fd, 1});
}

void ControlServer::gone(uint64_t connection, uint32_t attachment, const std::string& state, const std::string& reason) {
  capnp::MallocMessageBuilder message;
  auto notice = message.initRoot<wire::FromDaemon>().initNotice();
  notice.setAttachment(attachment);
  auto gone = notice.initGone();
  gone.setState(state);
  gone.setReason(reason);
  send(connection, message, {});
}

// What this arenad writes is at another place than what the one before wrote.
void ControlServer::board(uint64_t connection, uint32_t attachment, const Fd& board) {
  capnp::MallocMessageBuilder message;
  auto root = message.initRoot<wire::FromDaemon>();
  root.setFds(1);
  auto notice = root.initNotice();
  notice.setAttachment(attachment);
  notice.setBoard();
  const int fd = board.get();
  send(connection, message, {&fd, 1});
}

void ControlServer::hand_on(wire::ControlState::Builder to, FdsToKeep& fds) const {
  const auto write_fds = [&](const std::deque<Fd>& from, capnp::List<int32_t>::Builder list) {
    for (uint i = 0; i < list.size(); ++i) list.set(i, fds.add(from[i]));
  };
  to.setListener(fds.add(acceptor_.listener()));
  to.setNextConnection(next_id_);
  auto connections = to.initConnections(static_cast<uint>(connections_.size()));
  uint next = 0;
  for (const auto& [id, connection] : connections_) {
    auto one = connections[next++];
    one.setId(id);
    one.setSocket(fds.add(connection->stream.fd()));
    const auto received = connection->stream.received();
    one.setReceived(received.bytes);
    write_fds(*received.fds, one.initReceivedFds(static_cast<uint>(received.fds->size())));
    const auto parts = connection->stream.unsent();
    auto unsent = one.initUnsent(static_cast<uint>(parts.size()));
    for (uint i = 0; i < unsent.size(); ++i) {
      unsent[i].setBytes(parts[i].bytes);
      write_fds(*parts[i].fds, unsent[i].initFds(static_cast<uint>(parts[i].fds->size())));
    }
  }
}

void ControlServer::take_on(wire::ControlState::Reader from, HandedOn& handed) {
  const auto take_fds = [&](capnp::List<int32_t>::Reader list) {
    std::deque<Fd> taken;
    for (const int32_t number : list) taken.push_back(handed.take(number));
    return taken;
  };
  held_ = true;
  next_id_ = std::max(next_id_, from.getNextConnection());
  for (const auto one : from.getConnections()) {
    Fd socket = handed.take(one.getSocket());
    if (!socket) continue;
    auto connection = std::make_unique<Connection>(std::move(socket));
    connection->stream.restore_received(one.getReceived(), take_fds(one.getReceivedFds()));
    for (const auto unsent : one.getUnsent()) connection->stream.restore_unsent(unsent.getBytes(), take_fds(unsent.getFds()));
    add(one.getId(), std::move(connection));
  }
}

}  // namespace arenad
