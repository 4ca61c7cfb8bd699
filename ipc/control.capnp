@0xc4b6d3e7a1f05e92;
# What clients and operators say to arenad over its Unix socket, and what it answers.
#
# Each message is one Cap'n Proto message in standard stream framing (capnproto.org/encoding.html#serialization-over-a-stream).
# The caller sends Requests; arenad sends FromDaemon: exactly one reply for each request, with the request's id, and notices about attached
# arenas whenever they happen. File descriptors travel as SCM_RIGHTS with the bytes of the message that counts them in `fds`.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("arenad::wire");
using Schema = import "/capnp/schema.capnp";
using Crash = import "crash.capnp";

const protocolVersion :UInt32 = 1;

struct Request {
  id @0 :UInt64;
  fds @1 :UInt16;
  union {
    version @2 :Void;
    start @3 :Start;
    status @4 :Selection;
    restart @5 :Selection;
    stop @6 :Selection;
    drain @7 :Drain;
    export @8 :Text;      # an arena; the reply carries a memfd with the recording (recording.capnp)
    attach @9 :Attach;
    detach @10 :UInt32;   # an attachment
    results @11 :Text;    # an arena
    crashes @12 :CrashQuery;
    crash @13 :UInt64;    # the id of an incident
    quarantine @14 :Selection;   # with `all`: also that of arenas which have ended
    quarantined @15 :UInt64;     # one entry, with its bytes
    quarantineRetry @16 :List(UInt64);
    quarantineDrop @17 :List(UInt64);
    reload @18 :Reload;          # one fd: the module. Answered when it is loaded and fits: from then on `rollouts` tells how it goes
    rollback @19 :Reload;        # to the previous version; no fd
    rollouts @20 :Text;          # of a game; empty: of all
    rolloutOrder @21 :RolloutOrder;
    pin @22 :Pin;
    versions @23 :Text;          # of a game; empty: of all
    reloadConfig @24 :ReloadConfig;
    upgrade @25 :Upgrade;        # of arenad itself. Answered by the program that has taken its place, or by this one with an error
    undrain @26 :Selection;      # with `all`: arenad takes new arenas again
    resetFailed @27 :Selection;  # their crashes are forgotten; with `finished`, those that rest are selected by a glob or `all` too
    signal @28 :Signal;
    snapshot @29 :Selection;     # answered when it is in the database
    shutdown @30 :Void;          # of arenad, in order, as by SIGTERM. Answered when it begins
    history @31 :HistoryQuery;
    logs @32 :LogQuery;
    events @33 :EventQuery;
    slow @34 :SlowQuery;
    resultPage @35 :ResultQuery;
    resultTypes @36 :UInt64;     # what a StoredResult says of its types
    tell @37 :Tell;
    gameState @38 :Text;         # an arena; the reply carries a memfd with the message of its newest snapshot
  }
}

# To the workers of arenas.
struct Signal {
  selection @0 :Selection;
  number @1 :UInt32;           # as on this machine: signal(7)
}

# To the games of arenas: answered when a frame of each has applied it, with what the game replies.
struct Tell {
  selection @0 :Selection;
  name @1 :Text;               # 1 to 64 letters, digits, '.', '-' and '_'
  payload @2 :Text;            # at most 8 KiB
}

struct HistoryQuery {
  limit @0 :UInt32;            # the newest so many; 0: 100, and no more than are kept
}

# A command that changes something, or one that was refused for want of a right.
struct HistoryEntry {
  id @0 :UInt64;               # counts from 1, also over the death of arenad
  atUnixMs @1 :Int64;          # when it was asked
  pid @2 :UInt32;              # of who asked, as the kernel saw it when the connection was made
  uid @3 :UInt32;
  gid @4 :UInt32;
  verb @5 :Text;
  subject @6 :Text;            # what it concerned: arenas, a game, numbers of entries
  outcome @7 :Text;            # open, done, denied, or what kind of failure: the name of a FailureCode; of several arenas the worst
  detail @8 :Text;             # what was answered, in short
}

