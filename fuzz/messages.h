// Cap'n Proto messages as seeds.
#pragma once

#include <string>

#include <capnp/message.h>
#include <capnp/serialize.h>

namespace arenad::fuzz {

// With the table of its segments.
template <class Root, class Fill>
std::string framed(Fill&& fill) {
  capnp::MallocMessageBuilder message;
  fill(message.initRoot<Root>());
  const auto words = capnp::messageToFlatArray(message);
  return {words.asChars().begin(), words.asChars().size()};
}

// One segment alone.
template <class Root, class Fill>
std::string segment(Fill&& fill) {
  const std::string whole = framed<Root>(std::forward<Fill>(fill));
  return whole.substr(8);
}

}  // namespace arenad::fuzz
