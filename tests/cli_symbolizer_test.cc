// The symbols of this program, of the C library, and of files that are not what they should be.
#include <array>
#include <cstdlib>
#include <cstring>
#include <elf.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <link.h>
#include <span>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

#include <capnp/message.h>
#include <doctest/doctest.h>

#include "cli/hex_dump.h"
#include "cli/stack_symbols.h"
#include "cli/symbolizer.h"
#include "tests/support/why_not.h"

namespace symbols_of_this_test {

// What is called is not seen through, so that there is a call.
__attribute__((noinline, noclone)) void* address_behind_call() {
  return __builtin_return_address(0);
}

constexpr int kLineOfCall = __LINE__ + 2;
__attribute__((noinline, noclone)) void* calling(int times) {
  void* address = address_behind_call();
  asm volatile("" : : "r"(times) : "memory");  // so that the call is no jump, and the line behind it another
  return address;
}

constexpr int kFirstLine = __LINE__ + 1;
__attribute__((noinline, noclone)) int starting_here(int number) {
  asm volatile("" : "+r"(number));
  return number + 1;
}
constexpr int kLastLine = __LINE__ - 1;

}  // namespace symbols_of_this_test

namespace {

using arenad::ErrorCode;
using arenad::cli::CodeAddress;
using arenad::cli::hex_text;
using arenad::cli::Symbolizer;
using arenad::cli::symbols_of;

namespace fs = std::filesystem;
namespace wire = arenad::wire;

// An address as a report has it.
struct Located {
  uint64_t address = 0;
  std::string object;
  std::string build_id;
  uint64_t offset = 0;
};

std::string build_id_in(const char* notes, size_t bytes) {
  while (bytes >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) header;
    std::memcpy(&header, notes, sizeof header);
    const size_t name_bytes = (header.n_namesz + 3) / 4 * 4;
    const size_t text_bytes = (header.n_descsz + 3) / 4 * 4;
    const char* text = notes + sizeof header + name_bytes;
    if (header.n_type == NT_GNU_BUILD_ID && header.n_namesz == 4) {
      return hex_text({reinterpret_cast<const unsigned char*>(text), header.n_descsz});
    }
    const size_t step = sizeof header + name_bytes + text_bytes;
    if (step > bytes) return {};
    notes += step;
    bytes -= step;
  }
  return {};
}

int locate(dl_phdr_info* info, size_t, void* data) {
  auto& located = *static_cast<Located*>(data);
  bool here = false;
  std::string build_id;
  for (const ElfW(Phdr) & header : std::span(info->dlpi_phdr, info->dlpi_phnum)) {
    const uint64_t begin = info->dlpi_addr + header.p_vaddr;
    if (header.p_type == PT_LOAD && located.address >= begin && located.address < begin + header.p_memsz) here = true;
    if (header.p_type == PT_NOTE && build_id.empty()) {
      build_id = build_id_in(reinterpret_cast<const char*>(begin), header.p_memsz);
    }
  }
  if (!here) return 0;
  const std::string name = info->dlpi_name;
  located.object = name.empty() ? fs::read_symlink("/proc/self/exe").string() : name;
  located.build_id = build_id;
  located.offset = located.address - info->dlpi_addr;
  return 1;
}

Located located(const void* address) {
  Located result{.address = reinterpret_cast<uint64_t>(address)};
  REQUIRE(::dl_iterate_phdr(locate, &result) == 1);
  REQUIRE_FALSE(result.build_id.empty());
  return result;
}

// Several lines of a short function may share its first instruction.
bool is_line_of_start(int line) {
  return line >= symbols_of_this_test::kFirstLine && line <= symbols_of_this_test::kLastLine;
}

Located start_of_function() {
  return located(reinterpret_cast<const void*>(&symbols_of_this_test::starting_here));
}

std::string file_name(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (fs::temp_directory_path() / "arenad-symbols-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~TemporaryFolder() { fs::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] std::string file(const char* name) const { return (path_ / name).string(); }

 private:
  fs::path path_;
};

void fill_frame(wire::StackFrame::Builder frame, const Located& at) {
  frame.setAddress(at.address);
  frame.setObject(at.object);
  frame.setBuildId(at.build_id);
  frame.setOffset(at.offset);
}

}  // namespace