# Lines of the log that arenad still has in memory.
struct LogQuery {
  selection @0 :Selection;     # by the names of arenas, also of those that have ended. Nothing: all lines, arenad's own too
  limit @1 :UInt32;            # the newest so many; 0: 1000, and no more than 10,000
  book @2 :UInt64;             # not 0: what was answered before: lines after `after` only, oldest first if they are more than `limit`
  after @3 :UInt64;
  before @4 :UInt64;           # not 0, with `book`: instead the newest so many of those with smaller numbers than this
}

struct Logs {
  book @0 :UInt64;             # of which the lines are numbered; another one after the death or an upgrade of arenad
  next @1 :UInt64;             # to ask again after
  lines @2 :List(LogLine);     # oldest first
  unknown @3 :List(Text);      # what was selected and has no lines
  missed @4 :Bool;             # lines after `after` are not kept any more
  olderLeft @5 :Bool;          # of the newest so many the oldest did not fit into this message: ask again with `before`
}

struct LogLine {
  number @0 :UInt64;
  atUnixNs @1 :UInt64;
  severity @2 :Text;           # debug, info, warning, error
  arena @3 :Text;              # its name; empty: of none
  game @4 :Text;
  epoch @5 :UInt64;            # 0: not known
  frame @6 :UInt64;            # the same
  pid @7 :UInt32;              # of the worker that it is about; the same
  source @8 :Text;             # worker or template: it has written this to its standard output or error, or with the game's log; else empty
  signature @9 :Text;          # of a crash
  text @10 :Text;
}

# What has happened to arenas and to arenad (arenactl events). Events are numbered from 1 without a gap, also over the death of arenad.
struct EventQuery {
  selection @0 :Selection;     # by names and ids. Nothing: of all, those of arenad itself too
  types @1 :List(Text);        # none: of every type
  limit @2 :UInt32;            # at most so many, newest; 0: 1000
  hasAfter @3 :Bool;           # those after the number `after`, oldest first if they are more than `limit`
  after @4 :UInt64;
  wantsUnknown @5 :Bool;       # `unknown` is to be told
}

struct Events {
  events @0 :List(LifecycleEvent);   # by number
  next @1 :UInt64;             # to ask again after: everything up to this number has been looked at
  oldest @2 :UInt64;           # the first that is kept; 0: none is
  newest @3 :UInt64;           # the last one; 0: there is none
  unknown @4 :List(Text);      # what was selected and is neither an arena that arenad knows, nor the arena of an event that is kept
}

struct LifecycleEvent {
  number @0 :UInt64;
  atUnixMs @1 :Int64;
  type @2 :Text;               # started, ready, died, recovered, ...: supervisor/lifecycle_log.h has the list
  arena @3 :Text;              # its id; empty: of arenad or a game
  name @4 :Text;
  game @5 :Text;
  epoch @6 :UInt64;            # 0: has none
  frame @7 :UInt64;            # the same
  details @8 :List(Param);     # what a type has beside: cause, signature, rung, milliseconds
}

struct Upgrade {
  program @0 :Text;      # the whole path; empty: where the program that runs was executed from
  timeoutMs @1 :UInt32;  # for the new program to say that it can take over, and again for what is on the way to settle; 0: 10 s
  dryRun @2 :Bool;       # only ask whether it could
}

struct Upgraded {
  fromVersion @0 :Text;
  toVersion @1 :Text;
  program @2 :Text;
  arenas @3 :UInt32;     # that have gone over
  heldMs @4 :Float64;    # for so long nobody was answered
}

struct CrashQuery {
  selection @0 :Selection;   # with `all`: also those of arenas that nobody knows any more
  slow @1 :Bool;             # frames over the soft limit too
  limit @2 :UInt32;          # the newest so many; 0: 100, and no more than 1000
}

# Slow frames, with their stacks, a part of them at a time.
struct SlowQuery {
  game @0 :Text;             # empty: of all games
  arena @1 :Text;            # a name, an id, or a glob over names, of arenas that there are or ever were; empty: of all
  sinceUnixMs @2 :Int64;     # none that were recorded before
  before @3 :UInt64;         # those with lower ids; 0: from the newest on
}

