@0xb5c1f0a4d2e39687;
# A report of a death as it was before the recovery was told in parts: what of ipc/crash.capnp a test needs, with the same places.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("arenad::before");

struct Incident {
  id @0 :UInt64;
  arena @1 :Text;
  name @2 :Text;
  game @3 :Text;
  gameVersion @4 :Text;
  buildId @5 :Text;
  epoch @6 :UInt64;
  frame @7 :UInt64;
  atUnixMs @8 :Int64;
  kind @9 :UInt16;
  cause @10 :Text;
  signal @11 :UInt32;
  exitCode @12 :Int32;
  address @13 :UInt64;
  hasAddress @14 :Bool;
  pid @15 :UInt32;
  phase @16 :Text;
  channel @17 :UInt64;
  sequence @18 :UInt64;
  player @19 :Text;
  tookMs @20 :UInt64;
  quarantined @21 :UInt64;
  recoveryMs @22 :Float64;
  rung @23 :Text;
  replayedFrames @24 :UInt64;
  replayedEvents @25 :UInt64;
  ticksLost @26 :UInt64;
}

struct StackFrame {
  address @0 :UInt64;
  object @1 :Text;
  buildId @2 :Text;
  offset @3 :UInt64;
}

struct Crash {
  incident @0 :Incident;
  stack @1 :List(StackFrame);
}
