#include "supervisor/control_server.h"

#include <algorithm>

#include "ipc/control_client.h"
#include "supervisor/log.h"

namespace arenad {
namespace {

constexpr size_t kMaxUnsentBytes = 64 * 1024 * 1024;
constexpr size_t kMaxConnections = 20'000;
// No user and no group has this number.
const Peer kNobody{0, static_cast<uid_t>(-1), static_cast<gid_t>(-1), {}};

}  // namespace

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
    if (!held) facts_.post([this, id = id] { take_requests(id); });
  }
}

void ControlServer::close() {
  acceptor_.close();
  for (auto& [id, connection] : connections_) connection->stream.flush();
  connections_.clear();
}

void ControlServer::accepted(Fd socket) {
  if (connections_.size() >= kMaxConnections) return;  // closed again by its owner
  add(next_id_++, std::make_unique<Connection>(std::move(socket)));
}

void ControlServer::add(uint64_t id, std::unique_ptr<Connection> connection) {
  const auto peer = peer_of(connection->stream.fd());
  connection->peer = peer ? peer.value() : kNobody;
  connection->poll = UvPoll(loop_, connection->stream.fd().get(), [this, id](int events) {
    if ((events & UV_READABLE) != 0) facts_.post([this, id] { read(id); });
    if ((events & UV_WRITABLE) != 0) facts_.post([this, id] { write(id); });
  });
  watch(*connection);
  connections_[id] = std::move(connection);
}

// Not before there is somebody to be told that a connection is gone.
void ControlServer::watch(Connection& connection) const {
  if (!handlers_.closed) return;
  const bool unsent = connection.stream.unsent_bytes() != 0;
  connection.poll.watch((held_ ? 0 : UV_READABLE) | (unsent ? UV_WRITABLE : 0));
}

void ControlServer::read(uint64_t id) {
  const auto found = connections_.find(id);
  if (found == connections_.end() || held_) return;
  const auto io = found->second->stream.receive();
  take_requests(id);
  if (io != ControlStream::Io::ok) drop(id);
}

void ControlServer::take_requests(uint64_t id) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  ControlStream& stream = found->second->stream;
  try {
    while (!held_) {
      const auto message = stream.next();
      if (!message) break;
      const auto request = message->root<wire::Request>();
      std::vector<Fd> fds;
      for (uint16_t i = 0; i < request.getFds(); ++i) fds.push_back(stream.take_fd());
      ++found->second->unanswered;
      handlers_.request({id, request.getId()}, request, std::move(fds));
      if (connections_.count(id) == 0) return;
    }
  } catch (const kj::Exception& e) {
    log_warning("msg=\"a connection to the control socket was closed: it sent something that is not a request\"");
    drop(id);
    return;
  }
  if (!stream.broken()) return;
  log_warning("msg=\"a connection to the control socket was closed: it broke the protocol\"");
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
  const bool queued = static_cast<bool>(stream.queue(message, fds));
  if (!queued || stream.flush() != ControlStream::Io::ok || stream.unsent_bytes() > kMaxUnsentBytes) {
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
  if (connections_.erase(id) != 0) handlers_.closed(id);
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
