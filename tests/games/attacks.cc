#include "attacks.h"

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <map>
#include <stdexcept>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <vector>

namespace arenad::echo {
namespace {

constexpr int kHighestDescriptor = 256;

[[noreturn]] void works(const std::string& what) {
  throw std::runtime_error("the attack works: " + what);
}

// What the system refuses with an error has no effect.
void must_fail(const std::string& what, long result) {
  if (result >= 0) works(what);
}

void read_memory_of(pid_t target) {
  char byte = 0;
  iovec here{&byte, 1};
  iovec there{reinterpret_cast<void*>(0x400000), 1};
  must_fail("process_vm_readv", ::process_vm_readv(target, &here, 1, &there, 1, 0));
}

// Memory of a file, which is no data of the process.
[[noreturn]] void fill_memfd() {
  const int file = ::memfd_create("more", 0);
  if (file < 0) throw std::runtime_error("no memfd");
  const std::vector<char> block(size_t{1} << 20, 'm');
  for (;;) {
    if (::write(file, block.data(), block.size()) < 0) throw std::runtime_error("the memfd takes no more");
  }
}

[[noreturn]] void start_threads() {
  for (int started = 0; started < 10'000; ++started) {
    try {
      std::thread([] {
        for (;;) ::pause();
      }).detach();
    } catch (const std::system_error&) {
      throw std::runtime_error("no more than " + std::to_string(started) + " threads");
    }
  }
  works("threads without end");
}

void leave_child() {
  if (::fork() != 0) return;
  for (;;) ::pause();
}

void connect_to(const std::string& path, int type) {
  const int socket = ::socket(AF_UNIX, type | SOCK_NONBLOCK, 0);
  if (socket < 0) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  const int connected = ::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address);
  ::close(socket);
  must_fail("connect", connected);
}

void take_all_descriptors() {
  std::vector<int> taken;
  for (int fd = ::dup(2); fd >= 0; fd = ::dup(2)) {
    taken.push_back(fd);
    if (taken.size() > 100'000) works("descriptors without end");
  }
  for (const int fd : taken) ::close(fd);
}

template <class F>
void for_each_descriptor(F&& f) {
  for (int fd = 3; fd < kHighestDescriptor; ++fd) {
    struct stat status {};
    if (::fstat(fd, &status) == 0) f(fd, status);
  }
}

// Memory that may not be mapped is touched by system calls alone, which fail where the code itself would die.
class Probe {
 public:
  Probe() {
    if (::pipe(ends_) != 0) throw std::runtime_error("no pipe");
  }
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;
  ~Probe() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  bool read(uintptr_t address, uint64_t& word) {
    return ::write(ends_[1], reinterpret_cast<const void*>(address), sizeof word) == sizeof word &&
           ::read(ends_[0], &word, sizeof word) == sizeof word;
  }
  bool write(uintptr_t address, uint64_t word) {
    if (::write(ends_[1], &word, sizeof word) != sizeof word) return false;
    if (::read(ends_[0], reinterpret_cast<void*>(address), sizeof word) == sizeof word) return true;
    (void)!::read(ends_[0], &word, sizeof word);
    return false;
  }

 private:
  int ends_[2] = {-1, -1};
};

// Its own region, which it knows by its first bytes; everything in it becomes what this byte says, or random.
void lie_in_region(int byte) {
  constexpr uint64_t kMagic = 0x31434E4941415241;  // ipc/incarnation_layout.h
  constexpr uint64_t kRegionBytesOffset = 16;
  constexpr uintptr_t kPage = 4096;
  Probe probe;
  uintptr_t region = 0;
  const auto library = reinterpret_cast<uintptr_t>(&::pause) & ~(kPage - 1);
  for (uintptr_t distance = 0; distance < uintptr_t{1} << 31 && region == 0; distance += kPage) {
    for (const uintptr_t page : {library - distance, library + distance}) {
      uint64_t word = 0;
      if (probe.read(page, word) && word == kMagic && probe.write(page, kMagic)) region = page;
    }
  }
  if (region == 0) throw std::runtime_error("its region is not found");
  const uint64_t words = *reinterpret_cast<volatile uint64_t*>(region + kRegionBytesOffset) / 8;
  uint64_t random = 88172645463325252U;
  for (uint64_t i = 0; i < words; ++i) {
    const uintptr_t address = region + i * 8;
    uint64_t before = 0;
    if (address % kPage == 0 && !(probe.read(address, before) && probe.write(address, before))) break;
    random ^= random << 13;  // Marsaglia's xorshift
    random ^= random >> 7;
    random ^= random << 17;
    *reinterpret_cast<volatile uint64_t*>(address) = byte < 0 ? random : 0x0101010101010101U * static_cast<unsigned>(byte);
  }
}

void talk_nonsense(int messages) {
  std::vector<uint64_t> words(64);
  for_each_descriptor([&](int fd, const struct stat& status) {
    if (!S_ISSOCK(status.st_mode)) return;
    for (int i = 0; i < messages; ++i) {
      for (uint64_t& word : words) word = word * 6364136223846793005U + 1442695040888963407U;
      // Whole words, half ones, and beginnings of what may be a message.
      words[0] = i % 3 == 0 ? uint64_t{1} << 32 | 3 : words[1];
      (void)!::send(fd, words.data(), 1 + words[2] % (words.size() * 8), MSG_DONTWAIT | MSG_NOSIGNAL);
    }
  });
}

// Where arenad has read already, and gives nothing back any more.
void keep_memory_in_output() {
  static const std::vector<char> block(size_t{1} << 20, 'x');
  for (off_t at = 4096;; at = at < off_t{1} << 28 ? at + static_cast<off_t>(block.size()) : 4096) {
    (void)::fcntl(STDERR_FILENO, F_SETFL, 0);
    if (at == 4096) (void)!::pwrite(STDERR_FILENO, "end", 3, off_t{1} << 32);
    (void)!::pwrite(STDERR_FILENO, block.data(), block.size(), at);
  }
}

void own_signals_of_descriptor(pid_t target) {
  for_each_descriptor([&](int fd, const struct stat& status) {
    if (S_ISSOCK(status.st_mode)) must_fail("F_SETOWN", ::fcntl(fd, F_SETOWN, target));
  });
}

}  // namespace

void attack(const std::string& how, pid_t target, const std::string& path) {
  using Attack = void (*)(pid_t, const std::string&);
  // Of signals to groups only the right to send is tried: if it were there, the test would go with them.
  static const std::map<std::string, Attack> attacks{
      {"kill-other", [](pid_t to, const std::string&) { must_fail("kill", ::kill(to, SIGKILL)); }},
      {"kill-group", [](pid_t, const std::string&) { must_fail("kill", ::kill(0, 0)); }},
      {"kill-all", [](pid_t, const std::string&) { must_fail("kill", ::kill(-1, 0)); }},
      {"tgkill", [](pid_t to, const std::string&) { must_fail("tgkill", ::syscall(SYS_tgkill, to, to, SIGKILL)); }},
      {"tkill", [](pid_t to, const std::string&) { must_fail("tkill", ::syscall(SYS_tkill, to, SIGKILL)); }},
      {"sigqueue", [](pid_t to, const std::string&) { must_fail("sigqueue", ::sigqueue(to, SIGKILL, {})); }},
      {"pidfd", [](pid_t to, const std::string&) { must_fail("pidfd_open", ::syscall(SYS_pidfd_open, to, 0)); }},
      {"setown", [](pid_t to, const std::string&) { own_signals_of_descriptor(to); }},
      {"ptrace", [](pid_t to, const std::string&) { must_fail("ptrace", ::ptrace(PTRACE_SEIZE, to, nullptr, nullptr)); }},
      {"vm-read", [](pid_t to, const std::string&) { read_memory_of(to); }},
      {"read", [](pid_t, const std::string& file) { must_fail("open", ::open(file.c_str(), O_RDONLY)); }},
      {"open-to-write", [](pid_t, const std::string& file) { must_fail("open", ::open(file.c_str(), O_RDWR)); }},
      {"unlink", [](pid_t, const std::string& file) { must_fail("unlink", ::unlink(file.c_str())); }},
      {"rename", [](pid_t, const std::string& file) { must_fail("rename", ::rename(file.c_str(), (file + "-x").c_str())); }},
      {"big-file",
       [](pid_t, const std::string& file) { must_fail("open", ::open((file + "-big").c_str(), O_RDWR | O_CREAT, 0600)); }},
      {"fork",
       [](pid_t, const std::string&) {
         for (;;) must_fail("fork", ::fork());
       }},
      {"thread", [](pid_t, const std::string&) { std::thread([] { ::pause(); }).detach(), works("thread"); }},
      {"shared-memory",
       [](pid_t, const std::string&) {
         if (::mmap(nullptr, 1U << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0) != MAP_FAILED) works("mmap");
       }},
      {"memfd", [](pid_t, const std::string&) { must_fail("memfd_create", ::memfd_create("more", 0)); }},
      {"fill-memfd", [](pid_t, const std::string&) { fill_memfd(); }},
      {"threads", [](pid_t, const std::string&) { start_threads(); }},
      {"leave-child", [](pid_t, const std::string&) { leave_child(); }},
      {"code",
       [](pid_t, const std::string&) {
         if (::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED) works("mmap");
       }},
      {"descriptors", [](pid_t, const std::string&) { take_all_descriptors(); }},
      {"output", [](pid_t, const std::string&) { keep_memory_in_output(); }},
      {"execve", [](pid_t, const std::string&) { must_fail("execve", ::execl("/bin/true", "true", nullptr)); }},
      {"network", [](pid_t, const std::string&) { must_fail("socket", ::socket(AF_INET, SOCK_STREAM, 0)); }},
      {"connect", [](pid_t, const std::string& file) { connect_to(file, SOCK_STREAM); }},
      {"connect-packets", [](pid_t, const std::string& file) { connect_to(file, SOCK_SEQPACKET); }},
      {"no-death", [](pid_t, const std::string&) { must_fail("signal", ::signal(SIGSYS, SIG_IGN) == SIG_ERR ? -1 : 0); }},
      {"lie-zero", [](pid_t, const std::string&) { lie_in_region(0); }},
      {"lie-ones", [](pid_t, const std::string&) { lie_in_region(0xff); }},
      {"lie-random", [](pid_t, const std::string&) { lie_in_region(-1); }},
      {"nonsense", [](pid_t, const std::string&) { talk_nonsense(20); }},
      {"flood", [](pid_t, const std::string&) { talk_nonsense(200'000); }},
  };
  if (const auto found = attacks.find(how); found != attacks.end()) found->second(target, path);
}

}  // namespace arenad::echo
