// The file that a process writes its output to: who reads it, how much it takes, and what its process cannot do with it.
#include "ipc/output_file.h"

#include <cerrno>
#include <fcntl.h>
#include <string>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <doctest/doctest.h>

using namespace arenad;

namespace {

OutputFile created() {
  auto file = OutputFile::create();
  REQUIRE(file.ok());
  return std::move(*file);
}

void write_to(const OutputFile& file, const std::string& text) {
  REQUIRE(::write(file.fd().get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
}

uint64_t memory_of(const OutputFile& file) {
  struct stat facts {};
  REQUIRE(::fstat(file.fd().get(), &facts) == 0);
  return static_cast<uint64_t>(facts.st_blocks) * 512;
}

Fd copy_of(const OutputFile& file) {
  auto copy = file.fd().duplicate();
  REQUIRE(copy.ok());
  return std::move(*copy);
}

}  // namespace

TEST_CASE("what is written is read once, oldest first") {
  OutputFile file = created();
  CHECK(file.unread(100).empty());
  write_to(file, "one\n");
  write_to(file, "two\n");
  CHECK(file.unread(100) == "one\ntwo\n");
  CHECK(file.unread(5) == "one\nt");
  file.take(4);
  CHECK(file.unread(100) == "two\n");
  file.take(4);
  CHECK(file.unread(100).empty());
}

TEST_CASE("it is untouched when all was taken and nothing was written, kept or lied about since") {
  OutputFile file = created();
  CHECK_FALSE(file.is_untouched());  // nobody has held it to its bounds yet
  (void)file.hold_to_bounds();
  CHECK(file.is_untouched());
  write_to(file, "one\n");
  CHECK_FALSE(file.is_untouched());
  (void)file.hold_to_bounds();
  CHECK_FALSE(file.is_untouched());  // it is not taken yet
  file.take(4);
  CHECK(file.is_untouched());
  REQUIRE(::fallocate(file.fd().get(), FALLOC_FL_KEEP_SIZE, 1024 * 1024, 1024 * 1024) == 0);
  CHECK_FALSE(file.is_untouched());
}

TEST_CASE("the next reader goes on where the one before was") {
  OutputFile file = created();
  write_to(file, "one\ntwo\n");
  file.take(4);
  auto next = OutputFile::map(copy_of(file));
  REQUIRE(next.ok());
  CHECK(next->unread(100) == "two\n");
  write_to(file, "three\n");
  CHECK(next->unread(100) == "two\nthree\n");
}

TEST_CASE("memory that was read is given back") {
  OutputFile file = created();
  const std::string block(32 * 1024, 'x');
  for (int i = 0; i < 1000; ++i) {
    write_to(file, block);
    REQUIRE(file.unread(block.size()).size() == block.size());
    file.take(block.size());
  }
  CHECK(memory_of(file) <= 256 * 1024);
}

TEST_CASE("of what nobody reads the newest stays") {
  OutputFile file = created();
  const std::string block(64 * 1024, 'x');
  const Fd own = copy_of(file);
  for (int i = 0; i < 100; ++i) {
    write_to(file, block);
    trim_own_output(own);
  }
  write_to(file, "the end");
  CHECK(memory_of(file) <= 3 * OutputFile::kMostUnread);
  CHECK(file.skip_excess() == 100 * block.size() + 7 - OutputFile::kMostUnread);
  CHECK(file.skip_excess() == 0);
  const std::string left = file.unread(10 * OutputFile::kMostUnread);
  CHECK(left.size() == OutputFile::kMostUnread);
  CHECK(left.ends_with("xthe end"));
  CHECK(left.find('\0') == std::string::npos);
}

TEST_CASE("its process can spoil its lines, and nothing else") {
  OutputFile file = created();
  write_to(file, "line\n");
  CHECK(::ftruncate(file.fd().get(), 0) == -1);
  CHECK(errno == EPERM);
  SUBCASE("the place up to which it was read") {
    void* page = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file.fd().get(), 0);
    REQUIRE(page != MAP_FAILED);
    static_cast<uint64_t*>(page)[2] = UINT64_MAX;
    CHECK(file.unread(100).empty());
    CHECK(file.skip_excess() == 0);
    static_cast<uint64_t*>(page)[2] = 0;
    CHECK(file.unread(100) == "line\n");
    ::munmap(page, 4096);
  }
  SUBCASE("a size that is not there") {
    REQUIRE(::ftruncate(file.fd().get(), off_t{1} << 50) == 0);
    CHECK(file.skip_excess() > 0);
    CHECK(file.unread(1000).size() == 1000);
  }
}

TEST_CASE("memory that its process keeps behind what was read is given back, and is told from printing") {
  OutputFile file = created();
  const int fd = file.fd().get();
  const std::string block(1024 * 1024, 'x');
  SUBCASE("who prints much, faster than it is read") {
    for (int i = 0; i < 64; ++i) write_to(file, block);
    CHECK(file.hold_to_bounds() == OutputFile::Use::printing);
    CHECK(file.skip_excess() > 0);
    CHECK(file.hold_to_bounds() == OutputFile::Use::printing);
    CHECK(memory_of(file) <= 2 * OutputFile::kMostUnread);
  }
  SUBCASE("who does not append any more") {
    REQUIRE(::fcntl(fd, F_SETFL, 0) == 0);
    REQUIRE(::pwrite(fd, "end", 3, off_t{1} << 40) == 3);
    for (off_t i = 0; i < 64; ++i) {
      REQUIRE(::pwrite(fd, block.data(), block.size(), 4096 + i * 1024 * 1024) == static_cast<ssize_t>(block.size()));
    }
    CHECK(file.skip_excess() > 0);
    CHECK(memory_of(file) <= 2 * OutputFile::kMostUnread);
    // And again, where it was given back.
    for (off_t i = 0; i < 64; ++i) {
      REQUIRE(::pwrite(fd, block.data(), block.size(), 4096 + i * 1024 * 1024) == static_cast<ssize_t>(block.size()));
    }
    CHECK(file.hold_to_bounds() == OutputFile::Use::keeping_memory);
    CHECK(memory_of(file) <= 2 * OutputFile::kMostUnread);
    CHECK(file.hold_to_bounds() == OutputFile::Use::printing);
    CHECK((::fcntl(fd, F_GETFL) & O_APPEND) != 0);
    CHECK(file.unread(OutputFile::kMostUnread).ends_with("end"));
  }
}

TEST_CASE("what is no such file is refused") {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  CHECK_FALSE(OutputFile::map(Fd(ends[0])).ok());
  ::close(ends[1]);
  CHECK_FALSE(OutputFile::map(Fd(::open("/dev/null", O_RDWR | O_CLOEXEC))).ok());
  CHECK_FALSE(OutputFile::map(Fd(::memfd_create("other", MFD_CLOEXEC))).ok());
  CHECK_FALSE(OutputFile::map(Fd()).ok());
  Fd unlike(::memfd_create("other", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  REQUIRE(::ftruncate(unlike.get(), 4096) == 0);
  REQUIRE(::fcntl(unlike.get(), F_ADD_SEALS, F_SEAL_SHRINK) == 0);
  CHECK_FALSE(OutputFile::map(std::move(unlike)).ok());
}
