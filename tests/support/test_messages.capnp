@0x87aef83342dcafee;
# Messages for tests: of every shape that the code tells apart, and none that means anything.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("arenad::test");

struct Nothing {}           # flat, without a single word

struct Point {              # flat, one word
  x @0 :Int32;
  y @1 :Int32;
}

struct PointLater {         # a later version of Point: one word more
  x @0 :Int32;
  y @1 :Int32;
  z @2 :Int32 = 7;
}

enum Mode {
  calm @0;
  fast @1;
  wild @2;
}

struct Move {               # flat, several words, every kind of field
  tick @0 :UInt64;
  angle @1 :Float64 = 1.5;
  speed @2 :Float32;
  gear @3 :Int16 = -1;
  mode @4 :Mode = fast;
  fire @5 :Bool;
  brake @6 :Bool = true;
  horn @7 :UInt8;
}

struct Chat {               # one pointer
  sender @0 :UInt32;
  text @1 :Text;
}

struct Tree {               # every kind of pointer
  number @0 :UInt64;
  name @1 :Text;
  bytes @2 :Data;
  numbers @3 :List(UInt64);
  flags @4 :List(Bool);
  points @5 :List(Point);
  children @6 :List(Tree);
  chat @7 :Chat;
}
