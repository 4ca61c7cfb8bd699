#include "supervisor/control_server.h"

#include "ipc/control_client.h"
#include "supervisor/log.h"

namespace arenad {
namespace {

constexpr size_t kMaxUnsentBytes = 64 * 1024 * 1024;
constexpr size_t kMaxConnections = 20'000;

}  // namespace

Result<void> ControlServer::listen(const std::string& path, Handlers handlers) {
  handlers_ = std::move(handlers);
  auto listening = acceptor_.listen(path, SocketKind::stream, [this](Fd socket) { accepted(std::move(socket)); });
  if (listening) acceptor_.begin();
  return listening;
}

void ControlServer::close() {
  acceptor_.close();
  for (auto& [id, connection] : connections_) connection->stream.flush();
  connections_.clear();
}

void ControlServer::accepted(Fd socket) {
  if (connections_.size() >= kMaxConnections) return;  // closed again by its owner
  const uint64_t id = next_id_++;
  auto connection = std::make_unique<Connection>(std::move(socket));
  connection->poll = UvPoll(loop_, connection->stream.fd().get(), [this, id](int events) {
    if ((events & UV_READABLE) != 0) facts_.post([this, id] { read(id); });
    if ((events & UV_WRITABLE) != 0) facts_.post([this, id] { write(id); });
  });
  connection->poll.watch(UV_READABLE);
  connections_[id] = std::move(connection);
}

void ControlServer::read(uint64_t id) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  ControlStream& stream = found->second->stream;
  const auto io = stream.receive();
  try {
    while (auto message = stream.next()) {
      const auto request = message->root<wire::Request>();
      std::vector<Fd> fds;
      for (uint16_t i = 0; i < request.getFds(); ++i) fds.push_back(stream.take_fd());
      handlers_.request({id, request.getId()}, request, std::move(fds));
      if (connections_.count(id) == 0) return;
    }
  } catch (const kj::Exception& e) {
    log_warning("msg=\"a connection to the control socket was closed: it sent something that is not a request\"");
    drop(id);
    return;
  }
  if (stream.broken()) log_warning("msg=\"a connection to the control socket was closed: it broke the protocol\"");
  if (io != ControlStream::Io::ok || stream.broken()) drop(id);
}

void ControlServer::write(uint64_t id) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  if (found->second->stream.flush() != ControlStream::Io::ok) {
    drop(id);
    return;
  }
  const bool unsent = found->second->stream.unsent_bytes() != 0;
  found->second->poll.watch(unsent ? UV_READABLE | UV_WRITABLE : UV_READABLE);
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
  if (stream.unsent_bytes() != 0) found->second->poll.watch(UV_READABLE | UV_WRITABLE);
}

void ControlServer::drop(uint64_t id) {
  if (connections_.erase(id) != 0) handlers_.closed(id);
}

void ControlServer::reply(RequestId to, const std::function<void(wire::Reply::Builder)>& fill, std::span<const int> fds) {
  capnp::MallocMessageBuilder message;
  auto root = message.initRoot<wire::FromDaemon>();
  root.setFds(static_cast<uint16_t>(fds.size()));
  auto reply = root.initReply();
  reply.setId(to.request);
  fill(reply);
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

}  // namespace arenad
