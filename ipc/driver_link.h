// What arena-chaos and a driver (arenad/driver.h) say to each other, over a SOCK_SEQPACKET pair that the driver has as descriptor 3.
//
//   run    -> driver   one byte: say one more event. The link's end: end at once
//   driver -> run      a DriverReport whenever it has changed, a thousand times a second at most
#pragma once

#include <cstdint>

namespace arenad {

constexpr int kDriverDescriptor = 3;
constexpr uint32_t kDriverVersion = 1;

struct DriverReport {
  uint32_t version = kDriverVersion;
  int32_t worker = 0;    // process id of the newest incarnation's
  uint64_t epoch = 0;    // its
  uint64_t said = 0;     // events that the channel took
  uint64_t applied = 0;  // of those, as many as the arena has certainly applied
  uint64_t heard = 0;    // outputs
  uint64_t rejected = 0;
  uint64_t digest = 0;
  char complaint[256] = {};  // with a 0 at its end
  char gone[256] = {};       // why nothing follows any more
};

}  // namespace arenad