struct SlowFrames {
  reports @0 :List(Crash.Crash);   # newest first
  next @1 :UInt64;                 # to go on, ask for those before this one; 0: there are no more
}

struct FromDaemon {
  fds @0 :UInt16;
  union {
    reply @1 :Reply;
    notice @2 :Notice;
  }
}

struct Reply {
  id @0 :UInt64;
  union {
    error @1 :Failure;
    version @2 :Version;
    started @3 :Started;
    status @4 :Status;
    items @5 :List(Item);      # restart, stop, drain: one for each arena selected
    exported @6 :UInt64;       # bytes in the memfd
    attached @7 :Attached;
    detached @8 :Void;
    results @9 :List(MatchResult);
    crashes @10 :List(Crash.Incident);        # newest first
    crash @11 :Crash.Crash;
    quarantine @12 :List(QuarantinedEvent);   # newest first
    quarantined @13 :QuarantinedDetail;
    rollout @14 :Rollout;                     # reload, rollback, rolloutOrder
    rollouts @15 :List(Rollout);              # the last one of each game, by name
    versions @16 :List(GameVersion);          # by game, the current one of each first
    configReloaded @17 :ConfigReloaded;
    upgraded @18 :Upgraded;
    shuttingDown @19 :UInt32;                 # arenas that are saved before arenad ends
    history @20 :List(HistoryEntry);          # newest first
    logs @21 :Logs;
    events @22 :Events;
    slow @23 :SlowFrames;
    resultPage @24 :ResultPage;
    resultTypes @25 :Data;                    # a message with the root GameSchema; empty: there are none of that number
    gameState @26 :GameState;
    # pin, undrain, resetFailed, signal, snapshot and tell are answered with items
    # quarantineRetry and quarantineDrop are answered with items: `id` is the entry's number, `name` the arena's name
  }
}

# An event that the arena does not get, because applying it has killed the worker twice, or its game has blamed it for one end.
struct QuarantinedEvent {
  id @0 :UInt64;
  arena @1 :Text;        # its id
  name @2 :Text;
  game @3 :Text;
  seat @4 :UInt32;
  player @5 :Text;
  channel @6 :UInt64;
  sequence @7 :UInt64;
  type @8 :UInt64;
  bytes @9 :UInt64;      # of the message
  frame @10 :UInt64;
  atUnixMs @11 :Int64;
  incident @12 :UInt64;  # the death that decided it
}

# What a game has written of itself.
struct GameState {
  name @0 :Text;         # the arena's
  frame @1 :UInt64;      # as of its end
  game @2 :Text;
  version @3 :Text;
  type @4 :UInt64;
  bytes @5 :UInt64;      # of the memfd: one Cap'n Proto segment
  schema @6 :Data;       # a message with the root GameSchema; empty: not known now
}

struct QuarantinedDetail {
  event @0 :QuarantinedEvent;
  message @1 :Data;      # one Cap'n Proto segment
  schema @2 :Data;       # of the game, a message with the root GameSchema; empty: not known now
}

# The types that a game module declares: its state, its events and its results, with all that they are made of. The module carries it
# (module_abi.h).
struct GameSchema {
  nodes @0 :List(Schema.Node);
}

# Replaces the code of a game's arenas while they run.
struct Reload {
  game @0 :Text;
  file @1 :Text;             # what the module's file is called, without folders; empty: the current module, and no file of it comes
  arenas @2 :List(Text);     # names, ids or globs; empty: all of the game
  canary @3 :UInt32;         # so many first, on probation, before anything else; 0: none
  batch @4 :UInt32;          # then so many at a time; 0: batchPercent counts
  batchPercent @5 :UInt32;   # of all, rounded up
  probationMs @6 :UInt64;
  probationFrames @7 :UInt64;
  onFailure @8 :OnFailure;
  dryRun @9 :Bool;           # loads and checks it, and changes nothing
  runtime @10 :Text;         # what the runtime's file is called, without folders; empty: the current runtime, and no file of it comes
  installedRuntime @11 :Bool; # the worker program of arenad's configuration, as it is on disk now; then runtime is empty
  # fds: the module's file, the runtime's: those that are named
}

