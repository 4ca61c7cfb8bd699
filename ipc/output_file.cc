#include "ipc/output_file.h"

#include <algorithm>
#include <atomic>
#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace arenad {
namespace {

struct Header {
  uint64_t magic;
  uint32_t version;
  uint32_t reserved;
  std::atomic<uint64_t> read_to;  // offset in the file
};
static_assert(sizeof(Header) == 24 && std::atomic<uint64_t>::is_always_lock_free);

constexpr uint64_t kMagic = 0x5450'544f'4441'4e41;  // "ANADOTPT"
constexpr uint32_t kVersion = 1;
constexpr int kSeals = F_SEAL_SHRINK;
// Memory that waits is given back in steps: each costs a system call.
constexpr uint64_t kGiveBackBytes = 64 * 1024;
// Beside what is unread: what waits to be given back, and huge pages, of which none is given back in part.
constexpr uint64_t kMostElsewhereBytes = 8 * 1024 * 1024;
constexpr uint64_t kBlockBytes = 512;  // of stat(2)

Header& header_of(const Mapping& mapping) {
  return *reinterpret_cast<Header*>(mapping.data());
}

void give_back(int fd, uint64_t begin, uint64_t end) {
  if (end <= begin) return;
  (void)::fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(begin), static_cast<off_t>(end - begin));
}

}  // namespace

Result<OutputFile> OutputFile::create() {
  Fd fd(::memfd_create("arenad-output", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  // Whoever writes, writes at the end, also if several do.
  if (!fd || ::ftruncate(fd.get(), kPageBytes) != 0 || ::fcntl(fd.get(), F_ADD_SEALS, kSeals | F_SEAL_SEAL) != 0 ||
      ::fcntl(fd.get(), F_SETFL, O_APPEND) != 0) {
    return errno_error("cannot make a file for a worker's output");
  }
  auto file = map_header(std::move(fd));
  if (!file) return file;
  Header& header = header_of(file->header_);
  header.magic = kMagic;
  header.version = kVersion;
  header.read_to.store(kPageBytes);
  return file;
}

Result<OutputFile> OutputFile::map(Fd fd) {
  // Only a file in memory has seals: reading it waits for nobody.
  struct stat facts {};
  if (!is_output_file(fd.get()) || ::fstat(fd.get(), &facts) != 0 || facts.st_size < off_t{kPageBytes}) {
    return make_error(ErrorCode::invalid, "this is no file of a worker's output");
  }
  auto file = map_header(std::move(fd));
  if (!file) return file;
  const Header& header = header_of(file->header_);
  if (header.magic != kMagic || header.version != kVersion) {
    return make_error(ErrorCode::invalid, "this is no file of a worker's output");
  }
  file->given_back_ = file->unread_now().begin / kPageBytes * kPageBytes;
  return file;
}

Result<OutputFile> OutputFile::map_header(Fd fd) {
  void* data = ::mmap(nullptr, kPageBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  if (data == MAP_FAILED) return errno_error("cannot map the file of a worker's output");
  return OutputFile(std::move(fd), Mapping(static_cast<std::byte*>(data), kPageBytes));
}

// The process that writes can write here too: what makes no sense is the end.
OutputFile::Unread OutputFile::unread_now() const {
  struct stat facts {};
  const uint64_t end =
      ::fstat(fd_.get(), &facts) == 0 ? std::max<uint64_t>(static_cast<uint64_t>(facts.st_size), kPageBytes) : kPageBytes;
  const uint64_t read_to = header_of(header_).read_to.load(std::memory_order_relaxed);
  return {std::clamp<uint64_t>(read_to, kPageBytes, end), end};
}

void OutputFile::set_read_to(uint64_t offset) {
  header_of(header_).read_to.store(offset, std::memory_order_relaxed);
  const uint64_t page = offset / kPageBytes * kPageBytes;
  if (page < given_back_ + kGiveBackBytes) return;
  give_back(fd_.get(), given_back_, page);
  given_back_ = page;
}

std::string OutputFile::unread(size_t most) const {
  const auto [begin, end] = unread_now();
  std::string bytes(std::min<uint64_t>(most, end - begin), '\0');
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = ::pread(fd_.get(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(begin + done));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    done += static_cast<size_t>(count);
  }
  bytes.resize(done);
  return bytes;
}

void OutputFile::take(uint64_t bytes) {
  if (bytes != 0) set_read_to(unread_now().begin + bytes);
}

uint64_t OutputFile::skip_excess() {
  const auto [begin, end] = unread_now();
  if (end - begin <= kMostUnread) return 0;
  set_read_to(end - kMostUnread);
  return end - kMostUnread - begin;
}

bool OutputFile::is_untouched() const {
  struct stat facts {};
  return ::fstat(fd_.get(), &facts) == 0 && facts.st_size == held_size_ &&
         static_cast<uint64_t>(facts.st_blocks) * kBlockBytes == held_memory_ &&
         header_of(header_).read_to.load(std::memory_order_relaxed) == static_cast<uint64_t>(facts.st_size);
}

// The memory is measured before the end: whoever prints meanwhile makes what is unread larger, not what is elsewhere.
OutputFile::Use OutputFile::hold_to_bounds() {
  struct stat facts {};
  if (::fstat(fd_.get(), &facts) != 0) return Use::printing;
  const uint64_t memory = static_cast<uint64_t>(facts.st_blocks) * kBlockBytes;
  // Hundreds of files that nobody writes to should cost next to nothing.
  if (facts.st_size == held_size_ && memory == held_memory_) return Use::printing;
  held_size_ = facts.st_size;
  held_memory_ = memory;
  const int flags = ::fcntl(fd_.get(), F_GETFL);
  if (flags >= 0 && (flags & O_APPEND) == 0) (void)::fcntl(fd_.get(), F_SETFL, flags | O_APPEND);
  const auto [begin, end] = unread_now();
  if (memory <= end - begin + kMostElsewhereBytes) return Use::printing;
  give_back(fd_.get(), kPageBytes, begin / kPageBytes * kPageBytes);
  return Use::keeping_memory;
}

bool is_output_file(int fd) {
  const int seals = ::fcntl(fd, F_GET_SEALS);
  return seals >= 0 && (seals & kSeals) == kSeals;
}

void write_output_to(const Fd& file) {
  ::dup2(file.get(), STDOUT_FILENO);
  ::dup2(file.get(), STDERR_FILENO);
}

void trim_own_output(const Fd& file) {
  struct stat facts {};
  if (!file || ::fstat(file.get(), &facts) != 0) return;
  // Twice as much as a reader would still look at, so that this happens seldom.
  if (static_cast<uint64_t>(facts.st_blocks) * kBlockBytes <= 2 * OutputFile::kMostUnread) return;
  const uint64_t newest = (static_cast<uint64_t>(facts.st_size) - OutputFile::kMostUnread) / kPageBytes * kPageBytes;
  give_back(file.get(), kPageBytes, newest);
}

}  // namespace arenad
