// Counts what is asked for on the control socket, by verb and by what became of it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "supervisor/control_server.h"

namespace arenad {

class RequestCounter {
 public:
  using Counts = std::map<std::pair<std::string, std::string>, uint64_t>;  // by verb and result

  // verb: of request_kind.h, which lives for ever.
  void asked(RequestId from, const char* verb) {
    if (open_.size() >= kMaxOpen) open_.erase(open_.begin());
    open_.insert_or_assign({from.connection, from.request}, verb);
  }
  // Of one that an earlier program was asked, nothing is known.
  void answered(RequestId to, const std::string& result) {
    const auto found = open_.find({to.connection, to.request});
    if (found == open_.end()) return;
    ++counts_[{found->second, result}];
    open_.erase(found);
  }
  [[nodiscard]] const Counts& counts() const { return counts_; }
  [[nodiscard]] size_t open() const { return open_.size(); }

 private:
  // Of requests whose answer never comes, because their message lied about itself.
  static constexpr size_t kMaxOpen = 10'000;
  std::map<std::pair<uint64_t, uint64_t>, const char*> open_;  // by connection and request
  Counts counts_;
};

}  // namespace arenad