enum OnFailure {
  stop @0;          # those that have passed keep the new version
  rollbackAll @1;   # they get the old one again
}

struct Rollout {
  game @0 :Text;
  fromVersion @1 :Text;
  fromCode @2 :Text;         # CodeHash
  toVersion @3 :Text;
  toCode @4 :Text;
  state @5 :Text;            # canary, rolling, paused, rolling-back, done, failed, aborted
  total @6 :UInt32;          # arenas that it concerns
  passed @7 :UInt32;
  onProbation @8 :UInt32;    # or on the way there
  waiting @9 :UInt32;
  gone @10 :UInt32;          # ended or stopped meanwhile
  pinned @11 :UInt32;        # left out
  failures @12 :List(RolloutFailure);
  elapsedMs @13 :UInt64;
  isOver @14 :Bool;          # nothing of it happens any more
  id @15 :UInt64;            # counts over all games, also over the death of arenad; 0: one that was only tried (dryRun)
  fromRuntime @16 :Text;     # CodeHash of the runtime alone
  toRuntime @17 :Text;
}

struct RolloutFailure {
  id @0 :Text;
  name @1 :Text;
  why @2 :Text;
}

struct RolloutOrder {
  game @0 :Text;
  order @1 :Order;
  enum Order {
    pause @0;     # what is on the way goes on, nothing else begins
    resume @1;
    abort @2;     # what is on the way goes on; all others keep the version that they have, and new arenas get the old one
  }
}

struct Pin {
  selection @0 :Selection;
  version @1 :Text;          # a code, the beginning of one, or a module's own version if only one has it; the arena is handed over if
                             # it runs another. Empty: no longer pinned
}

struct GameVersion {
  game @0 :Text;
  version @1 :Text;          # the module's own; empty: it was not loaded yet
  code @2 :Text;             # CodeHash of module and runtime together
  file @3 :Text;             # the module's
  current @4 :Bool;          # new arenas get it
  previous @5 :Bool;         # a rollback goes back to it
  configured @6 :Bool;
  arenas @7 :UInt32;         # that run it
  runtime @8 :Text;          # CodeHash of the runtime alone
  runtimeVersion @9 :Text;   # its own; empty: it was not started yet
}

# Reads the configuration file again, and goes by what is there from now on.
struct ReloadConfig {
  dryRun @0 :Bool;           # finds and checks what would change, and changes nothing
}

struct ConfigReloaded {
  file @0 :Text;
  dryRun @1 :Bool;
  changes @2 :List(ConfigChange);    # between what arenad goes by and the file; by game, what is no game's first
  problems @3 :List(ConfigProblem);  # not empty: refused as a whole, nothing has changed
  refusal @4 :FailureCode;           # if there are problems: `invalid`, or `refused` if only what runs now is in the way
}

struct ConfigChange {
  key @0 :Text;              # with its sections; of a game that is added or removed: its section
  from @1 :Text;             # as TOML; empty: the game is added
  to @2 :Text;               # as TOML; empty: the game is removed
  takesEffect @3 :TakesEffect;
  note @4 :Text;             # what else there is to know; mostly empty
}

enum TakesEffect {
  atOnce @0;                 # arenad goes by it, also for what runs
  whenBegun @1;              # what begins from now on goes by it; what runs keeps what it has
  afterRestart @2;           # of arenad: until then the old value stays in force
}

struct ConfigProblem {
  file @0 :Text;
  line @1 :UInt32;           # 0: of the file as a whole
  column @2 :UInt32;         # 0: of the line as a whole
  key @3 :Text;              # with its sections; empty: not of one key
  message @4 :Text;
}

enum FailureCode {
  failed @0;
  invalid @1;
  unknownArena @2;
  timeout @3;
  refused @4;
  unreachable @5;
  corrupt @6;
  exhausted @7;
}

