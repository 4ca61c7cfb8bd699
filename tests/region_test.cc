// Regions: one writer for ever, memory that is really there, and rings without an edge.
#include "ipc/region.h"

#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <numeric>
#include <string>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "ipc/record.h"
#include "tests/support/child.h"

namespace {

using namespace arenad;
using arenad::test::Child;
using arenad::test::kChildFine;

Region region_of(uint64_t bytes) {
  auto region = Region::create("arenad-test", bytes);
  REQUIRE(region.ok());
  return std::move(*region);
}

Region sealed_region(uint64_t bytes) {
  Region region = region_of(bytes);
  REQUIRE(region.seal().ok());
  return region;
}

Fd copy_of(const Fd& fd) {
  auto copy = fd.duplicate();
  REQUIRE(copy.ok());
  return std::move(*copy);
}

RegionView view_of(const Region& region, uint64_t minimum_bytes = 1) {
  auto view = RegionView::map(copy_of(region.fd()), minimum_bytes);
  REQUIRE(view.ok());
  return std::move(*view);
}

// errno of an attempt to map it, 0 if it can be mapped.
int mapping_fault(int fd, int protection) {
  void* at = ::mmap(nullptr, kPageBytes, protection, MAP_SHARED, fd, 0);
  if (at == MAP_FAILED) return errno;
  ::munmap(at, kPageBytes);
  return 0;
}

Fd memfd(uint64_t bytes, int seals) {
  Fd fd(::memfd_create("arenad-test", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  REQUIRE(fd);
  REQUIRE(::ftruncate(fd.get(), static_cast<off_t>(bytes)) == 0);
  if (seals != 0) REQUIRE(::fcntl(fd.get(), F_ADD_SEALS, seals) == 0);
  return fd;
}

}  // namespace

TEST_CASE("region: zeroed, in whole pages, allocated in full, close-on-exec") {
  for (const uint64_t bytes : {uint64_t{1}, kPageBytes - 1, kPageBytes, kPageBytes + 1, 100 * kPageBytes}) {
    CAPTURE(bytes);
    const Region region = region_of(bytes);
    CHECK(region.bytes() == round_up(bytes, kPageBytes));
    CHECK(std::accumulate(region.data(), region.data() + region.bytes(), 0,
                          [](int sum, std::byte b) { return sum + static_cast<int>(b); }) == 0);
    struct stat status {};
    REQUIRE(::fstat(region.fd().get(), &status) == 0);
    CHECK(static_cast<uint64_t>(status.st_size) == region.bytes());
    CHECK(static_cast<uint64_t>(status.st_blocks) * 512 >= region.bytes());
    CHECK((::fcntl(region.fd().get(), F_GETFD) & FD_CLOEXEC) != 0);
  }
}

TEST_CASE("region: a size of nothing is refused") {
  const auto region = Region::create("arenad-test", 0);
  REQUIRE_FALSE(region.ok());
  CHECK_FALSE(region.error().message.empty());
}

TEST_CASE("region: its writer goes on writing after the seal, and others see it") {
  const Region region = sealed_region(2 * kPageBytes);
  const RegionView view = view_of(region, 2 * kPageBytes);
  CHECK(view.bytes() == 2 * kPageBytes);
  region.data()[kPageBytes] = std::byte{42};
  CHECK(view.data()[kPageBytes] == std::byte{42});
}

TEST_CASE("region: once sealed, nobody can map it writable, its writer included") {
  const Region region = sealed_region(kPageBytes);
  const int fd = region.fd().get();
  CHECK(mapping_fault(fd, PROT_READ) == 0);
  CHECK(mapping_fault(fd, PROT_READ | PROT_WRITE) == EPERM);
  CHECK(mapping_fault(fd, PROT_WRITE) == EPERM);
  SUBCASE("by another open file") {
    const std::string path = "/proc/self/fd/" + std::to_string(fd);
    const Fd again(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    REQUIRE(again);
    CHECK(mapping_fault(again.get(), PROT_READ | PROT_WRITE) == EPERM);
  }
  SUBCASE("by making a readable mapping writable") {
    const RegionView view = view_of(region);
    CHECK(::mprotect(const_cast<std::byte*>(view.data()), kPageBytes, PROT_READ | PROT_WRITE) == -1);
    CHECK(errno == EACCES);
  }
  SUBCASE("by a ring") {
    Region moved = sealed_region(4 * kPageBytes);
    const auto ring = moved.map_ring(0, kPageBytes);
    REQUIRE_FALSE(ring.ok());
    CHECK(ring.error().errno_value == EPERM);
  }
}

TEST_CASE("region: once sealed, nobody can shrink it, grow it, write it by calls or take the seals off") {
  const Region region = sealed_region(2 * kPageBytes);
  const int fd = region.fd().get();
  CHECK(::ftruncate(fd, kPageBytes) == -1);
  CHECK(errno == EPERM);
  CHECK(::ftruncate(fd, 3 * kPageBytes) == -1);
  CHECK(errno == EPERM);
  CHECK(::fallocate(fd, 0, 0, 3 * kPageBytes) == -1);
  CHECK(::fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, kPageBytes) == -1);
  CHECK(errno == EPERM);
  CHECK(::pwrite(fd, "x", 1, 0) == -1);
  CHECK(errno == EPERM);
  CHECK(::pwrite(fd, "x", 1, 2 * kPageBytes) == -1);
  CHECK(::fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) == -1);
  CHECK(errno == EPERM);
  REQUIRE(check_sealed_region(region.fd()).ok());
  CHECK(*check_sealed_region(region.fd()) == 2 * kPageBytes);
}

TEST_CASE("region: a process that inherits the descriptor can write nothing") {
  const Region region = sealed_region(kPageBytes);
  const int fd = region.fd().get();
  Child other([&] {
    if (mapping_fault(fd, PROT_READ | PROT_WRITE) != EPERM) return 1;
    if (::ftruncate(fd, 0) == 0) return 2;
    return mapping_fault(fd, PROT_READ) == 0 ? kChildFine : 3;
  });
  CHECK(other.fine());
}

TEST_CASE("region view: refuses what its writer has not sealed in full") {
  constexpr int kAll = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL;
  CHECK(RegionView::map(memfd(kPageBytes, kAll), kPageBytes).ok());
  for (const int missing : {F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_FUTURE_WRITE, F_SEAL_SEAL, kAll}) {
    CAPTURE(missing);
    const auto view = RegionView::map(memfd(kPageBytes, kAll & ~missing), kPageBytes);
    REQUIRE_FALSE(view.ok());
    CHECK(view.error().code == ErrorCode::invalid);
  }
  const Region unsealed = region_of(kPageBytes);
  CHECK_FALSE(RegionView::map(copy_of(unsealed.fd()), 1).ok());
}

TEST_CASE("region view: refuses what is no shared memory") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  Fd reading(ends[0]);
  const Fd writing(ends[1]);
  CHECK_FALSE(RegionView::map(std::move(reading), 1).ok());
  CHECK_FALSE(RegionView::map(Fd(::open("/dev/zero", O_RDWR | O_CLOEXEC)), 1).ok());
  CHECK_FALSE(RegionView::map(Fd(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC)), 1).ok());
  CHECK_FALSE(RegionView::map(Fd(), 1).ok());
}

