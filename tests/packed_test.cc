// Records in one piece of memory.
#include "supervisor/packed.h"

#include <doctest/doctest.h>

using namespace arenad;

TEST_CASE("what is packed is unpacked") {
  const std::string text("text\0with a zero", 16);
  Packer fields;
  for (const uint64_t number : {uint64_t{0}, uint64_t{127}, uint64_t{128}, uint64_t{16'383}, uint64_t{16'384}, UINT64_MAX}) {
    fields.number(number);
  }
  fields.text(text).text("").text(std::string(1000, 'x'));
  const Packed packed = fields.packed();
  Unpacker unpacker(packed);
  for (const uint64_t number : {uint64_t{0}, uint64_t{127}, uint64_t{128}, uint64_t{16'383}, uint64_t{16'384}, UINT64_MAX}) {
    CHECK(unpacker.number() == number);
  }
  CHECK(unpacker.text() == text);
  CHECK(unpacker.text().empty());
  CHECK(unpacker.text() == std::string(1000, 'x'));
}
