@0xb81e90d4c7a263f5;
# A recording: everything that is needed to run a stretch of a match again, in one file. Standard stream framing, not packed.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("arenad::wire");
using Control = import "control.capnp";

const recordingMagic :UInt64 = 0x3130434552415241;   # "ARARC01"

struct Recording {
  magic @0 :UInt64;
  arena @1 :Text;
  name @2 :Text;
  game @3 :Text;
  gameVersion @4 :Text;
  epoch @5 :UInt64;
  recordedUnixMs @6 :UInt64;
  params @7 :List(Control.Param);
  snapshot @8 :Data;              # state/snapshot_layout.h
  frames @9 :List(Data);          # ipc/frame_log_layout.h, one record each
  events @10 :List(ChannelRecords);
  tickHz @11 :UInt32;
}

struct ChannelRecords {
  channel @0 :UInt64;
  slot @1 :UInt16;
  begin @2 :UInt64;               # position of the first byte in the channel's stream
  bytes @3 :Data;                 # records (ipc/record.h)
}