struct Failure {
  code @0 :FailureCode;
  message @1 :Text;
}

struct Version {
  program @0 :Text;
  protocol @1 :UInt32;
  pid @2 :UInt32;
  uptimeMs @3 :UInt64;
}

struct Param {
  key @0 :Text;
  value @1 :Text;
}

struct Start {
  game @0 :Text;       # a name from the configuration
  id @1 :Text;         # 26 characters; empty: a new one. Starting an id that runs already changes nothing
  name @2 :Text;       # empty: made from the game's name
  params @3 :List(Param);
}

struct Started {
  id @0 :Text;
  name @1 :Text;
  alreadyRunning @2 :Bool;
}

# Names, ids or globs over names; all of them if `all`. At most 1000, 100 of them globs or games, and each of at most 256 bytes: limits.h.
# So it is with whatever else a request may give several of; more are refused as `invalid`.
struct Selection {
  arenas @0 :List(Text);
  all @1 :Bool;
  finished @2 :Bool;   # status: also those that have ended
}

struct Drain {
  selection @0 :Selection;
  deadlineMs @1 :UInt64;   # from now; what still runs then is stopped with its state kept
}

struct Item {
  id @0 :Text;
  name @1 :Text;
  union {
    ok @2 :Text;           # what was done
    error @3 :Failure;
  }
}

struct Status {
  daemon @0 :DaemonStatus;
  arenas @1 :List(ArenaStatus);
}

struct DaemonStatus {
  version @0 :Text;
  pid @1 :UInt32;
  uptimeMs @2 :UInt64;
  configuration @3 :Text;
  running @4 :UInt32;
  clients @5 :UInt32;
  checkpointLagMs @6 :UInt64;   # how long the oldest snapshot that is not in the database yet has waited
  storeError @7 :Text;          # empty: the database takes what it is given
  sharedMemoryBytes @8 :UInt64;
  draining @9 :Bool;
  recoveries @10 :UInt64;
  notices @11 :List(Text);      # what an operator should know since the start: a database moved aside, arenas set back
  checkpointAlarm @12 :Bool;    # checkpointLagMs is over checkpoint.alarm_ms
}

struct ArenaStatus {
  id @0 :Text;
  name @1 :Text;
  game @2 :Text;
  gameVersion @3 :Text;
  state @4 :Text;
  reason @5 :Text;             # why it is in this state, if that is not obvious
  pid @6 :UInt32;
  epoch @7 :UInt64;
  sinceUnixMs @8 :UInt64;      # when the arena was started
  frame @9 :UInt64;
  tickHz @10 :UInt32;
  players @11 :UInt32;
  clients @12 :UInt32;
  events @13 :UInt64;          # applied, over all incarnations that this arenad has seen
  rejected @14 :UInt64;
  outputs @15 :UInt64;         # sequence of the last published one
  outputsRefused @16 :UInt64;
  restarts @17 :UInt32;        # crashes within the window of the restart budget
  restartsTotal @18 :UInt64;
  lastExit @19 :Text;
  recoveryMs @20 :Float64;     # the last recovery: from the notice of the death to the first new frame
  rung @21 :Text;              # which rung of the recovery ladder the incarnation started from
  replayedFrames @22 :UInt64;
  replayedEvents @23 :UInt64;
  divergences @24 :UInt64;
  firstDivergentFrame @25 :UInt64;
  framesLate @26 :UInt64;
  lateP50Us @27 :UInt64;
  lateP99Us @28 :UInt64;
  frameMeanUs @29 :Float64;
  frameMaxUs @30 :UInt64;
  snapshots @31 :UInt64;
  snapshotsFailed @32 :UInt64;
  snapshotBytes @33 :UInt64;
  snapshotFrame @34 :UInt64;
  snapshotMeanUs @35 :Float64;
  durableFrame @36 :UInt64;
  sharedMemoryBytes @37 :UInt64;
  nextRestartMs @38 :UInt64;   # in backoff: when the next try begins
  releasedEarly @39 :Bool;     # records were released before a checkpoint covered them
  channels @40 :List(ChannelStatus);
  params @41 :List(Param);
  lateness @42 :List(UInt64);  # in detail: the counts of the histogram (ipc/histogram.h), microseconds
  framesSlow @43 :UInt64;      # longer than the soft limit, of this incarnation
  quarantined @44 :UInt64;     # events in quarantine
  code @46 :Text;              # CodeHash of the version that it runs
  pinned @47 :Bool;
  probation @48 :Bool;         # its code was changed, and may be taken back
  lastCrash @45 :UInt64;       # the id of the newest incident that was a death; 0: none since arenad began
  restartsAllowed @49 :UInt32; # of the restart budget: so many crashes within restartWindowMs, and with one more the arena has failed
  restartWindowMs @50 :UInt64;
  snapshotAgeMs @51 :UInt64;   # of the last snapshot, if frames have run since; 0: none has, or there is no snapshot yet
  cpuNs @52 :UInt64;           # processor time that the worker has taken since it was forked, with all of its threads; 0: it has none
  cpuPercent @53 :Float64 = -1;  # of it in the last second, in percent of a core; less than 0: the worker was not watched for so long yet
}

