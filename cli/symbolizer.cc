#include "cli/symbolizer.h"

#include <cstdlib>
#include <cxxabi.h>
#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <span>
#include <sys/stat.h>

#include "cli/hex_dump.h"
#include "ipc/fd.h"

namespace arenad::cli {
namespace {

struct EndSession {
  void operator()(Dwfl* session) const { ::dwfl_end(session); }
};
using DwflSession = std::unique_ptr<Dwfl, EndSession>;

char* g_default_debuginfo_path = nullptr;  // libdw wants the address of a variable; null stands for where gdb looks
const Dwfl_Callbacks kCallbacks{.find_elf = ::dwfl_build_id_find_elf,
                                .find_debuginfo = ::dwfl_standard_find_debuginfo,
                                .section_address = ::dwfl_offline_section_address,
                                .debuginfo_path = &g_default_debuginfo_path};

Error unusable(const std::string& path, const std::string& why) {
  return make_error(ErrorCode::failed, path + " " + why);
}

std::string libdw_error() {
  return ::dwfl_errmsg(-1);
}

// The path comes from a report: it may name what blocks when it is opened, or is no file at all.
Result<Fd> open_regular(const std::string& path) {
  if (!path.starts_with('/')) return unusable(path, "is no file");
  Fd file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!file) return errno_error("cannot open " + path);
  struct stat facts {};
  if (::fstat(file.get(), &facts) != 0) return errno_error("cannot look at " + path);
  if (!S_ISREG(facts.st_mode)) return unusable(path, "is no regular file");
  return file;
}

std::string build_id_of(Dwfl_Module* module) {
  const unsigned char* bits = nullptr;
  GElf_Addr where = 0;
  const int count = ::dwfl_module_build_id(module, &bits, &where);
  return count > 0 ? hex_text({bits, static_cast<size_t>(count)}) : "";
}

Result<void> check_build_id(const std::string& path, const std::string& found, const std::string& wanted) {
  if (wanted.empty())
    return unusable(path, "has no build id in the report, so nobody can tell whether this is still the same file");
  if (found == wanted) return {};
  return unusable(path, "is not the file that was run: its build id is " + (found.empty() ? "missing" : found) +
                            ", that of the report " + wanted);
}

std::string demangled(const char* name) {
  if (name == nullptr) return {};
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> text(abi::__cxa_demangle(name, nullptr, nullptr, &status), &std::free);
  return status == 0 && text != nullptr ? text.get() : name;
}

}  // namespace

// One file, in a session of its own, so that the files of a report cannot lie in each other's way.
class Symbolizer::SymbolFile {
 public:
  SymbolFile(DwflSession session, Dwfl_Module* module, GElf_Addr bias)
      : session_(std::move(session)), module_(module), bias_(bias) {}

  [[nodiscard]] SourcePlace place(uint64_t offset, CodeAddress kind) const {
    const GElf_Addr address = offset + bias_ - (kind == CodeAddress::after_call ? 1 : 0);
    SourcePlace place;
    GElf_Off in_function = 0;
    GElf_Sym symbol{};
    place.function = demangled(::dwfl_module_addrinfo(module_, address, &in_function, &symbol, nullptr, nullptr, nullptr));
    Dwfl_Line* line = ::dwfl_module_getsrc(module_, address);
    if (line == nullptr) return place;
    const char* file = ::dwfl_lineinfo(line, nullptr, &place.line, nullptr, nullptr, nullptr);
    if (file != nullptr) place.file = file;
    return place;
  }

 private:
  DwflSession session_;
  Dwfl_Module* module_;  // the session's
  GElf_Addr bias_;       // where libdw has put the file, less where the file says that it lies
};

Symbolizer::Symbolizer() = default;
Symbolizer::~Symbolizer() = default;

Symbolizer::Opened Symbolizer::open(const std::string& path, const std::string& build_id) {
  auto file = open_regular(path);
  if (!file) return file.error();
  DwflSession session(::dwfl_begin(&kCallbacks));
  if (!session) return unusable(path, "cannot be read: " + libdw_error());
  ::dwfl_report_begin(session.get());
  Dwfl_Module* module = ::dwfl_report_offline(session.get(), path.c_str(), path.c_str(), file->get());
  if (module == nullptr) return unusable(path, "has no symbols that can be read: " + libdw_error());
  file->release();  // the session's now
  ::dwfl_report_end(session.get(), nullptr, nullptr);
  GElf_Addr bias = 0;
  if (::dwfl_module_getelf(module, &bias) == nullptr) return unusable(path, "cannot be read: " + libdw_error());
  if (auto checked = check_build_id(path, build_id_of(module), build_id); !checked) return checked.error();
  return std::make_unique<SymbolFile>(std::move(session), module, bias);
}

Result<SourcePlace> Symbolizer::place(const std::string& path, const std::string& build_id, uint64_t offset, CodeAddress kind) {
  const std::pair key(path, build_id);
  auto found = files_.find(key);
  if (found == files_.end()) found = files_.emplace(key, open(path, build_id)).first;
  if (!found->second) return found->second.error();
  return found->second.value()->place(offset, kind);
}

}  // namespace arenad::cli
