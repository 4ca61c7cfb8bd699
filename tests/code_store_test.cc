// Game modules kept by content: what is kept, what is refused, and what an interruption leaves.
#include "supervisor/code_store.h"

#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <string>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <doctest/doctest.h>
#include <xxhash.h>

namespace {

using namespace arenad;
namespace fs = std::filesystem;

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

fs::path write(const fs::path& path, const std::string& content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
  return path;
}

CodeHash hash_of(const std::string& content) {
  const XXH128_hash_t sum = XXH3_128bits(content.data(), content.size());
  return {sum.high64, sum.low64};
}

Fd open_file(const fs::path& path, int flags = O_RDONLY) {
  return Fd(::open(path.c_str(), flags | O_CLOEXEC));
}

// A folder with a store in it, which does not exist yet.
struct Place {
  Place() {
    std::string name = (fs::temp_directory_path() / "arenad-code-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    folder = name;
    modules = folder / "modules";
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() {
    std::error_code ignored;
    fs::remove_all(folder, ignored);
  }
  [[nodiscard]] CodeStore store() const { return CodeStore(modules); }
  [[nodiscard]] size_t kept() const {
    return fs::exists(modules) ? static_cast<size_t>(std::distance(fs::directory_iterator(modules), {})) : 0;
  }
  fs::path folder;
  fs::path modules;
};

// Writes beyond this many bytes fail, as on a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    before_ = std::signal(SIGXFSZ, SIG_IGN);
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &limit_) == 0);
    const rlimit less{bytes, limit_.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &less) == 0);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &limit_);
    std::signal(SIGXFSZ, before_);
  }

 private:
  rlimit limit_{};
  void (*before_)(int) = nullptr;
};

}  // namespace

TEST_CASE("code store: a file is kept under its hash and its name, and found again") {
  const Place place;
  const std::string content("code\0of a game\xff", 15);
  const auto kept = place.store().keep(write(place.folder / "tanks.so", content));
  REQUIRE(kept.ok());
  CHECK(kept.value().hash == hash_of(content));
  CHECK(kept.value().file == place.modules / hash_of(content).text() / "tanks.so");
  CHECK(read(kept.value().file) == content);
  const auto found = place.store().find(kept.value().hash);
  REQUIRE(found);
  CHECK(found->hash == kept.value().hash);
  CHECK(found->file == kept.value().file);
  CHECK_FALSE(place.store().find(hash_of("other")));
  CHECK_FALSE(place.store().find(CodeHash{}));
}

TEST_CASE("code store: nothing is made before the first file is kept") {
  const Place place;
  CodeStore store = place.store();
  CHECK_FALSE(store.find(hash_of("code")));
  store.forget(hash_of("code"));
  store.forget_all_but({});
  CHECK_FALSE(store.keep(place.folder / "missing.so").ok());
  CHECK_FALSE(fs::exists(place.modules));
}

TEST_CASE("code store: what is replaced on disk changes nothing that is kept") {
  const Place place;
  const fs::path file = write(place.folder / "tanks.so", "version 1");
  const auto first = place.store().keep(file);
  REQUIRE(first.ok());
  SUBCASE("overwritten") {
    write(file, "version 2");
  }
  SUBCASE("replaced") {
    fs::rename(write(place.folder / "new.so", "version 2"), file);
  }
  const auto second = place.store().keep(file);
  REQUIRE(second.ok());
  CHECK(second.value().hash != first.value().hash);
  CHECK(read(first.value().file) == "version 1");
  CHECK(read(second.value().file) == "version 2");
  CHECK(place.kept() == 2);
  fs::remove(file);
  CHECK(read(second.value().file) == "version 2");
}

TEST_CASE("code store: the same content twice is kept once, under its first name") {
  const Place place;
  CodeStore store = place.store();
  const auto first = store.keep(write(place.folder / "tanks.so", "code"));
  REQUIRE(first.ok());
  struct stat before {};
  REQUIRE(::stat(first.value().file.c_str(), &before) == 0);
  for (const char* name : {"tanks.so", "other.so"}) {
    const auto again = store.keep(write(place.folder / name, "code"));
    REQUIRE(again.ok());
    CHECK(again.value().file == first.value().file);
    CHECK(again.value().hash == first.value().hash);
  }
  struct stat after {};
  REQUIRE(::stat(first.value().file.c_str(), &after) == 0);
  CHECK(after.st_ino == before.st_ino);  // it is not written again under what runs it
  CHECK(place.kept() == 1);
}

