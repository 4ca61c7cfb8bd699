#include "supervisor/oom_witness.h"

#include <filesystem>
#include <fstream>
#include <unistd.h>

#include <doctest/doctest.h>

namespace {

using arenad::oom_counter_path;
using arenad::OomWitness;

// A file of its own, gone afterwards.
class CounterFile {
 public:
  CounterFile() {
    std::string name = (std::filesystem::temp_directory_path() / "arenad-oom-XXXXXX").string();
    const int fd = ::mkstemp(name.data());
    REQUIRE(fd >= 0);
    ::close(fd);
    path_ = name;
  }
  CounterFile(const CounterFile&) = delete;
  CounterFile& operator=(const CounterFile&) = delete;
  ~CounterFile() { std::filesystem::remove(path_); }

  void write(const std::string& text) const {
    std::ofstream file(path_, std::ios::trunc);
    file << text;
    REQUIRE(file.flush().good());
  }
  // memory.events of cgroup v2.
  void kills(uint64_t count) const {
    write("low 1\nhigh 2\nmax 3000\noom 99\noom_kill " + std::to_string(count) + "\noom_group_kill 98\n");
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace

TEST_CASE("oom witness: where the counter is") {
  SUBCASE("v2") {
    CHECK(oom_counter_path("0::/system.slice/arenad.service\n") == "/sys/fs/cgroup/system.slice/arenad.service/memory.events");
  }
  SUBCASE("v2, without an end of the line") {
    CHECK(oom_counter_path("0::/a") == "/sys/fs/cgroup/a/memory.events");
  }
  SUBCASE("v2, at the root, as in a container") {
    CHECK(oom_counter_path("0::/\n") == "/sys/fs/cgroup/memory.events");
  }
  SUBCASE("v2, a name with colons") {
    CHECK(oom_counter_path("0::/a:b/c:d\n") == "/sys/fs/cgroup/a:b/c:d/memory.events");
  }
  SUBCASE("v1") {
    CHECK(oom_counter_path("12:pids:/user.slice\n7:memory:/user.slice/one\n1:name=systemd:/init.scope\n") ==
          "/sys/fs/cgroup/memory/user.slice/one/memory.oom_control");
  }
  SUBCASE("v1, at the root") {
    CHECK(oom_counter_path("7:memory:/\n") == "/sys/fs/cgroup/memory/memory.oom_control");
  }
  SUBCASE("v1, mounted together with others") {
    CHECK(oom_counter_path("7:cpu,memory,pids:/a\n") == "/sys/fs/cgroup/memory/a/memory.oom_control");
  }
  SUBCASE("hybrid: memory is under v1, whichever line comes first") {
    CHECK(oom_counter_path("7:memory:/one\n0::/two\n") == "/sys/fs/cgroup/memory/one/memory.oom_control");
    CHECK(oom_counter_path("0::/two\n7:memory:/one\n") == "/sys/fs/cgroup/memory/one/memory.oom_control");
  }
  SUBCASE("hybrid, without memory under v1") {
    CHECK(oom_counter_path("3:cpu,cpuacct:/one\n1:name=systemd:/three\n0::/two\n") == "/sys/fs/cgroup/two/memory.events");
  }
  SUBCASE("none") {
    CHECK(oom_counter_path("").empty());
    CHECK(oom_counter_path("\n").empty());
    CHECK(oom_counter_path("3:cpu:/one\n1:name=systemd:/three\n").empty());
    CHECK(oom_counter_path("3:cpu,memory2,xmemory:/one\n").empty());
    CHECK(oom_counter_path("3:name=memory:/one\n").empty());
  }
  SUBCASE("lines that are none") {
    CHECK(oom_counter_path("garbage\nmemory\n7:memory\n::\n").find("oom_control") == std::string::npos);
    CHECK(oom_counter_path("garbage\n0::/a\n") == "/sys/fs/cgroup/a/memory.events");
  }
}

TEST_CASE("oom witness: each kill accounts for one death") {
  const CounterFile file;
  file.kills(0);
  OomWitness witness(file.path());
  CHECK(witness.knows());
  CHECK_FALSE(witness.accounts_for_a_death());
  file.kills(1);
  CHECK(witness.accounts_for_a_death());
  CHECK_FALSE(witness.accounts_for_a_death());
  file.kills(3);
  CHECK(witness.accounts_for_a_death());
  CHECK(witness.accounts_for_a_death());
  CHECK_FALSE(witness.accounts_for_a_death());
}

TEST_CASE("oom witness: what was counted before it began is of others") {
  const CounterFile file;
  file.kills(41);
  OomWitness witness(file.path());
  CHECK(witness.knows());
  CHECK_FALSE(witness.accounts_for_a_death());
  file.kills(42);
  CHECK(witness.accounts_for_a_death());
  CHECK_FALSE(witness.accounts_for_a_death());
}

TEST_CASE("oom witness: the file of v1") {
  const CounterFile file;
  file.write("oom_kill_disable 5\nunder_oom 6\noom_kill 0\n");
  OomWitness witness(file.path());
  CHECK(witness.knows());
  CHECK_FALSE(witness.accounts_for_a_death());
  file.write("oom_kill_disable 5\nunder_oom 6\noom_kill 1\n");
  CHECK(witness.accounts_for_a_death());
  CHECK_FALSE(witness.accounts_for_a_death());
}

TEST_CASE("oom witness: without a counter it knows of nothing") {
  const CounterFile file;
  SUBCASE("an empty path") {
    CHECK_FALSE(OomWitness("").knows());
  }
  SUBCASE("no such file") {
    CHECK_FALSE(OomWitness(file.path() + ".none").knows());
  }
  SUBCASE("no file") {
    CHECK_FALSE(OomWitness(std::filesystem::temp_directory_path().string()).knows());
  }
  SUBCASE("files without a count, and none later") {
    for (const std::string text : {"", "\n", "oom_kill\n", "oom_kill x\n", "oom 3\noom_group_kill 3\n", "oom_kills 7\n"}) {
      CAPTURE(text);
      file.write(text);
      OomWitness witness(file.path());
      CHECK_FALSE(witness.knows());
      file.kills(9);  // what was before is not known, so nothing can be put down to it
      CHECK_FALSE(witness.accounts_for_a_death());
    }
  }
}

TEST_CASE("oom witness: a counter that goes away or goes back accounts for nothing") {
  const CounterFile file;
  file.kills(5);
  OomWitness witness(file.path());
  file.kills(2);
  CHECK_FALSE(witness.accounts_for_a_death());
  file.write("");
  CHECK_FALSE(witness.accounts_for_a_death());
  std::filesystem::remove(file.path());
  CHECK_FALSE(witness.accounts_for_a_death());
  file.kills(6);
  CHECK(witness.accounts_for_a_death());
}

TEST_CASE("oom witness: of this process") {
  OomWitness witness = OomWitness::of_self();
  std::ifstream file("/proc/self/cgroup");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  CHECK(witness.knows() == OomWitness(oom_counter_path(text)).knows());
}
