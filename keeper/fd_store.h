// The descriptors that a service has given to its keeper, for its next life. Several may have the same name.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "ipc/fd.h"

namespace arenad {

class FdStore {
 public:
  explicit FdStore(size_t maximum) : maximum_(maximum) {}

  enum class Stored { stored, already_there, full };
  // The same open file under the same name is kept once.
  Stored store(const std::string& name, Fd fd);
  void remove(const std::string& name);
  // One that has hung up.
  void remove(int fd);
  void clear() { entries_.clear(); }

  [[nodiscard]] size_t size() const { return entries_.size(); }
  struct Listing {
    std::vector<int> fds;  // borrowed
    std::string names;     // LISTEN_FDNAMES: in the same order, with colons between them
  };
  [[nodiscard]] Listing list() const;

 private:
  size_t maximum_;
  std::multimap<std::string, Fd> entries_;
};

}  // namespace arenad
