#include "chaos/faults/keeper_socket.h"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <sys/socket.h>
#include <sys/un.h>

#include "ipc/socket.h"

namespace arenad::chaos {
namespace {

namespace fs = std::filesystem;

// Inodes, as proc(5) has them behind the links of descriptors.
std::set<std::string> sockets_of(pid_t process) {
  constexpr std::string_view kPrefix = "socket:[";
  std::set<std::string> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc/" + std::to_string(process) + "/fd", error)) {
    const std::string what = fs::read_symlink(entry.path(), error).string();
    if (what.starts_with(kPrefix)) found.insert(what.substr(kPrefix.size(), what.size() - kPrefix.size() - 1));
  }
  return found;
}

// Num RefCount Protocol Flags Type St Inode Path; the first byte of an abstract name is shown as @.
std::string abstract_name_of_one(const std::set<std::string>& inodes) {
  std::ifstream list("/proc/self/net/unix");
  for (std::string line; std::getline(list, line);) {
    std::istringstream words(line);
    std::string word;
    std::string inode;
    std::string path;
    for (int i = 0; i < 6; ++i) words >> word;
    words >> inode >> path;
    if (inodes.contains(inode) && path.starts_with('@')) return path;
  }
  return "";
}

}  // namespace

Result<KeeperSocket> KeeperSocket::connect(pid_t keeper) {
  const std::string name = abstract_name_of_one(sockets_of(keeper));
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  if (name.empty() || name.size() >= sizeof to.sun_path)
    return make_error(ErrorCode::failed, "the keeper's socket is not in /proc/self/net/unix");
  std::memcpy(to.sun_path + 1, name.data() + 1, name.size() - 1);
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket || ::connect(socket.get(), reinterpret_cast<sockaddr*>(&to), length) != 0)
    return errno_error("cannot connect to the keeper");
  return KeeperSocket(std::move(socket));
}

bool KeeperSocket::send(const std::string& datagram, std::span<const int> fds) {
  return send_with_fds(socket_.get(), datagram.data(), datagram.size(), fds, MSG_DONTWAIT) >= 0;
}

}  // namespace arenad::chaos