TEST_CASE("region view: refuses a file that is too small, and none that is just large enough") {
  const Region region = sealed_region(2 * kPageBytes);
  CHECK(RegionView::map(copy_of(region.fd()), 2 * kPageBytes).ok());
  const auto view = RegionView::map(copy_of(region.fd()), 2 * kPageBytes + 1);
  REQUIRE_FALSE(view.ok());
  CHECK(view.error().code == ErrorCode::corrupt);
  constexpr int kAll = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL;
  CHECK_FALSE(RegionView::map(memfd(0, kAll), 1).ok());
}

TEST_CASE("region: lack of memory is an error and no signal") {
  Child poor([] {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{16 * kPageBytes, 16 * kPageBytes};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return 1;
    if (!Region::create("arenad-test", 16 * kPageBytes).ok()) return 2;
    const auto region = Region::create("arenad-test", 17 * kPageBytes);
    if (region.ok()) return 3;
    if (region.error().code != ErrorCode::exhausted || region.error().errno_value != EFBIG) return 4;
    return region.error().text().find("68 KiB") != std::string::npos ? kChildFine : 5;
  });
  CHECK(poor.fine());
}

TEST_CASE("region: lack of descriptors is an error") {
  Child poor([] {
    const rlimit limit{3, 3};
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) return 1;
    const auto region = Region::create("arenad-test", kPageBytes);
    if (region.ok()) return 2;
    return region.error().code == ErrorCode::exhausted ? kChildFine : 3;
  });
  CHECK(poor.fine());
}

