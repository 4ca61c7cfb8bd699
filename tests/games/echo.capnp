@0xd2c5a9b71e0f4683;
# A game of a few lines for the tests of the real programs: it says what it heard.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("arenad::echo");
using Arenad = import "/arenad/results.capnp";

struct State {
  frames @0 :UInt64;
  applied @1 :UInt64;          # Says and Notes
  joins @2 :UInt64;
  left @3 :UInt64;
  dropped @4 :UInt64;
  expelled @5 :UInt64;
  last @6 :List(UInt64);       # of each seat: the last number
  sum @7 :UInt64;              # mixes all numbers in their order
  burden @8 :Data;             # grows with Grow
  endFrame @9 :UInt64;        # 0: none
  kicked @10 :UInt64;
  told @11 :UInt64;           # signals that were applied
  banned @12 :Text;           # who does not get in
}

# Events.
struct Say {
  number @0 :UInt64;
}
struct Note {
  text @0 :Text;
}
struct Grow {
  bytes @0 :UInt32;
}
struct Flood {
  outputs @0 :UInt32;
  bytes @1 :UInt32;   # of each
}
struct Ask {
  number @0 :UInt64;
}
struct Finish {
}
# Records a Score for the one who says it; the match goes on.
struct Award {
}
# Does what a game must not do (misbehaviour.h): at once, or in the tick of this frame.
struct Misbehave {
  how @0 :Text;
  whileFile @1 :Text;
  ms @2 :UInt32;
  inTick @3 :Bool;
  once @4 :Bool;       # the file is removed first
}
# Says something where an operator reads it.
struct Print {
  how @0 :Text;        # out, err: standard output and error, as bytes; cout; log
  bytes @1 :Data;
  times @2 :UInt32;
}
# Asks for the time, which the game takes from the wrong clock.
struct AskTime {
}
# No event of the game.
struct Stranger {
  number @0 :UInt64;
}

# Outputs.
struct Echo {           # to the speaker alone
  seat @0 :UInt16;
  number @1 :UInt64;
  frame @2 :UInt64;
}
struct Arrived {
  seat @0 :UInt16;
  name @1 :Text;
}
struct Departed {
  seat @0 :UInt16;
  reason @1 :UInt32;    # arenad_leave_reason
}
struct Report {         # to the one who asked
  number @0 :UInt64;
  state @1 :State;
}
struct Time {           # to the one who asked
  unixNs @0 :UInt64;
}
struct Piece {
  index @0 :UInt32;
  bytes @1 :Data;
}

struct Score {
  seat @0 :UInt16 $Arenad.aggregate(skip);
  last @1 :UInt64 $Arenad.aggregate(sum);
}
