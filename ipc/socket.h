// Bytes and file descriptors over Unix sockets: the only place that knows struct msghdr.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <sys/socket.h>
#include <sys/types.h>
#include <vector>

#include "arenad/result.h"
#include "ipc/fd.h"

namespace arenad {

// sendmsg and recvmsg with SCM_RIGHTS: the system's return value, with errno on -1. Never raises SIGPIPE.
ssize_t send_with_fds(int socket, const void* bytes, size_t count, std::span<const int> fds, int flags);
// Received descriptors are close-on-exec and are appended to fds. truncated is set if the message or its descriptors did not fit.
ssize_t receive_with_fds(int socket, void* bytes, size_t capacity, std::vector<Fd>& fds, bool& truncated, int flags);

enum class SocketKind { stream, packets };

// Listens at a path; the file must not exist. Mode of the file: 0660, of packets 0600.
Result<Fd> listen_unix(const std::string& path, SocketKind kind = SocketKind::stream);
// Listens at an address of TCP.
Result<Fd> listen_tcp(const sockaddr* address, socklen_t bytes);
// Of packets: never waits, and gives a connection that is non-blocking until it is told otherwise.
Result<Fd> connect_unix(const std::string& path, SocketKind kind = SocketKind::stream);
// A connection, non-blocking; an invalid Fd if there is none now.
Result<Fd> accept_unix(const Fd& listener);

// Who made a connection, as the kernel saw it then.
struct Peer {
  pid_t pid = 0;
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  // beside gid
};
Result<Peer> peer_of(const Fd& connection);

}  // namespace arenad