TEST_CASE("ring: the same bytes twice in a row, for the writer and for everyone else") {
  Region region = region_of(5 * kPageBytes);
  constexpr uint64_t kCapacity = 2 * kPageBytes;
  auto first = region.map_ring(kPageBytes, kCapacity);
  auto second = region.map_ring(3 * kPageBytes, kCapacity);  // the first one stays where it is
  REQUIRE(first.ok());
  REQUIRE(second.ok());
  REQUIRE(region.seal().ok());
  RegionView view = view_of(region);
  auto read = view.map_ring(kPageBytes, kCapacity);
  REQUIRE(read.ok());

  std::string text(1000, ' ');
  for (size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>('a' + i % 26);
  std::byte* at = *first + kCapacity - 300;
  std::memcpy(at, text.data(), text.size());  // over the edge
  CHECK(std::memcmp(*read + kCapacity - 300, text.data(), text.size()) == 0);
  CHECK(std::memcmp(*first, text.data() + 300, 700) == 0);
  CHECK(std::memcmp(*read, text.data() + 300, 700) == 0);
  CHECK(std::memcmp(region.data() + 3 * kPageBytes - 300, text.data(), 300) == 0);

  (*first)[2 * kCapacity - 1] = std::byte{7};  // the last byte of the mirror
  CHECK((*read)[kCapacity - 1] == std::byte{7});
  CHECK((*second)[0] == std::byte{0});
  (*second)[0] = std::byte{9};
  CHECK((*second)[kCapacity] == std::byte{9});
  CHECK((*read)[0] != std::byte{9});
}

TEST_CASE("ring: a view of a ring outside of its region is refused") {
  RegionView view = view_of(sealed_region(8 * kPageBytes));
  CHECK(view.map_ring(0, 8 * kPageBytes).ok());
  CHECK(view.map_ring(7 * kPageBytes, kPageBytes).ok());
  struct Wrong {
    uint64_t offset;
    uint64_t capacity;
  };
  const uint64_t huge = UINT64_MAX - kPageBytes + 1;
  for (const Wrong& wrong : {Wrong{0, 0}, Wrong{0, 9 * kPageBytes}, Wrong{kPageBytes, 8 * kPageBytes},
                             Wrong{8 * kPageBytes, kPageBytes}, Wrong{9 * kPageBytes, kPageBytes}, Wrong{1, kPageBytes},
                             Wrong{0, kPageBytes + 8}, Wrong{huge, kPageBytes}, Wrong{kPageBytes, huge}, Wrong{huge, huge}}) {
    CAPTURE(wrong.offset);
    CAPTURE(wrong.capacity);
    const auto ring = view.map_ring(wrong.offset, wrong.capacity);
    REQUIRE_FALSE(ring.ok());
    CHECK(ring.error().code == ErrorCode::corrupt);
  }
}

TEST_CASE("region: moved and destroyed, its memory stays where it is and then goes") {
  Region region = region_of(2 * kPageBytes);
  auto ring = region.map_ring(0, 2 * kPageBytes);
  REQUIRE(ring.ok());
  std::byte* const base = region.data();
  (*ring)[5] = std::byte{5};
  {
    Region moved = std::move(region);
    CHECK(moved.data() == base);
    CHECK(moved.data()[5] == std::byte{5});
    Region assigned;
    assigned = std::move(moved);
    CHECK((*ring)[2 * kPageBytes + 5] == std::byte{5});
  }
  unsigned char resident = 0;
  CHECK(::mincore(base, kPageBytes, &resident) == -1);
  CHECK(errno == ENOMEM);
}

TEST_CASE("descriptors: closed once, duplicated close-on-exec") {
  Fd fd(::memfd_create("arenad-test", MFD_CLOEXEC));
  REQUIRE(fd);
  const int number = fd.get();
  Fd copy = copy_of(fd);
  CHECK(copy.get() != number);
  CHECK((::fcntl(copy.get(), F_GETFD) & FD_CLOEXEC) != 0);
  Fd moved = std::move(fd);
  CHECK(moved.get() == number);
  moved = std::move(copy);
  CHECK(::fcntl(number, F_GETFD) == -1);
  const int kept = moved.release();
  CHECK_FALSE(moved);
  CHECK(::fcntl(kept, F_GETFD) != -1);
  moved = Fd(kept);
  moved.reset();
  CHECK(::fcntl(kept, F_GETFD) == -1);
  CHECK_FALSE(Fd().duplicate().ok());
}
