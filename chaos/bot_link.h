// What a bot and the run say to each other, over a SOCK_SEQPACKET pair: one struct, one packet.
//
//   run  -> bot   one byte: stop sending events. The link's end: end at once
//   bot  -> run   a BotReport at each change of its stage
#pragma once

#include <cstdint>

namespace arenad::chaos {

enum class BotStage : uint32_t {
  attached = 1,  // in the arena
  quiet = 2,     // sends nothing any more, still receives
  finished = 3,  // the arena is gone; the log is closed
};

struct BotReport {
  BotStage stage;
  uint32_t seat;
  uint64_t channel;
  uint64_t events_sent;       // that send() took
  uint64_t event_bytes_sent;  // their records
  uint64_t outputs_received;
  uint64_t full;    // events that were not sent because the channel was full
  uint64_t lagged;  // times that outputs were overwritten before they were read
  uint64_t rejected;
};

}  // namespace arenad::chaos
