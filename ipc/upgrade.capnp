@0xb7d25e1f90c38a46;
# What arenad hands on to the program that takes its place in the same process (supervisor/upgrade.h): one message in a memfd. Numbers of
# descriptors are those of the process, which keeps them open over execve(2); -1: there is none.
#
# A later version may add fields, which an earlier one does not see, and an earlier one's message leaves at their defaults. If a field
# must be understood, `oldestReader` is raised to the version that has brought it.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("arenad::wire");
using Control = import "control.capnp";

const upgradeVersion :UInt32 = 1;

struct UpgradeState {
  version @0 :UInt32;            # upgradeVersion of who has written it
  oldestReader @1 :UInt32;       # who knows only earlier versions must not take over
  databaseVersion @2 :UInt32;
  program @3 :Text;              # the version of who has written it
  startedNs @4 :UInt64;          # when the service began, on the monotonic clock
  directory @5 :Text;            # these do not change under running arenas
  controlSocket @6 :Text;
  workersSocket @7 :Text;
  notices @8 :List(Text);
  directoryLock @9 :Int32 = -1;
  runtimeLock @10 :Int32 = -1;
  workersListener @11 :Int32 = -1;
  control @12 :ControlState;
  arenas @13 :List(ArenaState);
  templates @14 :List(TemplateState);
  heldNs @15 :UInt64;            # since when requests wait
  linkVersion @16 :UInt32;       # of what is in use: kLinkVersion (ipc/link.h), and the layouts of shared memory
  incarnationLayout @17 :UInt32;
  channelLayout @18 :UInt32;
  boardLayout @19 :UInt32;
}

struct ProcessState {
  pid @0 :UInt32;
  pidfd @1 :Int32 = -1;
  link @2 :Int32 = -1;           # arenad's end
  output @3 :Int32 = -1;         # the file of its standard output and error (ipc/output_file.h)
}

struct ControlState {
  listener @0 :Int32 = -1;
  nextConnection @1 :UInt64;
  connections @2 :List(ConnectionState);
  nextAttachment @3 :UInt32;
  draining @4 :Bool;
  upgrade @5 :RequestRef;        # who has asked for this
  waiting @6 :List(WaitingRequest);
  openCommands @7 :List(OpenCommand);
}

# A command that the audit trail has, and that is not answered.
struct OpenCommand {
  from @0 :RequestRef;
  command @1 :Control.HistoryEntry;
}

struct RequestRef {
  connection @0 :UInt64;
  request @1 :UInt64;
}

struct ConnectionState {
  id @0 :UInt64;
  socket @1 :Int32 = -1;
  received @2 :Data;             # and not taken yet: the beginning of a message, or whole ones
  receivedFds @3 :List(Int32);
  unsent @4 :List(UnsentBytes);
}

struct UnsentBytes {
  bytes @0 :Data;
  fds @1 :List(Int32);           # go with the first of them
}

# A request that is answered when all of its arenas have settled.
struct WaitingRequest {
  from @0 :RequestRef;
  kind @1 :Kind;
  settled @2 :List(Control.Item);
  awaited @3 :List(AwaitedArena);

  enum Kind {
    putDown @0;                  # stop, drain
    restart @1;
  }
}

struct AwaitedArena {
  arena @0 :ArenaRef;
  epoch @1 :UInt64;              # restart: the incarnation that was to end
}

struct ArenaRef {
  high @0 :UInt64;
  low @1 :UInt64;
}

# What is not in the database of an arena, nor in its worker's region.
struct ArenaState {
  arena @0 :ArenaRef;
  lifecycle @1 :LifecycleState;
  worker @2 :ProcessState;       # no link: none
  region @3 :Int32 = -1;         # of the last incarnation that went live
  probation @4 :ProbationState;
  channels @5 :List(ChannelState);
  kept @6 :List(Text);           # names under which the service manager keeps its descriptors (supervisor/kept_names.h)
  attachments @7 :List(AttachmentState);
  draining @8 :Bool;
  drainUntilNs @9 :UInt64;       # what runs then is stopped; 0: no such time
  delayUntilNs @10 :UInt64;      # the next incarnation begins then; 0: none waits
  recoveries @11 :UInt64;
  lastExit @12 :Text;
  lastCrash @13 :UInt64;
  diedNs @14 :UInt64;
  slowSeen @15 :UInt64;          # frames over the soft limit that are written down
  suspect @16 :EventState;       # was being applied when the last worker died
  name @17 :Text;
  game @18 :Text;
}

struct LifecycleState {
  state @0 :UInt16;              # numbers of supervisor/arena_lifecycle.h and restart_budget.h
  begunWith @1 :UInt16;
  stopWanted @2 :Bool;
  worker @3 :UInt16;
  delayPending @4 :Bool;
  hasLived @5 :Bool;
  triedAgain @6 :Bool;
  crashes @7 :UInt64;
  budget @8 :UInt16;
  runningSinceNs @9 :UInt64;
  crashesInRow @10 :UInt32;
  chargedNs @11 :List(UInt64);
}

struct ProbationState {
  origin @0 :Int32 = -1;         # region of the incarnation that has handed over; none: it is not on probation
  ns @1 :UInt64;
  frames @2 :UInt64;
  liveNs @3 :UInt64;
}

struct ChannelState {
  id @0 :UInt64;
  slot @1 :UInt16;
  player @2 :Text;
  region @3 :Int32 = -1;
  gone @4 :Bool;
  goneReason @5 :UInt32;
}

struct AttachmentState {
  connection @0 :UInt64;
  attachment @1 :UInt32;
  channel @2 :UInt64;
}

struct EventState {
  channel @0 :UInt64;            # 0: none
  sequence @1 :UInt64;
}

struct TemplateState {
  game @0 :Text;
  codeHigh @1 :UInt64;
  codeLow @2 :UInt64;
  process @3 :ProcessState;
  version @4 :Text;
  tickHz @5 :UInt32;
  stateType @6 :UInt64;
  regionBytes @7 :UInt64;
  moduleFile @8 :Text;
  schema @9 :Data;
  spares @10 :List(SpareState);
  runtimeVersion @11 :Text;
  outputRingBytes @12 :UInt64;   # that it was begun with
  frameLogBytes @13 :UInt64;
  lastRequest @14 :UInt64;
  cage @15 :Text;                # that it was begun in (ipc/cage_options.h)
}

struct SpareState {
  process @0 :ProcessState;
  region @1 :Int32 = -1;
}

# Between arenad and a program that may take its place, over a link: whether it could. The question comes with the state's memfd.
struct CanTakeOver {
  version @0 :UInt32;            # upgradeVersion of who asks
}

struct CanTakeOverAnswer {
  union {
    version @0 :Text;            # it can
    refused @1 :Text;            # why not
  }
}
