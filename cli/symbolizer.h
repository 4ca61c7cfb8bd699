// What the symbols of a file on this machine say about an address in it, read with elfutils' libdw. A report names files by path
// and build id; by now there may be another file under the path, and its symbols would be a convincing lie, so only a file with the
// same build id is used. Separate debug information is found where gdb finds it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "arenad/result.h"

namespace arenad::cli {

// Empty or 0 is what the symbols do not tell.
struct SourcePlace {
  std::string function;  // demangled
  std::string file;
  int line = 0;
};

// An instruction that was being executed, or the one behind a call, where the caller would have gone on: the call is before it and
// may belong to another line, or even to another function.
enum class CodeAddress { exact, after_call };

class Symbolizer {
 public:
  Symbolizer();
  ~Symbolizer();
  Symbolizer(const Symbolizer&) = delete;
  Symbolizer& operator=(const Symbolizer&) = delete;

  // `offset` is the address as the file's symbols have it, `build_id` is hexadecimal. An error says why the file is of no use; it is
  // the same for every address of the file.
  Result<SourcePlace> place(const std::string& path, const std::string& build_id, uint64_t offset, CodeAddress kind);

 private:
  class SymbolFile;
  using Opened = Result<std::unique_ptr<SymbolFile>>;
  static Opened open(const std::string& path, const std::string& build_id);

  std::map<std::pair<std::string, std::string>, Opened> files_;  // by path and build id
};

}  // namespace arenad::cli
