#include "ipc/socket.h"

#include <cstring>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

namespace arenad {
namespace {

constexpr size_t kMaxFds = 253;  // SCM_MAX_FD of the kernel

Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return make_error(ErrorCode::invalid,
                      "the socket path " + path + " is longer than " + std::to_string(sizeof address.sun_path - 1) + " bytes");
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

}  // namespace

ssize_t send_with_fds(int socket, const void* bytes, size_t count, std::span<const int> fds, int flags) {
  if (fds.size() > kMaxFds) {
    errno = EINVAL;
    return -1;
  }
  alignas(cmsghdr) char control[CMSG_SPACE(kMaxFds * sizeof(int))];
  iovec part{const_cast<void*>(bytes), count};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (!fds.empty()) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(fds.size_bytes());
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(fds.size_bytes());
    std::memcpy(CMSG_DATA(header), fds.data(), fds.size_bytes());
  }
  ssize_t sent = 0;
  do {
    sent = ::sendmsg(socket, &message, flags | MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent;
}

ssize_t receive_with_fds(int socket, void* bytes, size_t capacity, std::vector<Fd>& fds, bool& truncated, int flags) {
  alignas(cmsghdr) char control[CMSG_SPACE(kMaxFds * sizeof(int))];
  iovec part{bytes, capacity};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t received = 0;
  do {
    received = ::recvmsg(socket, &message, flags | MSG_CMSG_CLOEXEC);
  } while (received < 0 && errno == EINTR);
  if (received < 0) return received;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(header) + i * sizeof fd, sizeof fd);
      fds.emplace_back(fd);
    }
  }
  truncated = (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0;
  return received;
}

Result<Fd> listen_unix(const std::string& path, SocketKind kind) {
  auto address = address_of(path);
  if (!address) return address.error();
  const int type = kind == SocketKind::packets ? SOCK_SEQPACKET : SOCK_STREAM;
  Fd socket(::socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return errno_error("cannot make a socket");
  if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&*address), sizeof *address) != 0) {
    return errno_error("cannot make the socket " + path);
  }
  ::chmod(path.c_str(), kind == SocketKind::packets ? 0600 : 0660);
  if (::listen(socket.get(), SOMAXCONN) != 0) return errno_error("cannot listen on " + path);
  return socket;
}

Result<Fd> listen_tcp(const sockaddr* address, socklen_t bytes) {
  Fd socket(::socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return errno_error("cannot make a socket");
  const int yes = 1;
  // Connections of an earlier process, which wait to be forgotten, are no reason to refuse the port.
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (::bind(socket.get(), address, bytes) != 0) return errno_error("cannot bind the port");
  if (::listen(socket.get(), SOMAXCONN) != 0) return errno_error("cannot listen on the port");
  return socket;
}

Result<Fd> connect_unix(const std::string& path, SocketKind kind) {
  auto address = address_of(path);
  if (!address) return address.error();
  const int type = kind == SocketKind::packets ? SOCK_SEQPACKET | SOCK_NONBLOCK : SOCK_STREAM;
  Fd socket(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  if (!socket) return errno_error("cannot make a socket");
  if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&*address), sizeof *address) != 0) {
    Error error = errno_error("arenad does not answer at " + path);
    error.code = ErrorCode::unreachable;
    return error;
  }
  return socket;
}

Result<Peer> peer_of(const Fd& connection) {
  ucred credentials{};
  socklen_t length = sizeof credentials;
  if (::getsockopt(connection.get(), SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) {
    return errno_error("cannot tell who has connected");
  }
  Peer peer{credentials.pid, credentials.uid, credentials.gid, {}};
  // The first call says how many there are.
  socklen_t bytes = 0;
  if (::getsockopt(connection.get(), SOL_SOCKET, SO_PEERGROUPS, nullptr, &bytes) == 0 || errno != ERANGE) return peer;
  peer.groups.resize(bytes / sizeof(gid_t));
  if (::getsockopt(connection.get(), SOL_SOCKET, SO_PEERGROUPS, peer.groups.data(), &bytes) != 0) {
    return errno_error("cannot tell the groups of who has connected");
  }
  return peer;
}

Result<Fd> accept_unix(const Fd& listener) {
  int socket = -1;
  do {
    socket = ::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  } while (socket < 0 && (errno == EINTR || errno == ECONNABORTED));
  if (socket >= 0) return Fd(socket);
  if (errno == EAGAIN) return Fd();
  return errno_error("cannot accept a connection");
}

}  // namespace arenad
