@0xd2a9c1f07e5b3864;
# What is kept of a worker's end, and of a frame that took too long. Stored in the database as it stands here, and told to arenactl.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("arenad::wire");

enum IncidentKind {
  crash @0;        # a signal of its own making, or one that was sent: `signal` tells
  exit @1;         # it ended by itself in the middle of a match, with whatever code
  killed @2;       # SIGKILL from outside
  outOfMemory @3;  # SIGKILL by the kernel, which was out of memory
  hang @4;         # no frame was finished within the hard limit, and arenad ended it
  slow @5;         # a frame was longer than the soft limit; the worker went on
}

struct Incident {
  id @0 :UInt64;             # counts all incidents of a database
  arena @1 :Text;            # its id
  name @2 :Text;
  game @3 :Text;
  gameVersion @4 :Text;
  buildId @5 :Text;          # of the game module, hexadecimal; empty: it has none, or it is not known
  epoch @6 :UInt64;
  frame @7 :UInt64;          # the one that ran, or the last one if none did
  atUnixMs @8 :Int64;
  kind @9 :IncidentKind;
  cause @10 :Text;           # for people: "signal=SEGV, address 0x10 is not mapped"
  signal @11 :UInt32;        # 0: none
  exitCode @12 :Int32;       # if it ended by itself; else -1
  address @13 :UInt64;       # that the signal is about, if hasAddress
  hasAddress @14 :Bool;
  pid @15 :UInt32;
  phase @16 :Text;           # of the frame: deciding, applying, ticking...
  channel @17 :UInt64;       # the event that was being applied; 0: none
  sequence @18 :UInt64;
  player @19 :Text;          # who had sent it
  tookMs @20 :UInt64;        # hang and slow: how long the frame had run when this was written down
  quarantined @21 :UInt64;   # the event went into quarantine under this id; 0: it did not
  recoveryMs @22 :Float64;   # from the notice of the death until the next worker decided frames: startMs + loadMs + replayMs; 0: there was
                             # no recovery, or it is not over
  rung @23 :Text;            # of the recovery ladder, that it began with; and of the same recovery:
  replayedFrames @24 :UInt64;
  replayedEvents @25 :UInt64;
  ticksLost @26 :UInt64;     # that were due meanwhile and are never run
  detectMs @27 :Float64;     # from the last sign of life until arenad heard of the death: no more than that was without notice; 0: not known
  lastSign @28 :LastSign;    # what it was
  heardNs @29 :UInt64;       # when arenad heard of it, by CLOCK_MONOTONIC of that start of the machine; 0: not told
  startMs @30 :Float64;      # from then until a successor was assigned, with the delay of the restart budget
  loadMs @31 :Float64;       # from then until it had loaded its state; 0: not known
  replayMs @32 :Float64;     # from then until it decided frames; 0: not known
  overtakenBy @33 :UInt64;   # the id of the next death, which came before the recovery from this one was over; 0: none did
}

enum LastSign {
  unknown @0;
  note @1;       # its note of a fatal signal, or of an exit
  frame @2;      # a frame began
  seen @3;       # arenad saw it move
  struck @4;     # arenad ended it, or sent it a signal for an operator
  assigned @5;   # it got its arena
}

struct StackFrame {
  address @0 :UInt64;        # in the worker
  object @1 :Text;           # the file that was mapped there; empty: unknown
  buildId @2 :Text;          # of this file, hexadecimal
  offset @3 :UInt64;         # the address as the file's symbols have it: less the load bias
}

# Of what a game in a language of its own said of where it was.
enum ScriptSource {
  none @0;
  stack @1;      # where it was when the worker died, or when the frame was slow
  error @2;      # where an error was raised, that a callback failed with
}

struct Crash {
  incident @0 :Incident;
  stack @1 :List(StackFrame);   # innermost first; empty: the worker could not leave one (SIGKILL)
  script @2 :List(Text);        # "function (file:line)", innermost first; of a stack the first line may be "native code, ...": it was in a function
                                # that is none of the language
  scriptSource @3 :ScriptSource;
}