TEST_CASE("code store: by a descriptor, the whole file, wherever it is read at") {
  const Place place;
  const Fd file = open_file(write(place.folder / "x", "0123456789"));
  REQUIRE(::lseek(file.get(), 7, SEEK_SET) == 7);
  const auto kept = place.store().keep(file, "tanks.so");
  REQUIRE(kept.ok());
  CHECK(read(kept.value().file) == "0123456789");
  CHECK(kept.value().file.filename() == "tanks.so");
  CHECK(::lseek(file.get(), 0, SEEK_CUR) == 7);
}

TEST_CASE("code store: an empty file, and a large one") {
  const Place place;
  const auto empty = place.store().keep(write(place.folder / "empty.so", ""));
  REQUIRE(empty.ok());
  CHECK(empty.value().hash == hash_of(""));
  CHECK(place.store().find(hash_of(""))->file == empty.value().file);
  CHECK(fs::file_size(empty.value().file) == 0);

  std::string content(3'000'000, 'x');
  for (size_t i = 0; i < content.size(); i += 1000) content[i] = static_cast<char>(i / 1000);
  const auto large = place.store().keep(write(place.folder / "large.so", content));
  REQUIRE(large.ok());
  CHECK(read(large.value().file) == content);
}

TEST_CASE("code store: what is no regular file") {
  const Place place;
  CodeStore store = place.store();
  const auto is_invalid = [&](const fs::path& path) {
    const auto kept = store.keep(path);
    REQUIRE_FALSE(kept.ok());
    CHECK(kept.error().code == ErrorCode::invalid);
  };
  fs::create_directory(place.folder / "folder.so");
  is_invalid(place.folder / "folder.so");
  const fs::path fifo = place.folder / "fifo.so";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  is_invalid(fifo);  // and it waits for nobody who writes
  CHECK_FALSE(store.keep(open_file(fifo, O_RDWR), "fifo.so").ok());
  is_invalid("/dev/null");
  is_invalid("/dev/zero");
  CHECK(place.kept() == 0);
}

TEST_CASE("code store: a link stands for the file") {
  const Place place;
  write(place.folder / "tanks-1.2.so", "code");
  fs::create_symlink("tanks-1.2.so", place.folder / "tanks.so");
  const auto kept = place.store().keep(place.folder / "tanks.so");
  REQUIRE(kept.ok());
  CHECK(kept.value().file.filename() == "tanks.so");
  CHECK(fs::is_regular_file(fs::symlink_status(kept.value().file)));
  fs::create_symlink("nowhere", place.folder / "broken.so");
  CHECK_FALSE(place.store().keep(place.folder / "broken.so").ok());
}

TEST_CASE("code store: what cannot be read") {
  const Place place;
  CodeStore store = place.store();
  const fs::path file = write(place.folder / "tanks.so", "code");
  const auto missing = store.keep(place.folder / "missing.so");
  REQUIRE_FALSE(missing.ok());
  CHECK(missing.error().errno_value == ENOENT);
  CHECK_FALSE(store.keep(Fd(), "tanks.so").ok());
  CHECK_FALSE(store.keep(open_file(file, O_WRONLY), "tanks.so").ok());
  CHECK_FALSE(store.keep(open_file(file, O_PATH), "tanks.so").ok());
  CHECK_FALSE(store.keep(fs::path()).ok());
  CHECK_FALSE(store.keep(place.folder / "").ok());
  CHECK(place.kept() == 0);
}

TEST_CASE("code store: more than 1 GiB is refused before it is read") {
  const Place place;
  const fs::path file = write(place.folder / "huge.so", "");
  fs::resize_file(file, (1ull << 30) + 1);  // sparse
  const auto kept = place.store().keep(file);
  REQUIRE_FALSE(kept.ok());
  CHECK(kept.error().code == ErrorCode::invalid);
  CHECK(place.kept() == 0);
}