struct ChannelStatus {
  seat @0 :UInt16;
  player @1 :Text;
  applied @2 :UInt64;
  rejected @3 :UInt64;
  waitingBytes @4 :UInt64;     # published and not taken yet
  keptBytes @5 :UInt64;        # kept for a replay
  outputLagBytes @6 :UInt64;
}

struct MatchResult {
  sequence @0 :UInt64;
  seat @1 :UInt32;
  type @2 :UInt64;
  message @3 :Data;
}

# Results of one arena or of many, also of those that arenad has forgotten: the newest, and page by page those before.
struct ResultQuery {
  arena @0 :Text;          # a name or id; empty: of all
  game @1 :Text;           # empty: of all
  sinceUnixMs @2 :Int64;   # recorded then or later
  hasBefore @3 :Bool;      # a page that goes on
  before @4 :ResultPosition;
}

struct ResultPosition {
  recordedUnixMs @0 :Int64;
  row @1 :Int64;
}

# arenad looks at a bounded number of results for each page: it may be empty although there are more.
struct ResultPage {
  results @0 :List(StoredResult);  # newest first
  more @1 :Bool;                   # there may be another page,
  next @2 :ResultPosition;         # which goes on before this
}

struct StoredResult {
  result @0 :MatchResult;
  arena @1 :Text;            # its id
  name @2 :Text;             # the arena's; empty: not known, as whatever else is empty or 0 here
  player @3 :Text;           # who had the seat
  recordedUnixMs @4 :Int64;
  game @5 :Text;
  version @6 :Text;          # the module's own, of the version that recorded it
  code @7 :Text;             # its CodeHash
  types @8 :UInt64;          # of that version: resultTypes has them
}

struct Attach {
  arena @0 :Text;
  player @1 :Text;        # a name; the same name gets the same seat again
  observer @2 :Bool;      # no seat and no events, only outputs
  channel @3 :UInt64;     # not 0: an attachment to an earlier arenad goes on; the region is the one that it has had all the time
  # one fd: the channel region, made and sealed by the client
}

struct Attached {
  attachment @0 :UInt32;
  arena @1 :Text;
  name @2 :Text;
  seat @3 :UInt16;
  channel @4 :UInt64;
  live @5 :Bool;
  epoch @6 :UInt64;
  outputsFrom @7 :UInt64;  # position in the outputs from before the join took effect: nothing that follows from it is missed
  # fds: the board; the incarnation region if `live`
}

struct Notice {
  attachment @0 :UInt32;
  union {
    incarnation @1 :UInt64;   # epoch of a new incarnation. One fd: its region. The one before has ended for good
    gone @2 :Gone;            # the arena runs no more; nothing follows for this attachment
    board @3 :Void;           # arenad was upgraded. One fd: the arena's new board; the old one is rung no more
  }
}

struct Gone {
  state @0 :Text;             # ended, stopped, failed, lost
  reason @1 :Text;
}
