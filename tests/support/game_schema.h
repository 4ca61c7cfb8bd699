// The types of a game as its module carries them, made of the compiled ones.
#pragma once

#include <string>

#include <capnp/message.h>
#include <capnp/schema-loader.h>
#include <capnp/serialize.h>

#include "ipc/control.capnp.h"

namespace arenad::test {

template <class... Types>
std::string game_schema() {
  capnp::SchemaLoader loader;
  (loader.loadCompiledTypeAndDependencies<Types>(), ...);
  const auto loaded = loader.getAllLoaded();
  capnp::MallocMessageBuilder message;
  auto nodes = message.initRoot<wire::GameSchema>().initNodes(static_cast<unsigned>(loaded.size()));
  for (unsigned i = 0; i < nodes.size(); ++i) nodes.setWithCaveats(i, loaded[i].getProto());
  const auto words = capnp::messageToFlatArray(message);
  return {words.asChars().begin(), words.asChars().size()};
}

// A message as one segment.
inline std::string segment_of(capnp::MessageBuilder& message) {
  capnp::MallocMessageBuilder single(65'536);
  const auto any = message.getRoot<capnp::AnyPointer>().asReader();
  single.setRoot(any);
  const auto segments = single.getSegmentsForOutput();
  const auto chars = segments[0].asChars();
  return {chars.begin(), chars.size()};
}

}  // namespace arenad::test
