// The text of an error, for the message of a check: doctest's -s evaluates those of checks that hold too, where there is none.
#pragma once

#include <string>

#include "arenad/result.h"

namespace arenad::test {

template <class T>
std::string why_not(const Result<T>& result) {
  return result.ok() ? std::string() : result.error().text();
}

}  // namespace arenad::test
