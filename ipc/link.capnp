@0xe1f3a7c25b9d4860;
# What arenad and its own processes say to each other over a SOCK_SEQPACKET pair: one message, one packet, with its file descriptors.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("arenad::wire");
using Control = import "control.capnp";

struct ToTemplate {
  union {
    fork @0 :UInt64;       # fds: the new worker's end of its own link; the file of its output (ipc/output_file.h). The number is the request's
    nothing @1 :Void;
    checkState @2 :GameInfo; # whether this module could take over the state of another version; of that are set: version, stateType, schema
  }
}

struct FromTemplate {
  union {
    ready @0 :GameInfo;
    failed @1 :Text;       # the module cannot be loaded, and why; the template ends
    forkFailed @2 :ForkFailed;
    forked @3 :Forked;     # the worker itself may have said that it is ready before
    stateChecked @4 :Text; # why not; empty: it can
    runtime @5 :Runtime;   # first of all, before the module is loaded
  }
}

# The worker program itself, and what it and arenad must agree on to understand each other.
struct Runtime {
  version @0 :Text;
  linkVersion @1 :UInt32;        # kLinkVersion (ipc/link.h)
  incarnationLayout @2 :UInt32;  # of the regions
  channelLayout @3 :UInt32;
  boardLayout @4 :UInt32;
}

struct Forked {
  request @0 :UInt64;
  pid @1 :UInt32;
}

struct ForkFailed {
  request @0 :UInt64;
  message @1 :Text;
}

struct GameInfo {
  name @0 :Text;
  version @1 :Text;
  stateType @2 :UInt64;
  schemaHash @3 :UInt64;
  tickHz @4 :UInt32;
  maxPlayers @5 :UInt32;
  maxStateBytes @6 :UInt64;
  maxFrameOutputBytes @7 :UInt64;
  schema @8 :Data;         # GameSchema (control.capnp) in stream framing; empty: the module has none, or it is too large for a packet
}

struct ToWorker {
  union {
    assign @0 :Assign;
    join @1 :Channel;      # one fd: the channel region
    leave @2 :Leave;
    finish @3 :Void;       # stop at the end of a frame, with a snapshot, and end
    drain @4 :UInt64;      # tell the game to end the match by this time, Unix nanoseconds
    snapshot @5 :Void;     # take one at the end of the next frame
    adopt @6 :Void;        # the offer is taken. One fd: the new board
    retry @7 :Retry;       # an event from quarantine: apply it in the next frame
    signal @8 :GameSignal; # what its game is told
  }
}

struct FromWorker {
  union {
    ready @0 :UInt32;      # a spare, its pid. One fd: its incarnation region
    live @1 :Live;
    refused @2 :Refused;   # the assignment cannot be carried out; the worker ends
    finished @3 :UInt64;   # the frame of the last snapshot; the worker ends
    ended @4 :UInt64;      # the game has ended the match with this frame; the worker ends
    released @5 :UInt64;   # nothing of this channel is needed any more
    noMemory @6 :Text;     # a spare that could not make its region; it ends
    closed @7 :UInt64;     # a channel whose client broke the protocol was closed
    results @8 :Void;      # there are new results in the system ring
    offer @9 :Offer;       # to another arenad than the one that had started this worker: first message on the connection
    retried @10 :Retried;
    kicked @11 :Kicked;    # a channel whose player the game does not want
    signalled @12 :Signalled;
  }
}

enum Reason {
  fresh @0;      # a new arena
  crash @1;      # its worker died
  restart @2;    # an operator asked
  resume @3;     # from the database
}