TEST_SUITE("arenactl: symbols") {
  TEST_CASE("a function of this program, with its line") {
    const Located at = start_of_function();
    const auto place = Symbolizer().place(at.object, at.build_id, at.offset, CodeAddress::exact);
    REQUIRE_MESSAGE(place, arenad::test::why_not(place));
    CHECK(place.value().function == "symbols_of_this_test::starting_here(int)");
    CHECK(file_name(place.value().file) == "cli_symbolizer_test.cc");
    CHECK(is_line_of_start(place.value().line));
  }

  TEST_CASE("behind a call the line is that of the call") {
    const Located at = located(symbols_of_this_test::calling(3));
    const auto place = Symbolizer().place(at.object, at.build_id, at.offset, CodeAddress::after_call);
    REQUIRE_MESSAGE(place, arenad::test::why_not(place));
    CHECK(place.value().function == "symbols_of_this_test::calling(int)");
    CHECK(place.value().line == symbols_of_this_test::kLineOfCall);
  }

  TEST_CASE("a function of a library, of which there may be no lines") {
    const Located at = located(reinterpret_cast<const void*>(&::abort));
    const auto place = Symbolizer().place(at.object, at.build_id, at.offset, CodeAddress::exact);
    REQUIRE_MESSAGE(place, arenad::test::why_not(place));
    CHECK(place.value().function == "abort");
  }

  TEST_CASE("an address where nothing is") {
    const Located at = start_of_function();
    Symbolizer symbolizer;
    for (const uint64_t offset : {uint64_t{0}, uint64_t{1} << 40, UINT64_MAX}) {
      const auto place = symbolizer.place(at.object, at.build_id, offset, CodeAddress::after_call);
      REQUIRE(place);
      CHECK(place.value().file.empty());
      CHECK(place.value().line == 0);
    }
  }

  TEST_CASE("a file with another build id is named and not used") {
    const Located at = start_of_function();
    std::string other = at.build_id;
    other[0] = other[0] == '0' ? '1' : '0';
    const auto place = Symbolizer().place(at.object, other, at.offset, CodeAddress::exact);
    REQUIRE_FALSE(place);
    CHECK(place.error().text() ==
          at.object + " is not the file that was run: its build id is " + at.build_id + ", that of the report " + other);
    const auto unknown = Symbolizer().place(at.object, "", at.offset, CodeAddress::exact);
    REQUIRE_FALSE(unknown);
    CHECK(unknown.error().text().starts_with(at.object + " has no build id in the report"));
  }

  TEST_CASE("what is no file with symbols is named, and never waited for") {
    const TemporaryFolder folder;
    std::ofstream(folder.file("text.so")) << "no object at all";
    std::ofstream(folder.file("empty.so"));
    fs::create_directory(folder.file("folder.so"));
    REQUIRE(::mkfifo(folder.file("fifo.so").c_str(), 0600) == 0);
    Symbolizer symbolizer;
    for (const std::string& path : {folder.file("text.so"), folder.file("empty.so"), folder.file("folder.so"),
                                    folder.file("fifo.so"), folder.file("missing.so"), std::string("linux-vdso.so.1")}) {
      CAPTURE(path);
      const auto place = symbolizer.place(path, "00ff", 16, CodeAddress::exact);
      REQUIRE_FALSE(place);
      CHECK(place.error().text().find(path) != std::string::npos);
    }
  }

  TEST_CASE("a file that is cut off anywhere does no harm") {
    const Located at = start_of_function();
    std::ifstream file(at.object, std::ios::binary);
    const std::string whole(std::istreambuf_iterator<char>(file), {});
    const TemporaryFolder folder;
    for (const size_t bytes :
         {size_t{1}, size_t{63}, size_t{64}, size_t{200}, size_t{4096}, whole.size() / 2, whole.size() - 1}) {
      const std::string path = folder.file("cut.so");
      std::ofstream(path, std::ios::binary) << whole.substr(0, bytes);
      const auto place = Symbolizer().place(path, at.build_id, at.offset, CodeAddress::exact);
      // Whether the part that is left is enough depends on where the sections lie.
      if (place && !place.value().function.empty()) CHECK(place.value().function == "symbols_of_this_test::starting_here(int)");
    }
  }

  TEST_CASE("a stack: what can be told is told, and each file that cannot be used is named once") {
    const Located first = start_of_function();
    const Located second = located(symbols_of_this_test::calling(3));
    capnp::MallocMessageBuilder message;
    auto stack = message.initRoot<wire::Crash>().initStack(5);
    fill_frame(stack[0], first);
    fill_frame(stack[1], second);
    stack[2].setAddress(7);
    fill_frame(stack[3], {1, "/nonexistent/tanks.so", "00", 1});
    fill_frame(stack[4], {2, "/nonexistent/tanks.so", "00", 2});
    const auto symbols = symbols_of(stack.asReader());
    REQUIRE(symbols.places.size() == 5);
    REQUIRE(symbols.places[0]);
    CHECK(is_line_of_start(symbols.places[0]->line));
    REQUIRE(symbols.places[1]);
    CHECK(symbols.places[1]->line == symbols_of_this_test::kLineOfCall);
    for (const size_t unknown : {2, 3, 4}) CHECK_FALSE(symbols.places[unknown]);
    REQUIRE(symbols.problems.size() == 1);
    CHECK(symbols.problems[0] == "cannot open /nonexistent/tanks.so: No such file or directory");
  }
}
