#include "supervisor/control_server.h"

#include <unistd.h>

#include "ipc/control_client.h"
#include "ipc/socket.h"
#include "supervisor/log.h"

namespace arenad {
namespace {

constexpr size_t kMaxUnsentBytes = 64 * 1024 * 1024;
constexpr size_t kMaxConnections = 20'000;

}  // namespace

Result<void> ControlServer::listen(const std::string& path, Handlers handlers) {
  ::unlink(path.c_str());
  auto listener = listen_unix(path);
  if (!listener) return listener.error();
  path_ = path;
  handlers_ = std::move(handlers);
  listener_ = std::move(*listener);
  accept_poll_ = UvPoll(loop_, listener_.get(), [this](int) { facts_.post([this] { accept(); }); });
  accept_poll_.watch(UV_READABLE);
  return {};
}

void ControlServer::close() {
  accept_poll_.close();
  if (listener_) ::unlink(path_.c_str());
  listener_.reset();
  for (auto& [id, connection] : connections_) connection->stream.flush();
  connections_.clear();
}

void ControlServer::accept() {
  while (listener_) {
    auto socket = accept_unix(listener_);
    if (!socket) {
      log_error("msg=\"{}\"", socket.error().text());
      return;
    }
    if (!*socket) return;
    if (connections_.size() >= kMaxConnections) continue;  // closed again by its owner
    const uint64_t id = next_id_++;
    auto connection = std::make_unique<Connection>(std::move(*socket));
    connection->poll = UvPoll(loop_, connection->stream.fd().get(), [this, id](int events) {
      if ((events & UV_READABLE) != 0) facts_.post([this, id] { read(id); });
      if ((events & UV_WRITABLE) != 0) facts_.post([this, id] { write(id); });
    });
    connection->poll.watch(UV_READABLE);
    connections_[id] = std::move(connection);
  }
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