TEST_CASE("code store: names that are none") {
  const Place place;
  CodeStore store = place.store();
  const Fd file = open_file(write(place.folder / "x", "code"));
  for (const std::string& name :
       {std::string(), std::string("."), std::string(".."), std::string("../x"), std::string("/x"), std::string("a/b"),
        std::string("a/../../x"), std::string("x/"), std::string(".x"), std::string(".unfinished"), std::string("a\0b", 3),
        std::string(201, 'x'), std::string(5000, 'x')}) {
    CAPTURE(name);
    const auto kept = store.keep(file, name);
    CHECK_FALSE(kept.ok());
    if (!kept) CHECK(kept.error().code == ErrorCode::invalid);
  }
  CHECK(place.kept() == 0);
  for (const std::string& name : {std::string("x"), std::string("a..b"), std::string("-rf"), std::string(200, 'x')}) {
    const auto kept = store.keep(file, name);
    REQUIRE(kept.ok());
    CHECK(kept.value().file == place.modules / hash_of("code").text() / name);
    CHECK(read(kept.value().file) == "code");
    store.forget(kept.value().hash);
  }
}

TEST_CASE("code store: no room on the disk") {
  const Place place;
  CodeStore store = place.store();
  const std::string content(100'000, 'x');
  const fs::path file = write(place.folder / "tanks.so", content);
  {
    const FileSizeLimit limit(50'000);
    const auto kept = store.keep(file);
    REQUIRE_FALSE(kept.ok());
    CHECK(kept.error().code == ErrorCode::exhausted);
    CHECK_FALSE(store.find(hash_of(content)));
  }
  CHECK(place.kept() == 0);  // what was written goes again, and with it the room that it takes
  const auto kept = store.keep(file);
  REQUIRE(kept.ok());
  CHECK(read(kept.value().file) == content);
}

TEST_CASE("code store: no place for its folder") {
  const Place place;
  write(place.modules, "a file");
  const auto kept = place.store().keep(write(place.folder / "tanks.so", "code"));
  CHECK_FALSE(kept.ok());
  CHECK_FALSE(place.store().find(hash_of("code")));
  place.store().forget_all_but({});
  CHECK(read(place.modules) == "a file");
}

TEST_CASE("code store: an interrupted keep leaves nothing that is found") {
  // Before the file, in it, and before it has its name; the last one is of another file.
  for (const char* written : {"", "co", "code", "code that is longer"}) {
    CAPTURE(written);
    const Place place;
    CodeStore store = place.store();
    const fs::path folder = place.modules / hash_of("code").text();
    const fs::path unfinished = folder / ".unfinished";
    fs::create_directories(folder);
    if (*written != '\0') write(unfinished, written);
    CHECK_FALSE(store.find(hash_of("code")));

    const auto kept = store.keep(write(place.folder / "tanks.so", "code"));
    REQUIRE(kept.ok());
    CHECK(read(kept.value().file) == "code");
    CHECK(store.find(hash_of("code"))->file == kept.value().file);
    CHECK_FALSE(fs::exists(unfinished));

    fs::rename(kept.value().file, unfinished);
    store.forget_all_but({hash_of("code")});  // needed, but it is not there
    CHECK_FALSE(fs::exists(unfinished));
    store.forget_all_but({});
    CHECK_FALSE(fs::exists(folder));
  }
}

TEST_CASE("code store: what is forgotten") {
  const Place place;
  CodeStore store = place.store();
  const fs::path file = place.folder / "tanks.so";
  for (const char* content : {"1", "2", "3", "4"}) REQUIRE(store.keep(write(file, content)).ok());
  store.forget(hash_of("1"));
  CHECK_FALSE(store.find(hash_of("1")));
  CHECK(place.kept() == 3);
  store.forget(hash_of("1"));
  store.forget_all_but({hash_of("2"), hash_of("4"), hash_of("never there")});
  CHECK(store.find(hash_of("2")));
  CHECK_FALSE(store.find(hash_of("3")));
  CHECK(read(store.find(hash_of("4"))->file) == "4");
  CHECK(place.kept() == 2);
  REQUIRE(store.keep(write(file, "3")).ok());
  store.forget_all_but({});
  CHECK(place.kept() == 0);
}
