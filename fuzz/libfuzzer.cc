// Makes a program of libFuzzer of one harness: ARENAD_FUZZ_HARNESS.
#include "fuzz/harness.h"

namespace arenad::fuzz {
extern const Harness ARENAD_FUZZ_HARNESS;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  arenad::fuzz::ARENAD_FUZZ_HARNESS.run({reinterpret_cast<const char*>(data), size});
  return 0;
}
