# The messages of the benchmarks, and of the game that they load arenad with.
@0xd0f3a8c15b7e2946;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("arenad::bench");

# ---- the channel alone ---------------------------------------------------------------------------

struct Move {
  x @0 :Int32;
  y @1 :Int32;
  heading @2 :Int32;
  id @3 :UInt64;
}

struct Ping {
  sentNs @0 :UInt64;
}

# ---- the bench game: events ----------------------------------------------------------------------

struct Poke {
  value @0 :UInt64;
}

struct Ballast {
  # Changes nothing: it fills the channel.
  bytes @0 :Data;
}

struct Say {
  # The game logs a line of this text.
  text @0 :Text;
}

# ---- outputs -------------------------------------------------------------------------------------

struct Echo {
  pokes @0 :UInt64;   # how many have been applied since the arena began
}

# ---- state ---------------------------------------------------------------------------------------

struct State {
  pokes @0 :UInt64;
  body @1 :Data;
}