struct Assign {
  arenaHigh @0 :UInt64;
  arenaLow @1 :UInt64;
  epoch @2 :UInt64;
  name @3 :Text;
  reason @4 :Reason;
  params @5 :List(Control.Param);
  channels @6 :List(Channel);
  hasPredecessor @7 :Bool;
  hasCheckpoint @8 :Bool;
  snapshotIntervalMs @9 :UInt32;
  maxEventBytes @10 :UInt32;
  adoptionSocket @11 :Text;    # where to offer oneself when the link is broken
  orphanTimeoutMs @12 :UInt32; # for so long; then the worker saves and ends
  quarantined @13 :List(LeftOutEvent);   # a replay leaves these out
  slowFrameMs @14 :UInt32;     # frames that take longer are counted as slow; 0: none is
  onDivergence @15 :OnDivergence;
  way @16 :Way;
  codeHigh @17 :UInt64;        # CodeHash of the version that this worker runs: module and runtime
  codeLow @18 :UInt64;
  restarts @19 :UInt32;        # of the arena, before this incarnation: its region keeps what the database may not have taken yet
  # fds: the board; the predecessor's region; for takeBack the origin's; a region with the checkpoint; the channels in their order
}

# How the predecessor's code and this worker's are related.
enum Way {
  recovery @0;   # the same code
  handover @1;   # other code, which takes over the predecessor's last frame and runs none of its again
  takeBack @2;   # the code from before a handover: it runs again what the predecessor has made of it since. The region of the
                 # incarnation that had handed over is the origin
}

# An event of a channel.
struct EventRef {
  channel @0 :UInt64;
  sequence @1 :UInt64;
}

# One in quarantine. A list of EventRefs reads as one of these.
struct LeftOutEvent {
  channel @0 :UInt64;
  sequence @1 :UInt64;
  entry @2 :UInt64;        # its number there
}

# What to do when a frame that is run again gives other outputs than before.
enum OnDivergence {
  goOn @0;       # counted, logged and shown
  stop @1;       # the assignment is refused
}

struct Retry {
  id @0 :UInt64;           # of the entry in quarantine
  slot @1 :UInt16;
  player @5 :Text;         # whose event it is: another may have the slot by the time it is applied
  event @2 :EventRef;
  type @3 :UInt64;
  message @4 :Data;
}

struct Retried {
  id @0 :UInt64;
  union {
    applied @1 :Void;
    notApplied @2 :Text;   # why
  }
}

struct GameSignal {
  number @0 :UInt64;       # unlike that of any other signal which this arena's frames may still name
  name @1 :Text;
  payload @2 :Text;
}

# What became of it, in a frame that has run.
struct Signalled {
  number @0 :UInt64;
  union {
    reply @1 :Text;
    refused @2 :Text;      # why. Nothing was changed
    failed @3 :Text;       # the worker has died of it; it is left out
  }
}

struct Kicked {
  channel @0 :UInt64;
  reason @1 :Text;
  wasIn @2 :Bool;          # else: the game did not let it in
}

# A live worker whose arenad is gone. fds: its region; the channels in their order; the file of its output. Channels that do not fit in one
# packet are left out: whoever kept them knows them.
struct Offer {
  arenaHigh @0 :UInt64;
  arenaLow @1 :UInt64;
  epoch @2 :UInt64;
  maxPlayers @3 :UInt32;
  channels @4 :List(Channel);
  hasOutput @5 :Bool;      # the last fd is that file
}

struct Channel {
  id @0 :UInt64;
  slot @1 :UInt16;
  player @2 :Text;
  gone @3 :Bool;           # the client has left; its records may still be needed
  goneReason @4 :UInt32;   # arenad_leave_reason
}

struct Leave {
  id @0 :UInt64;
  reason @1 :UInt32;       # arenad_leave_reason
}

struct Live {
  epoch @0 :UInt64;
  frame @1 :UInt64;
  tickHz @2 :UInt32;
  maxPlayers @3 :UInt32;
}

struct Refused {
  code @0 :RefusedCode;
  message @1 :Text;
}

enum RefusedCode {
  params @0;        # on_init does not take the parameters
  state @1;         # on_restore does not take the state
  noSnapshot @2;    # nothing valid to start from in what was given
  brokenLog @3;     # frames were decided that cannot be run again
  system @4;        # memory or another resource
  diverged @5;      # a frame gave other outputs when it was run again, and the configuration says `stop`
}
